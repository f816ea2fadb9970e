package image

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRecipe(t *testing.T) {
	tests := map[string]struct {
		reason string
		text   string
		want   Recipe
		fault  string // part of the error
	}{
		"Everything": {
			reason: "Every field is read as it is written.",
			text: `
spark: 4.3.0
suite: trixie
java: 25
debs: [libgomp1, "git=1:2.39.5-0+deb12u2"]
pip: ["numpy==2.1.3", "pandas[performance]==2.2.3"]
jars: ["org.postgresql:postgresql:42.7.7"]
exclude: ["org.checkerframework:*"]
files: [{from: etl, to: /opt/job/etl}]
env: {TZ: UTC}
`,
			want: Recipe{
				Spark: "4.3.0", Suite: "trixie", Java: 25, Debs: []string{"libgomp1", "git=1:2.39.5-0+deb12u2"},
				Pip:  []string{"numpy==2.1.3", "pandas[performance]==2.2.3"},
				Jars: []string{"org.postgresql:postgresql:42.7.7"}, Exclude: []string{"org.checkerframework:*"},
				Files: []File{{From: "etl", To: "/opt/job/etl"}}, Env: map[string]string{"TZ": "UTC"},
			},
		},
		"Line": {
			reason: "A line of versions stands for its newest, and YAML reads it as a number.",
			text:   "spark: 4.3",
			want:   Recipe{Spark: "4.3"},
		},
		"NoSpark":      {reason: "Nothing says what to build on.", text: "pip: [numpy==2.1.3]", fault: "spark: is missing; write"},
		"Latest":       {reason: "A version is a number.", text: "spark: latest", fault: `spark: "latest" is not a version; write`},
		"UnknownField": {reason: "A field that is not known is a slip.", text: "spark: 4.3.0\npackages: [a]", fault: "its fields are"},
		"Unpinned":     {reason: "What is not pinned is another image tomorrow.", text: "spark: 4.3.0\npip: [numpy]", fault: `pip[0]: "numpy" does not pin`},
		"PipOption":    {reason: "A package is not an option for pip.", text: "spark: 4.3.0\npip: [\"--index-url=x==1\"]", fault: "pip[0]"},
		"DebOption":    {reason: "A package is not an option for apt.", text: "spark: 4.3.0\ndebs: [-y]", fault: "debs[0]"},
		"JarPath":      {reason: "A jar is a Maven coordinate.", text: "spark: 4.3.0\njars: [lib/a.jar]", fault: "group:artifact:version"},
		"JarXML":       {reason: "A coordinate cannot leave its place in Maven's project.", text: "spark: 4.3.0\njars: [\"a:b:<c>\"]", fault: "jars[0]"},
		"SuiteAlone":   {reason: "A release has to have the Java that is asked for.", text: "spark: 4.3.0\nsuite: trixie", fault: "java: 0 is not in Debian trixie"},
		"UnknownSuite": {reason: "Only releases that were tried.", text: "spark: 4.3.0\nsuite: noble\njava: 21", fault: `suite: "noble" is not`},
		"OldSparkNewJava": {
			reason: "Spark before 4.2 does not run on Java 25.",
			text:   "spark: 4.1.4\nsuite: trixie\njava: 25", fault: "java: 25 cannot run Spark 4.1.4; write 17",
		},
		"FileOutside": {
			reason: "A recipe's files lie below it.", text: "spark: 4.3.0\nfiles: [{from: ../x, to: /opt/x}]", fault: "files[0].from",
		},
		"FileHidden": {
			reason: "Pods mount an empty folder over the working folder.",
			text:   "spark: 4.3.0\nfiles: [{from: x, to: /opt/spark/work-dir/x}]", fault: "would be hidden",
		},
		"FileRelative": {
			reason: "A place in an image is absolute.", text: "spark: 4.3.0\nfiles: [{from: x, to: opt/../x}]", fault: "files[0].to",
		},
		"BadVariable": {reason: "A variable has a name.", text: "spark: 4.3.0\nenv: {\"A B\": c}", fault: `env: "A B"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRecipe([]byte(tt.text))
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Fatalf("%s\nwant an error with %q, got %v", tt.reason, tt.fault, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzParseRecipe(f *testing.F) {
	for _, version := range []string{"4.3.0.yaml", "examples/data-science.yaml"} {
		text, err := os.ReadFile("../../images/spark/" + version)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		recipe, err := ParseRecipe(text)
		if err != nil {
			return
		}
		for _, value := range append(append(recipe.Pip, recipe.Debs...), recipe.Jars...) {
			if strings.HasPrefix(value, "-") || strings.ContainsAny(value, " \n<&;$") {
				t.Errorf("%q would be an option or a command to who gets it", value)
			}
		}
	})
}

func TestPlatforms(t *testing.T) {
	versions, err := Versions()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			p, err := loadPlatform(version)
			if err != nil {
				t.Fatal(err)
			}
			if p.Spark != version {
				t.Errorf("the recipe %s.yaml is of Spark %s", version, p.Spark)
			}
			if spark := p.lock.of("pip"); len(spark) != 1 || spark[0].Name != "pyspark-"+version+".tar.gz" {
				t.Errorf("its lock names %v, and not Spark's Python package alone", spark)
			}
			for _, jar := range p.lock.of("jar") {
				if strings.HasPrefix(jar.Name, "bundle-") || strings.HasPrefix(jar.Name, "hadoop-client") {
					t.Errorf("%s does not belong in an image: Spark has it, or it is the bundle of all of AWS", jar.Name)
				}
			}
		})
	}
	if newest, err := loadPlatform(line(DefaultSpark)); err != nil || compareVersions(newest.Spark, DefaultSpark) < 0 {
		t.Errorf("the line of the default version stands for %q, %v", newest.Spark, err)
	}
	if _, err := loadPlatform("2.4.8"); err == nil || !strings.Contains(err.Error(), DefaultSpark) {
		t.Errorf("an error for a version that is not built has to name those that are: %v", err)
	}
}
