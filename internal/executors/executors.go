// Package executors follows the pods of Spark's executors and remembers of each no more than its name and its state, and
// what its queue wants to know: a large cluster has many, and the memory of who looks at them is small. A cache of pods,
// even of stripped ones, takes twenty times as much. Whose an executor is, one of its labels says; what is made of it is the controllers' business.
package executors

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"

	"brazier.sh/brazier/api/v1beta2"
)

// Executor is what is remembered of an executor's pod.
type Executor struct {
	Name string
	// Run is the run that it belongs to; 0 for those that another operator's run, or no run, has made.
	Run   int64
	State v1beta2.ExecutorState
	// Deleting is a pod that was told to go.
	Deleting bool
	// Gated is a pod that waits for its queue to let it go, OnNode one that has a node.
	Gated, OnNode bool
	// Created is when the pod of an executor in a queue was made, in seconds since 1970. Spark makes several in one.
	Created int64
	// Queued is nil for executors that are in no queue.
	Queued *Queued
}

// Observer is told of each executor's pod as a whole, before it is made small.
type Observer interface {
	// Telling reports whether there is something to learn from the whole of pod. Where the API server gives first lists in
	// pages, all others are observed without their status.
	Telling(pod *corev1.Pod) bool
	// Observe sees pod, of owner, as it is now or was when it was gone. It must not block, change pod or keep it.
	Observe(owner types.NamespacedName, pod *corev1.Pod, gone bool)
}

// Watch follows executors and knows them by their owner.
type Watch struct {
	stores []*store
	// synced is closed when every executor that there was at the start is known.
	synced chan struct{}

	lock sync.Mutex
	told []func(owner types.NamespacedName)
}

// Add starts with mgr a watch of the executors that have label, whose value is the name of their owner in the namespace
// of the pod. It looks at namespaces, or at all if there are none. Several watches of different labels hold nothing
// twice. The observer, which may be nil, sees every pod.
func Add(mgr ctrl.Manager, label string, namespaces []string, observer Observer) (*Watch, error) {
	config := rest.CopyConfig(mgr.GetConfig())
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = config.ContentType + ",application/json"
	client, err := corev1client.NewForConfigAndClient(config, mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make a client of executors: %w", err)
	}
	if len(namespaces) == 0 {
		namespaces = []string{corev1.NamespaceAll}
	}
	w := &Watch{synced: make(chan struct{})}
	for _, namespace := range namespaces {
		w.stores = append(w.stores, newStore(label, source(client.Pods(namespace), label, observer), w.tell, observer))
	}
	return w, mgr.Add(w)
}

// NeedLeaderElection has a replica that only stands by know the executors, so that it can take over at once.
func (*Watch) NeedLeaderElection() bool { return false }

// Start follows executors until ctx ends.
func (w *Watch) Start(ctx context.Context) error {
	var group sync.WaitGroup
	for _, s := range w.stores {
		reflector := cache.NewReflectorWithOptions(s.source, new(corev1.Pod), s, cache.ReflectorOptions{Name: "executors"})
		group.Go(func() { reflector.RunWithContext(ctx) })
	}
	for _, s := range w.stores {
		select {
		case <-s.filled:
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil {
		close(w.synced)
	}
	group.Wait()
	return nil
}

// WaitForSync returns when every executor that there was at the start is known, or reports that ctx has ended before.
func (w *Watch) WaitForSync(ctx context.Context) error {
	select {
	case <-w.synced:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait until the executors are known: %w", context.Cause(ctx))
	}
}

// Notify has told called with the owner of each executor that comes, changes or goes from then on. It must not block.
func (w *Watch) Notify(told func(owner types.NamespacedName)) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.told = append(w.told, told)
}

func (w *Watch) tell(owner types.NamespacedName) {
	w.lock.Lock()
	told := slices.Clone(w.told)
	w.lock.Unlock()
	for _, tell := range told {
		tell(owner)
	}
}

// Of returns the executors of owner, sorted by name.
func (w *Watch) Of(owner types.NamespacedName) []Executor {
	for _, s := range w.stores {
		if found := s.of(owner); len(found) > 0 {
			return found
		}
	}
	return nil
}

// observe returns what is remembered of pod, which shares with others what is alike.
func observe(pod *corev1.Pod, alike *interned) Executor {
	executor := Executor{Name: pod.Name, State: v1beta2.ExecutorStateUnknown, Deleting: !pod.DeletionTimestamp.IsZero()}
	executor.Run, _ = strconv.ParseInt(pod.Labels[v1beta2.LabelRun], 10, 64)
	switch pod.Status.Phase {
	case corev1.PodPending:
		executor.State = v1beta2.ExecutorStatePending
	case corev1.PodRunning:
		executor.State = v1beta2.ExecutorStateRunning
	case corev1.PodSucceeded:
		executor.State = v1beta2.ExecutorStateCompleted
	case corev1.PodFailed:
		executor.State = v1beta2.ExecutorStateFailed
		if executor.Deleting {
			// Told to go, it ends by a signal: nothing has gone wrong.
			executor.State = v1beta2.ExecutorStateCompleted
		}
	}
	executor.Gated, executor.OnNode = gated(pod), pod.Spec.NodeName != ""
	if inQueue(pod) {
		executor.Created = pod.CreationTimestamp.Unix()
		executor.Queued = alike.intern(Queued{
			Profile: pod.Labels[v1beta2.LabelSparkProfileID], Size: podRequests(pod), NodeSelector: pod.Spec.NodeSelector,
		})
	}
	return executor
}
