//go:build e2e

package e2e

import (
	"cmp"
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// answer is what brazier why says in JSON.
type answer struct {
	State  v1beta2.ApplicationStateType `json:"state"`
	Causes []brazierv1alpha1.Cause      `json:"causes"`
}

func why(t *testing.T, namespace, name string) (answer, string) {
	t.Helper()
	out := brazier(t, "why", "--namespace", namespace, name, "-o", "json")
	var said answer
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("brazier why: %v\n%s", err, out)
	}
	return said, out
}

// wantNoBlame wants nothing to be said against an application that has ended well: not to those who ask, not in its
// condition, and not in what is kept of its runs.
func wantNoBlame(t *testing.T, app *v1beta2.SparkApplication) {
	t.Helper()
	if said, out := why(t, cmp.Or(app.Namespace, "default"), app.Name); len(said.Causes) > 0 {
		t.Errorf("%s has ended well, and is blamed:\n%s", app.Name, out)
	}
	if diagnosed := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionDiagnosed); diagnosed != nil {
		t.Errorf("%s has ended well, and its condition says %+v", app.Name, diagnosed)
	}
}
