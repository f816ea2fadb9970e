package executors

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// executor returns a pod of an executor of owner.
func executor(owner, name string, phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: map[string]string{v1beta2.LabelAppName: owner}},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

func deleting(pod *corev1.Pod) *corev1.Pod {
	pod.DeletionTimestamp = new(metav1.Now())
	return pod
}

func TestStore(t *testing.T) {
	first := []any{executor("pi", "pi-2", corev1.PodRunning), executor("pi", "pi-1", corev1.PodRunning), executor("rho", "rho-1", corev1.PodPending)}
	tests := map[string]struct {
		reason string
		do     func(*store) error
		want   map[string][]Executor
		told   []string
	}{
		"First": {
			reason: "Executors are sorted, and nobody is told of what was there before anything was known.",
			do:     func(*store) error { return nil },
			want:   map[string][]Executor{"pi": {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-2", State: "RUNNING"}}, "rho": {{Name: "rho-1", State: "PENDING"}}},
		},
		"Comes": {
			reason: "One that comes is put where it belongs.",
			do:     func(s *store) error { return s.Add(executor("pi", "pi-10", corev1.PodPending)) },
			want: map[string][]Executor{
				"pi":  {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-10", State: "PENDING"}, {Name: "pi-2", State: "RUNNING"}},
				"rho": {{Name: "rho-1", State: "PENDING"}},
			},
			told: []string{"pi"},
		},
		"Changes": {
			reason: "One that fails after it was told to go has not failed.",
			do:     func(s *store) error { return s.Update(deleting(executor("rho", "rho-1", corev1.PodFailed))) },
			want: map[string][]Executor{
				"pi":  {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-2", State: "RUNNING"}},
				"rho": {{Name: "rho-1", State: "COMPLETED", Deleting: true}},
			},
			told: []string{"rho"},
		},
		"ChangesNothingThatMatters": {
			reason: "Pods change often for reasons that nobody asks for.",
			do:     func(s *store) error { return s.Update(executor("pi", "pi-1", corev1.PodRunning)) },
			want:   map[string][]Executor{"pi": {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-2", State: "RUNNING"}}, "rho": {{Name: "rho-1", State: "PENDING"}}},
		},
		"Goes": {
			reason: "The last one of an owner leaves nothing.",
			do:     func(s *store) error { return s.Delete(executor("rho", "rho-1", corev1.PodFailed)) },
			want:   map[string][]Executor{"pi": {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-2", State: "RUNNING"}}},
			told:   []string{"rho"},
		},
		"ChangesItsOwner": {
			reason: "A label can be edited; an executor is never counted twice.",
			do:     func(s *store) error { return s.Update(executor("rho", "pi-2", corev1.PodRunning)) },
			want: map[string][]Executor{
				"pi":  {{Name: "pi-1", State: "RUNNING"}},
				"rho": {{Name: "pi-2", State: "RUNNING"}, {Name: "rho-1", State: "PENDING"}},
			},
			told: []string{"pi", "rho"},
		},
		"ListedAgain": {
			reason: "What was missed while nobody watched is told of, and nothing else.",
			do: func(s *store) error {
				return s.Replace([]any{executor("pi", "pi-1", corev1.PodRunning), executor("pi", "pi-2", corev1.PodRunning), executor("tau", "tau-1", corev1.PodRunning)}, "2")
			},
			want: map[string][]Executor{"pi": {{Name: "pi-1", State: "RUNNING"}, {Name: "pi-2", State: "RUNNING"}}, "tau": {{Name: "tau-1", State: "RUNNING"}}},
			told: []string{"rho", "tau"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var told []string
			s := newStore(v1beta2.LabelAppName, nil, func(owner types.NamespacedName) { told = append(told, owner.Name) }, nil)
			if err := s.Replace(first, "1"); err != nil {
				t.Fatal(err)
			}
			<-s.filled
			if err := tt.do(s); err != nil {
				t.Fatal(err)
			}
			got := make(map[string][]Executor)
			for owner := range s.owners {
				got[owner.Name] = s.of(owner)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.told, told); diff != "" {
				t.Errorf("%s\ntold -want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestStoreRefuses(t *testing.T) {
	s := newStore(v1beta2.LabelAppName, nil, func(types.NamespacedName) {}, nil)
	for name, do := range map[string]func(any) error{
		"Add": s.Add, "Update": s.Update, "Delete": s.Delete,
		"Replace": func(object any) error { return s.Replace([]any{object}, "1") },
	} {
		if do(&corev1.Node{}) == nil {
			t.Errorf("%s takes a node for an executor", name)
		}
	}
}

// mostBytes is what an executor may take: its name of 48 bytes, 64 bytes beside it, and its share of its owner's entry.
const mostBytes = 200

// TestExecutorsAreSmall weighs what is kept of 50,000 pods.
func TestExecutorsAreSmall(t *testing.T) {
	const owners, each = 10_000, 5
	for name, pod := range map[string]func(owner, name string) *corev1.Pod{
		"Plain":  func(owner, name string) *corev1.Pod { return executor(owner, name, corev1.PodRunning) },
		"Queued": func(owner, name string) *corev1.Pod { return queued(owner, name, letGo) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(v1beta2.LabelAppName, nil, func(types.NamespacedName) {}, nil)
			before := heap()
			for i := range owners {
				for j := range each {
					owner := fmt.Sprintf("orders-enrich-scheduled-2026-11-24-%05d", i)
					if err := s.Add(pod(owner, fmt.Sprintf("%s-exec-%d", owner, j))); err != nil {
						t.Fatal(err)
					}
				}
			}
			bytes := (heap() - before) / (owners * each)
			t.Logf("%d bytes for each executor", bytes)
			if bytes > mostBytes {
				t.Errorf("%d bytes for each executor, want at most %d", bytes, mostBytes)
			}
			runtime.KeepAlive(s)
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
