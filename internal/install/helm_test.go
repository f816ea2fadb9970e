package install

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// helmProgram returns Helm's own program. The Makefile compiles it; without it, its tests are skipped.
func helmProgram(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/helm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Skip("bin/helm is not there; make bin/helm compiles it")
	}
	return path
}

// RunHelm runs Helm's own program, which has to succeed, and returns what it printed.
func RunHelm(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), helmProgram(t), args...)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		t.Fatalf("helm %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), said.String())
	}
	return out.String()
}

// TestHelmRendersTheSame compares what Helm makes of the chart's folder with what this package makes of the chart that it
// carries, whose definitions come by another way.
func TestHelmRendersTheSame(t *testing.T) {
	for name := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", "values", name+".yaml")
			text := RunHelm(t, "template", releaseName, "../../charts/brazier", "--namespace", DefaultNamespace, "--values", file)
			got := byName(t, text)
			want := make(map[string]*unstructured.Unstructured)
			for _, object := range objectsOf(t, readYAML(t, file)) {
				want[describe(object)] = withoutVersion(object)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-ours +helm's:\n%s", diff)
			}
		})
	}
}

func byName(t *testing.T, text string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]*unstructured.Unstructured)
	for _, object := range objects {
		found[describe(object)] = withoutVersion(object)
	}
	return found
}

// withoutVersion takes the label away that tells the chart's version from this program's.
func withoutVersion(object *unstructured.Unstructured) *unstructured.Unstructured {
	if labels := object.GetLabels(); labels != nil {
		delete(labels, "app.kubernetes.io/version")
		object.SetLabels(labels)
	}
	return object
}

func TestHelmLint(t *testing.T) {
	for name := range valueSets(t) {
		RunHelm(t, "lint", "--strict", "../../charts/brazier", "--values", filepath.Join("testdata", "values", name+".yaml"))
	}
}
