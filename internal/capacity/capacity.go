// Package capacity follows what nodes have and what pods take of it. Of a node it keeps labels, taints and what it can
// allocate, of a pod a few bytes: a large cluster has many, and the memory of who looks at them is small. It looks at
// nothing before it is asked to. Which nodes are whose, and what follows from what is free, is the caller's business.
package capacity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Amounts are amounts of resources: CPU in thousandths, everything else in its own unit.
type Amounts map[corev1.ResourceName]int64

// AmountsOf returns the amounts of a list. What is less than a unit counts as one.
func AmountsOf(list corev1.ResourceList) Amounts {
	amounts := make(Amounts, len(list))
	for name, quantity := range list {
		if name == corev1.ResourceCPU {
			amounts[name] = quantity.MilliValue()
		} else {
			amounts[name] = quantity.Value()
		}
	}
	return amounts
}

// Node is a node with what pods take of it.
type Node struct {
	Name   string
	Labels map[string]string
	// Taints are those that keep pods away: of a node that is cordoned or does not answer there is one too.
	Taints []corev1.Taint
	// Allocatable is what pods may request of it together.
	Allocatable Amounts
	// Queued is what pods request that are in a queue, Others what those do that are in none.
	Queued, Others Amounts
}

// Watch follows nodes and pods from the moment that somebody asks for them.
type Watch struct {
	nodes *nodes
	pods  *pods
	// wanted is closed when somebody has asked, and filled when all that there was then is known.
	wanted, filled chan struct{}
	ask            sync.Once
	core           kubernetes.Interface

	lock sync.Mutex
	told []func()
}

// Add makes a watch that runs with mgr, in the replica that leads.
func Add(mgr ctrl.Manager) (*Watch, error) {
	config := rest.CopyConfig(mgr.GetConfig())
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = config.ContentType + ",application/json"
	client, err := kubernetes.NewForConfigAndClient(config, mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make a client of nodes: %w", err)
	}
	w := newWatch(client)
	return w, mgr.Add(w)
}

func newWatch(client kubernetes.Interface) *Watch {
	w := &Watch{core: client, wanted: make(chan struct{}), filled: make(chan struct{})}
	w.nodes, w.pods = newNodes(w.tell), newPods(w.tell)
	return w
}

// Start follows nodes and pods, once they are wanted, until ctx ends.
func (w *Watch) Start(ctx context.Context) error {
	select {
	case <-w.wanted:
	case <-ctx.Done():
		return nil
	}
	var group sync.WaitGroup
	follow := func(name string, source cache.ListerWatcher, kind any, store cache.ReflectorStore) {
		reflector := cache.NewReflectorWithOptions(source, kind, store, cache.ReflectorOptions{Name: name})
		group.Go(func() { reflector.RunWithContext(ctx) })
	}
	follow("nodes", nodeSource(w.core), new(corev1.Node), w.nodes)
	follow("pods on nodes", podSource(w.core), new(corev1.Pod), w.pods)
	for _, filled := range []<-chan struct{}{w.nodes.filled, w.pods.filled} {
		select {
		case <-filled:
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil {
		close(w.filled)
		w.tell()
	}
	group.Wait()
	return nil
}

// Nodes returns the nodes, sorted by name; false until they are known. It has them followed from then on.
func (w *Watch) Nodes() ([]Node, bool) {
	w.ask.Do(func() { close(w.wanted) })
	select {
	case <-w.filled:
	default:
		return nil, false
	}
	found := w.nodes.all()
	for i := range found {
		found[i].Queued, found[i].Others = w.pods.on(found[i].Name)
	}
	slices.SortFunc(found, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return found, true
}

// Notify has told called when what there is has changed. It must not block.
func (w *Watch) Notify(told func()) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.told = append(w.told, told)
}

func (w *Watch) tell() {
	w.lock.Lock()
	told := slices.Clone(w.told)
	w.lock.Unlock()
	for _, tell := range told {
		tell()
	}
}

// queued reports whether a pod is in a queue.
func queued(pod *corev1.Pod) bool { return pod.Labels[v1alpha1.LabelQueue] != "" }
