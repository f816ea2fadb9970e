package program

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/v1beta2"
)

func TestNamePrefix(t *testing.T) {
	tests := map[string]string{
		"report.py":                        "report",
		"s3a://bucket/jobs/Report_2026.v2": "report-2026",
		"local:///opt/2026-report.jar":     "job-2026-report",
		"???":                              "job",
		"__init__.py":                      "init",
		".py":                              "job",
		"a-name-that-is-longer-than-forty-characters-are.py": "a-name-that-is-longer-than-forty-charact",
	}
	for file, want := range tests {
		if got := NamePrefix(file); got != want {
			t.Errorf("NamePrefix(%q): got %q, want %q", file, got, want)
		}
	}
}

func FuzzNamePrefix(f *testing.F) {
	f.Add("report.py")
	f.Add("s3a://b/Ä-2026.jar")
	f.Fuzz(func(t *testing.T, file string) {
		name := NamePrefix(file) + "-x7k2p" // What the API server adds.
		if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
			t.Errorf("%q makes the name %q: %v", file, name, problems)
		}
	})
}

func TestOnDisk(t *testing.T) {
	tests := map[string]string{
		"a.py": "a.py", "/x/a.zip#env": "/x/a.zip", "file:///x/a": "/x/a", "file:/x/a#b": "/x/a", "file://x": "/x",
		"local:///x": "", "local:/x": "", "s3a://b/k": "", "hdfs:///x": "", "https://h/x?y=1#z": "", "spark-internal": "", "": "", "file:": "",
		"C:/x": "C:/x",
	}
	for name, want := range tests {
		got, ok := OnDisk(name)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q and %v, want %q", name, got, ok, want)
		}
	}
}

func TestRequirementsCheck(t *testing.T) {
	tests := map[string]struct {
		requirements Requirements
		language     v1beta2.SparkApplicationType
		want         string
	}{
		"None":         {Requirements{Python: "nonsense"}, v1beta2.SparkApplicationTypeJava, ""},
		"Fine":         {Requirements{"r.txt", "3.11", "arm64"}, v1beta2.SparkApplicationTypePython, ""},
		"Java":         {Requirements{"r.txt", "3.11", "amd64"}, v1beta2.SparkApplicationTypeJava, `--requirements: "r.txt" are packages of Python`},
		"Version":      {Requirements{"r.txt", "3.11.2", "amd64"}, v1beta2.SparkApplicationTypePython, `--python-version: "3.11.2" is not`},
		"Architecture": {Requirements{"r.txt", "3.11", "x86"}, v1beta2.SparkApplicationTypePython, `--architecture: "x86" is not`},
	}
	for name, tt := range tests {
		err := tt.requirements.Check(tt.language)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tt.want)
		}
	}
}
