package diagnose

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// recorded are the first causes of testdata/recorded: what the operator kept of failures that test/e2e's TestCauses provoked
// on a real node with real Spark (BRAZIER_RECORDS=FOLDER writes them). Nothing of them was edited but that their causes,
// which are to be found here, were taken out. "overloaded" is of a run of theirs on a machine that was too busy.
var recorded = map[string]string{
	"broadcast":   "broadcast-timeout",
	"claim":       "volume-claim-unbound",
	"class":       "class-missing",
	"collect":     "result-too-large",
	"column":      "query-invalid",
	"configmap":   "config-missing",
	"container":   "executor-out-of-memory",
	"crash":       "python-worker-crash",
	"data":        "python-exception",
	"disk":        "scratch-disk-full",
	"driver":      "driver-out-of-memory",
	"evicted":     "disrupted",
	"format":      "command-cannot-run",
	"heap":        "executor-heap-out-of-memory",
	"image":       "image-pull",
	"limits":      "limit-range",
	"module":      "python-module-missing",
	"nowhere":     "unschedulable",
	"overloaded":  "api-server-unreachable",
	"quota":       "quota-exceeded",
	"refused":     "submission-refused",
	"rights":      "rbac-denied",
	"secret":      "config-missing",
	"shuffle":     "shuffle-lost",
	"silent":      "executor-silent",
	"skew":        "version-skew",
	"starved":     "unschedulable",
	"storage":     "storage-missing",
	"unreachable": "driver-unreachable",
	"webhook":     "admission-webhook",
}

// consequences are what follows from the first causes, where that has to be told too.
var consequences = map[string]string{"starved": "executors-starved", "unreachable": "executor-failures"}

// TestRecorded finds the causes in what was really seen.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			causes := Causes(caseOf(t, file))
			if len(causes) == 0 || causes[0].Code != recorded[name] {
				t.Fatalf("want %s first, got %+v", recorded[name], causes)
			}
			for _, code := range []string{"jvm-exception", "shuffle-lost"} {
				if i := indexOf(causes, code); i > 0 {
					t.Errorf("what is known is told again as %s: %+v", code, causes[i])
				}
			}
			if code := consequences[name]; code != "" {
				if i := indexOf(causes, code); i < 0 || causes[i].Follows != recorded[name] {
					t.Errorf("want %s in consequence, got %+v", code, causes)
				}
			}
		})
	}
	for name := range recorded {
		if !slices.Contains(names, name) {
			t.Errorf("there is no record of %s", name)
		}
	}
}

func caseOf(t *testing.T, file string) *Case {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var record v1alpha1.RunRecord
	if err := yaml.UnmarshalStrict(text, &record); err != nil {
		t.Fatal(err)
	}
	if len(record.Causes) > 0 {
		t.Fatalf("%s tells its causes; take them out", file)
	}
	app := &v1beta2.SparkApplication{}
	app.Status.AppState.State = v1beta2.ApplicationStateType(record.State)
	c := &Case{
		Namespace: record.Namespace, Name: record.Application.Name, Application: app, Evidence: record.Evidence,
		Ended: record.Ended != nil,
	}
	if c.Now, err = time.Parse(time.RFC3339, record.Annotations[v1alpha1.AnnotationWrittenAt]); err != nil {
		t.Fatal(err)
	}
	return c
}
