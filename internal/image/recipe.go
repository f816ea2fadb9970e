package image

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Recipe says what an image consists of. A platform's recipe (images/spark) makes Spark itself; a team's stands on
// the platform of its Spark version and adds to it.
type Recipe struct {
	// Spark is the version of Spark: 4.3.0, or 4.3 for the newest of its line that Brazier knows.
	Spark string `json:"spark"`
	// Suite is the Debian release that the image is made of. Empty takes the platform's.
	Suite string `json:"suite,omitempty"`
	// Java is the major version of the Java runtime. 0 takes the platform's.
	Java int `json:"java,omitempty"`
	// Debs are Debian packages.
	Debs []string `json:"debs,omitempty"`
	// Pip are Python packages, each of a given version: numpy==2.1.3.
	Pip []string `json:"pip,omitempty"`
	// Jars are Maven coordinates, group:artifact:version. What they depend on comes with them, but for what Spark has.
	Jars []string `json:"jars,omitempty"`
	// Exclude are artifacts, group:artifact, that no jar is to bring along; either part may be *.
	Exclude []string `json:"exclude,omitempty"`
	// Files are copied into the image as they are.
	Files []File `json:"files,omitempty"`
	// Env are environment variables of every container of the image.
	Env map[string]string `json:"env,omitempty"`
}

// File is a file or folder that a recipe brings.
type File struct {
	// From is its path, relative to the recipe.
	From string `json:"from"`
	// To is its path in the image.
	To string `json:"to"`
}

// suites are the Debian releases that an image can be made of, with the Java runtimes that they have packages for
// and their Python.
func suites() map[string]suite {
	return map[string]suite{
		"bookworm": {java: []int{17}, python: "3.11"},
		"trixie":   {java: []int{21, 25}, python: "3.13"},
	}
}

type suite struct {
	java   []int
	python string
}

// ParseRecipe reads a recipe and checks what can be checked without building it.
func ParseRecipe(data []byte) (Recipe, error) {
	var recipe Recipe
	if err := yaml.UnmarshalStrict(data, &recipe); err != nil {
		return Recipe{}, fmt.Errorf("recipe: %w; its fields are spark, suite, java, debs, pip, jars, exclude, files and env",
			err)
	}
	return recipe, recipe.validate()
}

func (r Recipe) validate() error {
	faults := []error{
		r.checkSpark(),
		r.checkSuite(),
		each("debs", r.Debs, `^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$`,
			"is not the name of a Debian package; write for example libgomp1"),
		each("pip", r.Pip, `^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==[A-Za-z0-9.+!-]+$`,
			"does not pin a Python package to one version; write for example numpy==2.1.3"),
		each("jars", r.Jars, `^[A-Za-z0-9._-]+:[A-Za-z0-9._-]+:[A-Za-z0-9._-]+$`,
			"is not a Maven coordinate; write group:artifact:version, for example org.postgresql:postgresql:42.7.7"),
		each("exclude", r.Exclude, `^([A-Za-z0-9._-]+|\*):([A-Za-z0-9._-]+|\*)$`,
			"does not name an artifact; write group:artifact, or group:* for all of a group"),
	}
	for i, file := range r.Files {
		faults = append(faults, file.check(fmt.Sprintf("files[%d]", i)))
	}
	for name := range r.Env {
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(name) {
			faults = append(faults, fmt.Errorf("env: %q is not the name of a variable; write letters, digits and _", name))
		}
	}
	return errors.Join(faults...)
}

func (r Recipe) checkSpark() error {
	if r.Spark == "" {
		return errors.New("spark: is missing; write the version of Spark, for example spark: 4.3.0 or spark: \"4.3\"")
	}
	if !regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`).MatchString(r.Spark) {
		return fmt.Errorf("spark: %q is not a version; write for example 4.3.0", r.Spark)
	}
	return nil
}

func (r Recipe) checkSuite() error {
	if r.Suite == "" && r.Java == 0 {
		return nil
	}
	release, known := suites()[r.Suite]
	if !known {
		return fmt.Errorf("suite: %q is not a Debian release that Brazier builds on; write bookworm or trixie", r.Suite)
	}
	if !slices.Contains(release.java, r.Java) {
		return fmt.Errorf("java: %d is not in Debian %s; it has %v", r.Java, r.Suite, release.java)
	}
	// Hadoop's client calls Subject.getSubject, which Java 24 and later refuse; Spark has its own way since 4.2.
	if r.Java > 21 && slices.Contains([]string{"3.5", "4.0", "4.1"}, line(r.Spark)) {
		return fmt.Errorf("java: %d cannot run Spark %s; write 17 with suite bookworm, or 21 with suite trixie",
			r.Java, r.Spark)
	}
	return nil
}

// each checks every value of a list against a pattern.
func each(field string, values []string, pattern, fault string) error {
	var faults []error
	valid := regexp.MustCompile(pattern)
	for i, value := range values {
		if !valid.MatchString(value) {
			faults = append(faults, fmt.Errorf("%s[%d]: %q %s", field, i, value, fault))
		}
	}
	return errors.Join(faults...)
}

// check refuses what would reach outside of the recipe's folder, and places where the files would not be seen: an
// application's pods mount empty folders there, or the kernel's.
func (f File) check(field string) error {
	if !filepath.IsLocal(f.From) {
		return fmt.Errorf("%s.from: %q is not below the recipe's folder; copy it there and write its relative path",
			field, f.From)
	}
	if !path.IsAbs(f.To) || path.Clean(f.To) != f.To || f.To == "/" {
		return fmt.Errorf("%s.to: %q is not an absolute path; write for example /opt/job/%s", field, f.To, path.Base(f.From))
	}
	for _, hidden := range []string{"/tmp", "/proc", "/sys", "/dev", "/run", "/opt/spark/work-dir", "/opt/spark/conf", "/home/spark"} {
		if f.To == hidden || strings.HasPrefix(f.To, hidden+"/") {
			return fmt.Errorf("%s.to: %q would be hidden, since pods mount a folder of their own on %s; write for example /opt/job/%s",
				field, f.To, hidden, path.Base(f.To))
		}
	}
	return nil
}

// line returns the line of a version: 4.3 of 4.3.0.
func line(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}
