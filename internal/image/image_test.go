package image

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
)

func TestArtifact(t *testing.T) {
	for jar, want := range map[string]string{
		"netty-buffer-4.1.126.Final.jar": "netty-buffer",
		"spark-core_2.13-4.3.0.jar":      "spark-core_2.13",
		"s3-2.35.4.jar":                  "s3",
		"jsr305-3.0.0.jar":               "jsr305",
		"commons-lang3-3.18.0.jar":       "commons-lang3",
		"JTransforms-3.2.jar":            "JTransforms",
	} {
		if got := artifact(jar); got != want {
			t.Errorf("artifact(%q) = %q, want %q", jar, got, want)
		}
	}
}

func TestDropKnown(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"netty-buffer-4.1.0.Final.jar", "netty-nio-client-2.35.4.jar", "slf4j-api-1.7.36.jar"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := dropKnown(dir, []string{"netty-buffer-4.2.2.Final.jar", "slf4j-api-2.0.17.jar"}); err != nil {
		t.Fatal(err)
	}
	left, err := lockFiles(dir, "jar")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].Name != "netty-nio-client-2.35.4.jar" {
		t.Errorf("of a library that Spark has in another version, Spark's is the one: left %v", left)
	}
}

func TestEntrypointOrder(t *testing.T) {
	got := entrypointOrder([]string{"b.jar", "slf4j-api-2.0.17.jar", "a.jar", "B.jar"})
	if diff := cmp.Diff([]string{"slf4j-api-2.0.17.jar", "B.jar", "a.jar", "b.jar"}, got); diff != "" {
		t.Errorf("the order is that of the entrypoint, or the JVM refuses the archive\n-want +got:\n%s", diff)
	}
}

func TestMergeLists(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "1.lst"), filepath.Join(dir, "2.lst")
	texts := map[string]string{
		first:  "# comment\njava/lang/Object id: 0\na/B id: 1\n@lambda-proxy a/B run\n",
		second: "# comment\njava/lang/Object id: 0\nc/D id: 7\ne/F id: 8 super: 7 source: /x.jar\n",
	}
	for name, text := range texts {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := mergeLists(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("# comment\njava/lang/Object\na/B\n@lambda-proxy a/B run\nc/D\n", got); diff != "" {
		t.Errorf("each class once, without the numbers that hold in one list only\n-want +got:\n%s", diff)
	}
}

func TestChanged(t *testing.T) {
	before := map[string]state{
		"usr": {mode: fs.ModeDir}, "usr/lib": {mode: fs.ModeDir}, "usr/lib/old": {size: 1}, "usr/lib/same": {size: 1},
		"opt": {mode: fs.ModeDir}, "opt/x": {mode: fs.ModeDir}, "opt/x/y": {size: 1},
	}
	after := map[string]state{
		"usr": {mode: fs.ModeDir}, "usr/lib": {mode: fs.ModeDir}, "usr/lib/old": {size: 2}, "usr/lib/same": {size: 1},
		"usr/lib/new": {size: 1}, "opt": {mode: fs.ModeDir},
	}
	want := map[string]bool{"usr": true, "usr/lib": true, "usr/lib/old": true, "usr/lib/new": true}
	if diff := cmp.Diff(want, changed(before, after)); diff != "" {
		t.Errorf("what is new or other, and the folders that lead there\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"opt/x"}, gone(before, after)); diff != "" {
		t.Errorf("of a folder that is gone, the folder alone\n-want +got:\n%s", diff)
	}
}

func TestInBase(t *testing.T) {
	tests := map[string]bool{
		"etc/passwd": true, "etc/passwd-": false, "etc/hostname": false, "dev": true, "dev/null": false, "var/log": true,
		"var/log/dpkg.log": false, "usr/share/doc/tini/copyright": true, "usr/share/doc/tini/changelog.gz": false,
		"usr/share/man/man1/java.1.gz": false, "usr/lib/python3.11/__pycache__": false, "var/lib/dpkg/status": true,
		"etc/apt/sources.list.d/0000.sources": false, "etc/apt/apt.conf.d/99mmdebstrap": false,
	}
	for name, want := range tests {
		info, err := fs.Stat(fstest.MapFS{"file": {}}, "file")
		if err != nil {
			t.Fatal(err)
		}
		if got := inBase(name, info); got != want {
			t.Errorf("inBase(%q) = %t, want %t", name, got, want)
		}
	}
}

func TestSparkFile(t *testing.T) {
	for from, want := range map[string]string{
		"pyspark-4.3.0/deps/jars/a.jar":                "opt/spark/jars/a.jar",
		"pyspark-4.3.0/deps/jars/connect-repl/b.jar":   "opt/spark/jars/connect-repl/b.jar",
		"pyspark-4.3.0/deps/bin/spark-submit":          "opt/spark/bin/spark-submit",
		"pyspark-4.3.0/deps/bin/spark-submit.cmd":      "",
		"pyspark-4.3.0/deps/examples/pi.py":            "opt/spark/examples/src/main/python/pi.py",
		"pyspark-4.3.0/pyspark/sql/types.py":           "opt/spark/python/pyspark/sql/types.py",
		"pyspark-4.3.0/lib/py4j-0.10.9.9-src.zip":      "opt/spark/python/lib/py4j-0.10.9.9-src.zip",
		"pyspark-4.3.0/lib/pyspark.zip":                "",
		"pyspark-4.3.0/setup.py":                       "",
		"pyspark-4.3.0/deps/jars/../../../../etc/cron": "",
	} {
		if got := sparkFile(from); got != want {
			t.Errorf("sparkFile(%q) = %q, want %q", from, got, want)
		}
	}
}

func TestAssemble(t *testing.T) {
	p, err := loadPlatform("4.3.0")
	if err != nil {
		t.Fatal(err)
	}
	one, err := random.Layer(10, "application/vnd.oci.image.layer.v1.tar+zstd")
	if err != nil {
		t.Fatal(err)
	}
	image, err := assemble(p, Recipe{Env: map[string]string{"TZ": "UTC", "LANG": "C"}}, []v1.Layer{one})
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config := file.Config
	if config.User != "185" || config.WorkingDir != "/opt/spark/work-dir" || !cmp.Equal(config.Entrypoint, []string{"/opt/entrypoint.sh"}) {
		t.Errorf("Spark on Kubernetes relies on user, folder and entrypoint: %+v", config)
	}
	for _, variable := range []string{"SPARK_HOME=/opt/spark", "HOME=/home/spark", "TZ=UTC", "LANG=C"} {
		if !slices.Contains(config.Env, variable) {
			t.Errorf("%s is not among %v", variable, config.Env)
		}
	}
}
