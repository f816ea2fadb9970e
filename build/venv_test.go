// Package build tests the scripts that make what is built and tested with. What is built they say themselves.
package build

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVenvPackages runs build/venv where nothing but a shell's tools is installed, with a Python that is played, and looks at
// which Debian packages it asks for.
func TestVenvPackages(t *testing.T) {
	tests := map[string]struct {
		reason       string
		requirements string
		want         []string
	}{
		"Spark": {
			reason:       "Spark's own package starts a JVM.",
			requirements: "# What the job runs under.\npyspark==4.3.0\n",
			want:         []string{"openjdk-17-jre-headless"},
		},
		"SparkWithExtras": {
			reason:       "Extras come beside Spark, not instead of it.",
			requirements: "PySpark[connect]>=4.0\n",
			want:         []string{"openjdk-17-jre-headless"},
		},
		"Client": {
			reason:       "The client of Spark Connect has no Spark in it.",
			requirements: "pyspark-client==4.2.0\npandas==2.3.3\n",
		},
		"ClientByItsOtherName": {
			reason:       "Python's packages may be written with an underscore.",
			requirements: "pyspark_client==4.2.0\n",
		},
		"Airflow": {
			reason:       "A provider that names Spark needs none.",
			requirements: "apache-airflow==3.3.2\napache-airflow-providers-apache-spark==5.0.0\n# not pyspark\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, installed(t, tt.requirements)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// installed returns the Debian packages that build/venv has installed for requirements.
func installed(t *testing.T, requirements string) []string {
	t.Helper()
	dir := t.TempDir()
	bin, asked := filepath.Join(dir, "bin"), filepath.Join(dir, "asked")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"bash", "chmod", "dirname", "env", "grep", "mkdir", "rm", "touch", "tr"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	// The last words of apt-get install are the packages; python3 -m venv FOLDER makes a pip that installs nothing.
	program(t, bin, "apt-get", `if [ "$1" = install ]; then for word; do [[ $word == -* || $word == install ]] || echo "$word" >>"`+asked+`"; done; fi`)
	program(t, bin, "python3", `if [ "$1" = -m ]; then mkdir -p "$3/bin"; printf '#!%s\n' "$BASH" >"$3/bin/pip"; chmod +x "$3/bin/pip"; fi`)
	file := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(file, []byte(requirements), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "venv")
	venv := exec.CommandContext(t.Context(), "./venv", folder, file)
	venv.Env = []string{"PATH=" + bin}
	if out, err := venv.CombinedOutput(); err != nil {
		t.Fatalf("build/venv: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(folder, "ready")); err != nil {
		t.Errorf("build/venv does not say that it has come to its end: %v", err)
	}
	text, err := os.ReadFile(asked)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if len(text) == 0 {
		return nil
	}
	return strings.Fields(string(text))
}

// program writes a program that stands in for one of the machine's.
func program(t *testing.T, bin, name, script string) {
	t.Helper()
	text := "#!" + filepath.Join(bin, "bash") + "\nset -euo pipefail\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}
