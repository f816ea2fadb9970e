package executors

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func requesting(cpu, memory string) corev1.Container {
	return corev1.Container{Resources: corev1.ResourceRequirements{Requests: amounts(cpu, memory)}}
}

// queued returns a pod of an executor that waits at the gate of its queue, changed by change.
func queued(owner, name string, change func(*corev1.Pod)) *corev1.Pod {
	pod := executor(owner, name, corev1.PodPending)
	pod.CreationTimestamp = metav1.NewTime(noon)
	pod.Labels[brazierv1alpha1.LabelQueue], pod.Labels[v1beta2.LabelSparkProfileID], pod.Labels[v1beta2.LabelRun] = "etl", "0", "2"
	pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: brazierv1alpha1.SchedulingGate}}
	pod.Spec.Containers = []corev1.Container{requesting("2", "4Gi")}
	if change != nil {
		change(pod)
	}
	return pod
}

func letGo(pod *corev1.Pod) {
	pod.Spec.SchedulingGates = nil
	pod.Spec.NodeSelector = map[string]string{"pool": "spot"}
}

// TestQueued is about what is remembered of pods, whole and as pages of older API servers leave them.
func TestQueued(t *testing.T) {
	plain := Executor{Name: "pi-1", Run: 2, State: v1beta2.ExecutorStatePending}
	remembered := func(change func(*Executor)) Executor {
		e := plain
		e.Created, e.Gated, e.Queued = noon.Unix(), true, &Queued{Profile: "0", Size: amounts("2", "4Gi")}
		change(&e)
		return e
	}
	tests := map[string]struct {
		reason string
		pod    *corev1.Pod
		want   Executor
	}{
		"Gated": {reason: "One that waits.", pod: queued("pi", "pi-1", nil), want: remembered(func(*Executor) {})},
		"LetGo": {
			reason: "Its flavour is told by the labels that were added as it was let go.", pod: queued("pi", "pi-1", letGo),
			want: remembered(func(e *Executor) { e.Gated, e.Queued.NodeSelector = false, map[string]string{"pool": "spot"} }),
		},
		"OtherGate": {
			reason: "A gate of somebody else's is not ours to lift.",
			pod: queued("pi", "pi-1", func(pod *corev1.Pod) {
				pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/licence"}}
			}),
			want: remembered(func(e *Executor) { e.Gated = false }),
		},
		"BetweenGates": {
			reason: "Ours is one wherever it stands.",
			pod: queued("pi", "pi-1", func(pod *corev1.Pod) {
				pod.Spec.SchedulingGates = append([]corev1.PodSchedulingGate{{Name: "example.com/licence"}}, pod.Spec.SchedulingGates...)
			}),
			want: remembered(func(*Executor) {}),
		},
		"Whole": {
			reason: "Sidecars, init containers and what a RuntimeClass adds are part of its size.",
			pod: queued("pi", "pi-1", func(pod *corev1.Pod) {
				pod.Spec.Containers = append(pod.Spec.Containers, requesting("500m", "1Gi"))
				pod.Spec.InitContainers = []corev1.Container{requesting("3", "1Gi")}
				pod.Spec.Overhead = amounts("250m", "128Mi")
			}),
			want: remembered(func(e *Executor) { e.Queued.Size = amounts("3250m", "5248Mi") }),
		},
		"OtherProfile": {
			reason: "Programs can ask for executors of other kinds.",
			pod:    queued("pi", "pi-1", func(pod *corev1.Pod) { pod.Labels[v1beta2.LabelSparkProfileID] = "3" }),
			want:   remembered(func(e *Executor) { e.Queued.Profile = "3" }),
		},
		"Leaves": {
			reason: "It is charged until it has ended.",
			pod: queued("pi", "pi-1", func(pod *corev1.Pod) {
				letGo(pod)
				deleting(pod)
				pod.Status.Phase = corev1.PodRunning
			}),
			want: remembered(func(e *Executor) {
				e.Gated, e.Deleting, e.State, e.Queued.NodeSelector = false, true, v1beta2.ExecutorStateRunning, map[string]string{"pool": "spot"}
			}),
		},
		"InNone": {
			reason: "Of one that is in no queue nobody asks.",
			pod: queued("pi", "pi-1", func(pod *corev1.Pod) {
				letGo(pod)
				delete(pod.Labels, brazierv1alpha1.LabelQueue)
			}),
			want: plain,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stripped := strip(tt.pod)
			for how, pod := range map[string]*corev1.Pod{"whole": tt.pod, "stripped": &stripped} {
				if diff := cmp.Diff(tt.want, observe(pod, new(interned))); diff != "" {
					t.Errorf("%s\n%s -want +got:\n%s", tt.reason, how, diff)
				}
			}
		})
	}
}

// TestStoreTellsOfQueues has whoever is told of executors be told of what their queue wants to know.
func TestStoreTellsOfQueues(t *testing.T) {
	told := 0
	s := newStore(v1beta2.LabelAppName, nil, func(types.NamespacedName) { told++ }, nil)
	owner := types.NamespacedName{Namespace: "shop", Name: "pi"}
	for _, step := range []struct {
		reason string
		pod    *corev1.Pod
		told   int
	}{
		{"It has come.", queued("pi", "pi-1", nil), 1},
		{"The same again is nothing new.", queued("pi", "pi-1", nil), 1},
		{"It was let go.", queued("pi", "pi-1", letGo), 2},
		{"It has become larger.", queued("pi", "pi-1", func(pod *corev1.Pod) {
			letGo(pod)
			pod.Spec.Containers[0] = requesting("2", "5Gi")
		}), 3},
	} {
		if err := s.Update(step.pod); err != nil {
			t.Fatal(err)
		}
		if told != step.told {
			t.Errorf("%s\ntold %d times, want %d", step.reason, told, step.told)
		}
		if diff := cmp.Diff([]Executor{observe(step.pod, new(interned))}, s.of(owner)); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", step.reason, diff)
		}
	}
}

// TestInterned is about what executors share: one of each kind, and none once no executor has it.
func TestInterned(t *testing.T) {
	var alike interned
	kinds := make(map[*Queued]int)
	for i := range 100 {
		pod := queued("pi", fmt.Sprintf("pi-%d", i), func(pod *corev1.Pod) {
			if i%2 == 0 {
				letGo(pod)
			}
			if i%5 == 0 {
				pod.Labels[v1beta2.LabelSparkProfileID] = "1"
			}
		})
		kinds[observe(pod, &alike).Queued]++
	}
	if got := alike.size(); got != 4 || len(kinds) != 4 {
		t.Errorf("%d kinds are known, and executors have %d; want 4", got, len(kinds))
	}
	runtime.KeepAlive(kinds)

	deadline := time.Now().Add(time.Minute)
	for alike.size() > 0 && time.Now().Before(deadline) {
		runtime.GC()
		runtime.Gosched()
	}
	if got := alike.size(); got != 0 {
		t.Errorf("%d kinds are still known of which there are no executors", got)
	}
}

func (k *interned) size() int {
	k.lock.Lock()
	defer k.lock.Unlock()
	return len(k.known)
}
