package evidence

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
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

// TestWait tells for how long a run waited in its queue.
func TestWait(t *testing.T) {
	app := new(v1beta2.SparkApplication)
	if got := wait(app); got != nil {
		t.Errorf("an application that is in no queue waits for none, got %+v", got)
	}
	app.Status.Queue = &v1beta2.QueuePlace{Name: "etl", Since: ago(60)}
	want := v1alpha1.Hold{By: "queue", Object: "Queue/etl", Message: "it has to be let in", Since: ago(60)}
	if diff := cmp.Diff([]v1alpha1.Hold{want}, wait(app)); diff != "" {
		t.Errorf("it waits still\n-want +got:\n%s", diff)
	}
	app.Status.Queue.Admitted = &v1beta2.QueueAdmission{At: ago(20)}
	want.Until = new(ago(20))
	if diff := cmp.Diff([]v1alpha1.Hold{want}, wait(app)); diff != "" {
		t.Errorf("it was let in\n-want +got:\n%s", diff)
	}
}
