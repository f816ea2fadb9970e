package executors

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// store is what a reflector fills.
type store struct {
	label  string
	source cache.ListerWatcher
	tell   func(owner types.NamespacedName)
	// observer sees pods before they are made small; it may be nil.
	observer Observer
	// filled is closed when the first list is in the store.
	filled chan struct{}
	first  sync.Once
	alike  interned

	lock sync.RWMutex
	// owners has the executors of each owner, sorted by name.
	owners map[types.NamespacedName][]Executor
}

var _ cache.TransformingStore = (*store)(nil)

func newStore(label string, source cache.ListerWatcher, tell func(types.NamespacedName), observer Observer) *store {
	return &store{
		label: label, source: source, tell: tell, observer: observer, filled: make(chan struct{}),
		owners: make(map[types.NamespacedName][]Executor),
	}
}

// found is an executor on its way into the store.
type found struct {
	executor Executor
	owner    types.NamespacedName
}

// GetObjectMeta has reflectors find the key of an executor.
func (f *found) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: f.owner.Namespace, Name: f.executor.Name}
}

// Transformer has the reflector gather the first list in the form of the store, rather than as pods.
func (s *store) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return s.find(object, false) }
}

func (s *store) find(object any, gone bool) (*found, error) {
	switch object := object.(type) {
	case *found:
		return object, nil
	case *corev1.Pod:
		owner := types.NamespacedName{Namespace: object.Namespace, Name: object.Labels[s.label]}
		if s.observer != nil {
			s.observer.Observe(owner, object, gone)
		}
		return &found{executor: observe(object, &s.alike), owner: owner}, nil
	}
	return nil, fmt.Errorf("%T is no pod", object)
}

// Add implements cache.Store.
func (s *store) Add(object any) error {
	found, err := s.find(object, false)
	if err != nil {
		return err
	}
	if changed, _ := s.put(found); changed {
		s.tell(found.owner)
	}
	return nil
}

// Update implements cache.Store.
func (s *store) Update(object any) error {
	found, err := s.find(object, false)
	if err != nil {
		return err
	}
	changed, known := s.put(found)
	if !known {
		// That it was known, but as another's, is the only way in which one that is not can change.
		s.moved(found)
	}
	if changed {
		s.tell(found.owner)
	}
	return nil
}

// put takes an executor down, and reports whether anything has changed and whether it was known.
func (s *store) put(f *found) (changed, known bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	executors := s.owners[f.owner]
	i, known := slices.BinarySearchFunc(executors, f.executor.Name, byName)
	if known {
		changed = executors[i] != f.executor
		executors[i] = f.executor
		return changed, true
	}
	s.owners[f.owner] = slices.Insert(executors, i, f.executor)
	return true, false
}

// moved removes an executor from whoever else had it: its label was edited.
func (s *store) moved(f *found) {
	s.lock.RLock()
	var others []types.NamespacedName
	for owner, executors := range s.owners {
		if owner == f.owner || owner.Namespace != f.owner.Namespace {
			continue
		}
		if _, has := slices.BinarySearchFunc(executors, f.executor.Name, byName); has {
			others = append(others, owner)
		}
	}
	s.lock.RUnlock()
	for _, owner := range others {
		s.remove(owner, f.executor.Name)
		s.tell(owner)
	}
}

// Delete implements cache.Store.
func (s *store) Delete(object any) error {
	found, err := s.find(object, true)
	if err != nil {
		return err
	}
	if s.remove(found.owner, found.executor.Name) {
		s.tell(found.owner)
	}
	return nil
}

func (s *store) remove(owner types.NamespacedName, name string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	executors := s.owners[owner]
	i, known := slices.BinarySearchFunc(executors, name, byName)
	if !known {
		return false
	}
	if len(executors) == 1 {
		delete(s.owners, owner)
	} else {
		s.owners[owner] = slices.Delete(executors, i, i+1)
	}
	return true
}

// Replace implements cache.Store. Whoever has other executors than before is told of it, but not of the first list:
// nothing was known before it.
func (s *store) Replace(objects []any, _ string) error {
	owners := make(map[types.NamespacedName][]Executor)
	for _, object := range objects {
		found, err := s.find(object, false)
		if err != nil {
			return err
		}
		owners[found.owner] = append(owners[found.owner], found.executor)
	}
	for owner, executors := range owners {
		slices.SortFunc(executors, func(a, b Executor) int { return strings.Compare(a.Name, b.Name) })
		owners[owner] = slices.Clip(executors)
	}
	s.lock.Lock()
	before := s.owners
	s.owners = owners
	s.lock.Unlock()

	first := false
	s.first.Do(func() { first = true })
	if first {
		close(s.filled)
		return nil
	}
	for owner := range before {
		if _, has := owners[owner]; !has {
			s.tell(owner)
		}
	}
	for owner, executors := range owners {
		if !slices.Equal(before[owner], executors) {
			s.tell(owner)
		}
	}
	return nil
}

// Resync implements cache.Store. There is nothing that could be told again.
func (*store) Resync() error { return nil }

func (s *store) of(owner types.NamespacedName) []Executor {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return slices.Clone(s.owners[owner])
}

func byName(e Executor, name string) int { return strings.Compare(e.Name, name) }
