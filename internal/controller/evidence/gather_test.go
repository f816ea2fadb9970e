package evidence

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// TestHolds has a gate be lifted: the hold is over then, and stays known.
func TestHolds(t *testing.T) {
	pod := v1alpha1.Pod{Name: "pi-driver", Created: ago(0), Gates: []string{"kueue.x-k8s.io/admission"}}
	held := holds([]v1alpha1.Pod{pod})
	want := []v1alpha1.Hold{{By: "scheduling gate", Object: "Pod/pi-driver", Message: "kueue.x-k8s.io/admission", Since: ago(0)}}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	over(held, held, noon())
	if held[0].Until != nil {
		t.Error("a hold that lasts is over")
	}
	over(held, nil, noon())
	if held[0].Until == nil {
		t.Error("a hold goes on that nothing says any more")
	}
}
