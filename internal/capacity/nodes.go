package capacity

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// nodes is what a reflector of nodes fills.
type nodes struct {
	tell   func()
	filled chan struct{}
	first  sync.Once

	lock   sync.RWMutex
	byName map[string]Node
}

var _ cache.TransformingStore = (*nodes)(nil)

func newNodes(tell func()) *nodes {
	return &nodes{tell: tell, filled: make(chan struct{}), byName: make(map[string]Node)}
}

// foundNode is a node on its way into the store.
type foundNode struct{ node Node }

// GetObjectMeta has reflectors find the key of a node.
func (f *foundNode) GetObjectMeta() metav1.Object { return &metav1.ObjectMeta{Name: f.node.Name} }

// Transformer has the reflector gather the first list in the form of the store.
func (s *nodes) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return findNode(object) }
}

func findNode(object any) (*foundNode, error) {
	switch object := object.(type) {
	case *foundNode:
		return object, nil
	case *corev1.Node:
		return &foundNode{Node{
			Name: object.Name, Labels: object.Labels, Taints: repelling(object), Allocatable: AmountsOf(object.Status.Allocatable),
		}}, nil
	}
	return nil, fmt.Errorf("%T is no node", object)
}

// repelling are the taints that keep pods off a node. That it is cordoned becomes one of them, a little later.
func repelling(node *corev1.Node) []corev1.Taint {
	var taints []corev1.Taint
	cordoned := node.Spec.Unschedulable
	for _, taint := range node.Spec.Taints {
		if taint.Effect == corev1.TaintEffectPreferNoSchedule {
			continue
		}
		taint.TimeAdded = nil
		taints = append(taints, taint)
		cordoned = cordoned && taint.Key != corev1.TaintNodeUnschedulable
	}
	if cordoned {
		taints = append(taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	return taints
}

func same(a, b Node) bool {
	return maps.Equal(a.Allocatable, b.Allocatable) && slices.Equal(a.Taints, b.Taints) && maps.Equal(a.Labels, b.Labels)
}

// Add implements cache.Store.
func (s *nodes) Add(object any) error {
	found, err := findNode(object)
	if err != nil {
		return err
	}
	s.lock.Lock()
	before, known := s.byName[found.node.Name]
	s.byName[found.node.Name] = found.node
	s.lock.Unlock()
	if !known || !same(before, found.node) {
		s.tell()
	}
	return nil
}

// Update implements cache.Store.
func (s *nodes) Update(object any) error { return s.Add(object) }

// Delete implements cache.Store.
func (s *nodes) Delete(object any) error {
	found, err := findNode(object)
	if err != nil {
		return err
	}
	s.lock.Lock()
	delete(s.byName, found.node.Name)
	s.lock.Unlock()
	s.tell()
	return nil
}

// Replace implements cache.Store.
func (s *nodes) Replace(objects []any, _ string) error {
	byName := make(map[string]Node, len(objects))
	for _, object := range objects {
		found, err := findNode(object)
		if err != nil {
			return err
		}
		byName[found.node.Name] = found.node
	}
	s.lock.Lock()
	s.byName = byName
	s.lock.Unlock()
	s.first.Do(func() { close(s.filled) })
	s.tell()
	return nil
}

// Resync implements cache.Store. There is nothing that could be told again.
func (*nodes) Resync() error { return nil }

func (s *nodes) all() []Node {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return slices.Collect(maps.Values(s.byName))
}
