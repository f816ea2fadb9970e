package executors

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	corev1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
)

// Queued is what the queue of an executor has to know of its pod. Executors that are alike share one, so that nothing of it
// may be changed, and two that differ in it have different pointers.
type Queued struct {
	// Profile is the ID of the executor's resource profile; Spark's own is 0.
	Profile string
	// Size is what the pod requests.
	Size corev1.ResourceList
	// NodeSelector are the labels of the nodes that the pod may be on. From the gate on they have those of the flavour that
	// its queue let it go to.
	NodeSelector map[string]string
}

func inQueue(pod *corev1.Pod) bool { return pod.Labels[brazierv1alpha1.LabelQueue] != "" }

func gated(pod *corev1.Pod) bool {
	return slices.Contains(pod.Spec.SchedulingGates, corev1.PodSchedulingGate{Name: brazierv1alpha1.SchedulingGate})
}

// podRequests are what pod requests, of whom the API server has filled in what is only limited.
func podRequests(pod *corev1.Pod) corev1.ResourceList {
	return podresource.PodRequests(pod, podresource.PodResourcesOptions{})
}

// interned keeps one Queued of each kind, for as long as an executor has it.
type interned struct {
	lock  sync.Mutex
	known map[string]weak.Pointer[Queued]
}

// intern returns the one that is the same as q.
func (k *interned) intern(q Queued) *Queued {
	key := q.key()
	k.lock.Lock()
	defer k.lock.Unlock()
	if known := k.known[key].Value(); known != nil {
		return known
	}
	kept := &q
	if k.known == nil {
		k.known = make(map[string]weak.Pointer[Queued])
	}
	k.known[key] = weak.Make(kept)
	runtime.AddCleanup(kept, k.forget, key)
	return kept
}

// forget lets go of one that no executor has any more, unless there is another of its kind by now.
func (k *interned) forget(key string) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.known[key].Value() == nil {
		delete(k.known, key)
	}
}

// key is the same for all that are alike, and for no others.
func (q *Queued) key() string {
	var key strings.Builder
	fmt.Fprintf(&key, "%q", q.Profile)
	for _, name := range slices.Sorted(maps.Keys(q.Size)) {
		amount := q.Size[name]
		fmt.Fprintf(&key, " %q=%s", name, amount.String())
	}
	for _, label := range slices.Sorted(maps.Keys(q.NodeSelector)) {
		fmt.Fprintf(&key, " %q:%q", label, q.NodeSelector[label])
	}
	return key.String()
}
