package executors

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// observed takes down what an observer is told.
type observed []string

func (*observed) Telling(*corev1.Pod) bool { return true }

func (o *observed) Observe(owner types.NamespacedName, pod *corev1.Pod, gone bool) {
	said := owner.Name + " " + pod.Name + " " + pod.Status.Reason
	if gone {
		said += " gone"
	}
	*o = append(*o, said)
}

// TestObserver is about the whole pod being seen once each time that something is told of it, the first list and the last
// state included.
func TestObserver(t *testing.T) {
	pod := func(name, reason string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{v1beta2.LabelAppName: "pi"}},
			Status:     corev1.PodStatus{Reason: reason},
		}
	}
	var seen observed
	s := newStore(v1beta2.LabelAppName, nil, func(types.NamespacedName) {}, &seen)

	first, err := s.Transformer()(pod("pi-exec-1", "Listed"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		s.Replace([]any{first}, ""), s.Add(pod("pi-exec-2", "New")), s.Update(pod("pi-exec-2", "Evicted")), s.Delete(pod("pi-exec-2", "Last")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := observed{"pi pi-exec-1 Listed", "pi pi-exec-2 New", "pi pi-exec-2 Evicted", "pi pi-exec-2 Last gone"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
