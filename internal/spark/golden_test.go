package spark

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

var update = flag.Bool("update", false, "write the golden files anew instead of comparing with them")

// testRun is the run that all golden plans are of.
func testRun() Run {
	return Run{Number: 3, SubmittedAt: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
}

func testPlatform() Platform {
	return Platform{
		Image:             "registry.example:5000/spark:{{SPARK_VERSION}}",
		SparkConf:         map[string]string{"spark.hadoop.fs.s3a.endpoint": "https://store.example:9000"},
		ObjectStoreSecret: "brazier-object-store",
	}
}

// defaults is a platform that has a default for everything, in a cluster behind a proxy.
func defaults(t *testing.T) Platform {
	t.Helper()
	platform := testPlatform()
	platform.TrustBundle = readFile(t, "testdata/ca.crt")
	platform.UIService = new(false)
	platform.Proxy = Proxy{HTTP: "http://proxy.example:3128", HTTPS: "http://proxy.example:3129", NoProxy: "10.96.0.0/15,.corp.example"}
	platform.PipIndexURL = "https://pip.example/simple"
	platform.IvySettings = `<ivysettings><settings defaultResolver="corp"/></ivysettings>`
	platform.APIServer = "https://10.96.0.1"
	return platform
}

// TestGolden plans each testdata/*.in.yaml and compares every object, in order, with the *.out.yaml beside it. Each
// input starts with a comment that says what it is there for.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(input), ".in.yaml"), func(t *testing.T) {
			platform := testPlatform()
			if strings.Contains(input, "trust") {
				platform.TrustBundle = readFile(t, "testdata/ca.crt")
			}
			if strings.Contains(input, "ingress") {
				platform.Ingress = Ingress{
					URLFormat: "https://spark.example/{{$appNamespace}}/{{$appName}}", Class: "outside", Annotations: map[string]string{"example.com/auth": "none"},
				}
			}
			if strings.Contains(input, "defaults") {
				platform = defaults(t)
			}
			run := testRun()
			if strings.Contains(input, "queue") {
				run.Queue = testQueue()
			}
			plan, err := New(readApplication(t, input), run, platform)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.Replace(input, ".in.", ".out.", 1), render(t, plan))
		})
	}
}

// golden compares got with the file at path, or writes it there.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, path)), string(got)); diff != "" {
		t.Errorf("the plan has changed; look at it, and if it should have, run go test -update\n-want +got:\n%s", diff)
	}
}

func readApplication(t *testing.T, path string) *v1beta2.SparkApplication {
	t.Helper()
	app := &v1beta2.SparkApplication{}
	if err := yaml.UnmarshalStrict(readFile(t, path), app); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return app
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// render writes a plan as one YAML stream, with its warnings as comments.
func render(t *testing.T, plan *Plan) []byte {
	t.Helper()
	return renderObjects(t, plan.Warnings, plan.Objects())
}

func renderObjects(t *testing.T, warnings []string, objects []Object) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, warning := range warnings {
		out.WriteString("# warning: " + warning + "\n")
	}
	for _, object := range objects {
		text, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes()
}
