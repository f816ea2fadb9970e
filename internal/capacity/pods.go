package capacity

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	podresource "k8s.io/component-helpers/resource"
)

// pods is what a reflector of pods fills. Of each pod it keeps where it is and how large; pods of one size share that.
type pods struct {
	tell   func()
	filled chan struct{}
	first  sync.Once

	lock  sync.RWMutex
	known map[podKey]pod
	nodes map[string]*use
}

var _ cache.TransformingStore = (*pods)(nil)

// podKey is a digest of a pod's namespace and name, which are longer.
type podKey [16]byte

// pod is what is kept of a pod.
type pod struct {
	node   unique.Handle[string]
	size   unique.Handle[size]
	queued bool
}

// size is what a pod requests. Few request more than CPU and memory; the rest is in the form of name=amount, each followed
// by a comma, sorted.
type size struct {
	cpu, memory int64
	rest        string
}

// use is what pods request of a node.
type use struct{ queued, others Amounts }

func newPods(tell func()) *pods {
	return &pods{tell: tell, filled: make(chan struct{}), known: make(map[podKey]pod), nodes: make(map[string]*use)}
}

// foundPod is a pod on its way into the store.
type foundPod struct {
	namespace, name string
	pod             pod
}

// GetObjectMeta has reflectors find the key of a pod.
func (f *foundPod) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: f.namespace, Name: f.name}
}

func (f *foundPod) key() podKey {
	sum := sha256.Sum256([]byte(f.namespace + "/" + f.name))
	return podKey(sum[:len(podKey{})])
}

// Transformer has the reflector gather the first list in the form of the store, rather than as pods.
func (s *pods) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return findPod(object) }
}

func findPod(object any) (*foundPod, error) {
	switch object := object.(type) {
	case *foundPod:
		return object, nil
	case *corev1.Pod:
		requests := podresource.PodRequests(object, podresource.PodResourcesOptions{})
		return &foundPod{namespace: object.Namespace, name: object.Name, pod: pod{
			node: unique.Make(object.Spec.NodeName), size: unique.Make(sizeOf(AmountsOf(requests))), queued: queued(object),
		}}, nil
	}
	return nil, fmt.Errorf("%T is no pod", object)
}

func sizeOf(amounts Amounts) size {
	s := size{cpu: amounts[corev1.ResourceCPU], memory: amounts[corev1.ResourceMemory]}
	var rest strings.Builder
	for _, name := range slices.Sorted(maps.Keys(amounts)) {
		if name != corev1.ResourceCPU && name != corev1.ResourceMemory && amounts[name] != 0 {
			rest.WriteString(string(name) + "=" + strconv.FormatInt(amounts[name], 10) + ",")
		}
	}
	s.rest = rest.String()
	return s
}

// addTo adds the size n times to amounts. What comes to nothing is left out.
func (s size) addTo(amounts Amounts, n int64) {
	add := func(name corev1.ResourceName, amount int64) {
		if amounts[name] += n * amount; amounts[name] == 0 {
			delete(amounts, name)
		}
	}
	add(corev1.ResourceCPU, s.cpu)
	add(corev1.ResourceMemory, s.memory)
	for entry := range strings.SplitSeq(s.rest, ",") {
		name, text, ok := strings.Cut(entry, "=")
		amount, err := strconv.ParseInt(text, 10, 64)
		if ok && err == nil { // it was written by sizeOf
			add(corev1.ResourceName(name), amount)
		}
	}
}

// count adds a pod n times to what its node's pods request.
func (s *pods) count(p pod, n int64) {
	name := p.node.Value()
	u := s.nodes[name]
	if u == nil {
		u = &use{queued: Amounts{}, others: Amounts{}}
		s.nodes[name] = u
	}
	amounts := u.others
	if p.queued {
		amounts = u.queued
	}
	p.size.Value().addTo(amounts, n)
	if len(u.queued) == 0 && len(u.others) == 0 {
		delete(s.nodes, name)
	}
}

// Add implements cache.Store.
func (s *pods) Add(object any) error {
	found, err := findPod(object)
	if err != nil {
		return err
	}
	s.lock.Lock()
	before, known := s.known[found.key()]
	changed := !known || before != found.pod
	if known && changed {
		s.count(before, -1)
	}
	if changed {
		s.known[found.key()] = found.pod
		s.count(found.pod, 1)
	}
	s.lock.Unlock()
	if changed {
		s.tell()
	}
	return nil
}

// Update implements cache.Store.
func (s *pods) Update(object any) error { return s.Add(object) }

// Delete implements cache.Store.
func (s *pods) Delete(object any) error {
	found, err := findPod(object)
	if err != nil {
		return err
	}
	s.lock.Lock()
	before, known := s.known[found.key()]
	if known {
		delete(s.known, found.key())
		s.count(before, -1)
	}
	s.lock.Unlock()
	if known {
		s.tell()
	}
	return nil
}

// Replace implements cache.Store.
func (s *pods) Replace(objects []any, _ string) error {
	fresh := newPods(nil)
	for _, object := range objects {
		found, err := findPod(object)
		if err != nil {
			return err
		}
		fresh.known[found.key()] = found.pod
		fresh.count(found.pod, 1)
	}
	s.lock.Lock()
	s.known, s.nodes = fresh.known, fresh.nodes
	s.lock.Unlock()
	s.first.Do(func() { close(s.filled) })
	s.tell()
	return nil
}

// Resync implements cache.Store. There is nothing that could be told again.
func (*pods) Resync() error { return nil }

// on returns what pods request of a node that are in a queue, and that are in none.
func (s *pods) on(node string) (inQueue, others Amounts) {
	s.lock.RLock()
	defer s.lock.RUnlock()
	u := s.nodes[node]
	if u == nil {
		return Amounts{}, Amounts{}
	}
	return maps.Clone(u.queued), maps.Clone(u.others)
}
