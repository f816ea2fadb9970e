// Package queuetree says what Queue objects mean to the engine that decides (internal/queue): objects in, a tree of queues
// out, with a list of what is wrong with them. It is pure, and the operator and `brazier simulate` share it. What is decided,
// and which applications are in which queue, is not known here.
//
// A problem leaves as much standing as there can be: an amount that cannot be read counts as not said, and a queue that is
// not below the root is left out of the tree with all its parts.
package queuetree

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/queue"
)

// What holds where a Queue does not say: the defaults of its API.
const (
	defaultGrace    = 2 * time.Minute
	defaultDeadZone = 10
	defaultCoolDown = 30 * time.Second
	defaultHalfLife = 24 * time.Hour
	defaultReclaim  = 10
)

// Tree is queues as the engine knows them.
type Tree struct {
	queue.Shape
	Queues []queue.Queue
	// Objects are the queues that are part of the tree, by name. There may be none for the root.
	Objects map[string]*v1alpha1.Queue
	// Kinds are the flavours in full, in the order of Shape.Flavours.
	Kinds []v1alpha1.Flavour
	// ReclaimPercent is how much of the cluster may be taken back at once.
	ReclaimPercent int64
	// HalfLife is how long it takes until half of what a user has used is forgotten.
	HalfLife time.Duration
	// Room says that applications need room on nodes, and Packing that executors are packed onto full ones.
	Room, Packing bool
}

// Convert makes a tree of objects, whatever their order, and lists what is wrong with them by queue. Resources are CPU,
// memory, those that the objects name, and others that the caller knows of.
func Convert(objects []v1alpha1.Queue, others ...corev1.ResourceName) (Tree, []Problem) {
	c := converter{byName: map[string]*v1alpha1.Queue{}}
	for i := range objects {
		c.byName[objects[i].Name] = &objects[i]
	}
	c.tree.Objects = map[string]*v1alpha1.Queue{}
	c.cluster(others)
	for _, name := range sortedKeys(c.byName) {
		if c.joined(name) {
			c.tree.Objects[name] = c.byName[name]
			c.tree.Queues = append(c.tree.Queues, c.queue(c.byName[name]))
		}
	}
	c.namespaces()
	c.problems = append(c.problems, c.tree.overLimits()...)
	c.problems = append(c.problems, c.tree.Overcommitted(c.tree.Said())...)
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return cmp.Compare(a.Queue, b.Queue) })
	return c.tree, c.problems
}

// converter is a tree on its way.
type converter struct {
	byName   map[string]*v1alpha1.Queue
	tree     Tree
	problems []Problem
}

// cluster takes what holds for all queues from the root.
func (c *converter) cluster(others []corev1.ResourceName) {
	c.tree.ReclaimPercent, c.tree.HalfLife = defaultReclaim, defaultHalfLife
	c.tree.Kinds = []v1alpha1.Flavour{{Name: v1alpha1.DefaultFlavour}}
	if root, ok := c.byName[v1alpha1.RootQueue]; ok && root.Spec.Cluster != nil {
		said := root.Spec.Cluster
		c.tree.ReclaimPercent = int64(ptr.Deref(said.ReclaimPercent, defaultReclaim))
		c.tree.HalfLife = duration(said.HalfLife, defaultHalfLife)
		c.tree.Room, c.tree.Packing = said.Room, said.Packing
		if len(said.Flavours) > 0 {
			c.tree.Kinds = said.Flavours
		}
	}
	for _, kind := range c.tree.Kinds {
		c.tree.Flavours = append(c.tree.Flavours, queue.Flavour{Name: kind.Name, ScalesFromZero: kind.ScalesFromZero})
	}
	c.tree.Resources = c.resources(others)
	for _, kind := range c.tree.Kinds {
		c.readable(v1alpha1.RootQueue, "spec.cluster.flavours["+kind.Name+"].capacity", kind.Capacity)
	}
}

// resources are the names of what is counted: CPU and memory first, then the others by name.
func (c *converter) resources(others []corev1.ResourceName) []string {
	named := map[string]bool{}
	add := func(list corev1.ResourceList) {
		for name := range list {
			named[string(name)] = true
		}
	}
	for _, name := range others {
		named[string(name)] = true
	}
	for _, kind := range c.tree.Kinds {
		add(kind.Capacity)
	}
	for _, object := range c.byName {
		for _, quota := range object.Spec.Quotas {
			add(quota.Guaranteed)
			add(quota.Limit)
			add(quota.BorrowingLimit)
			add(quota.LendingLimit)
		}
	}
	first := []string{string(corev1.ResourceCPU), string(corev1.ResourceMemory)}
	for _, name := range first {
		delete(named, name)
	}
	return append(first, sortedKeys(named)...)
}

// queue converts one object.
func (c *converter) queue(object *v1alpha1.Queue) queue.Queue {
	spec := &object.Spec
	q := queue.Queue{
		Name: object.Name, Weight: int64(ptr.Deref(spec.Weight, 1)),
		ByPriority: spec.Order == v1alpha1.ByPriority,
		MaxRunning: spec.MaxRunning, MaxWaiting: spec.MaxWaiting, WaitTimeout: duration(spec.WaitTimeout, 0),
		DriverPercent: int64(ptr.Deref(spec.DriverPercent, 0)), Drained: spec.Drain,
	}
	if object.Name != v1alpha1.RootQueue {
		q.Parent = parentOf(object)
	}
	if users := spec.Users; users != nil {
		q.UserRunning, q.UserWaiting, q.UserPercent = users.MaxRunning, users.MaxWaiting, int64(ptr.Deref(users.Percent, 0))
	}
	if flavours := spec.Flavours; flavours != nil {
		q.Drivers = c.flavours(object.Name, "drivers", flavours.Drivers)
		q.Executors = c.flavours(object.Name, "executors", flavours.Executors)
	}
	reclaim := ptr.Deref(spec.Reclaim, v1alpha1.Reclaim{})
	q.Victims = victims(reclaim.Victims)
	q.Grace, q.CoolDown = duration(reclaim.Grace, defaultGrace), duration(reclaim.CoolDown, defaultCoolDown)
	q.DeadZonePercent = int64(ptr.Deref(reclaim.DeadZonePercent, defaultDeadZone))
	c.quotas(object, &q)
	return q
}

// quotas fills in amounts. What is not said bounds nothing, and guarantees nothing.
func (c *converter) quotas(object *v1alpha1.Queue, q *queue.Queue) {
	for _, quota := range object.Spec.Quotas {
		name := cmp.Or(quota.Flavour, v1alpha1.DefaultFlavour)
		flavour := c.tree.Flavour(name)
		if flavour < 0 {
			c.unknownFlavour(object.Name, "spec.quotas", name)
			continue
		}
		for _, part := range []struct {
			field string
			list  corev1.ResourceList
			to    *queue.Amounts
			where int64
		}{
			{"guaranteed", quota.Guaranteed, &q.Guaranteed, 0},
			{"limit", quota.Limit, &q.Limit, queue.Unlimited},
			{"borrowingLimit", quota.BorrowingLimit, &q.BorrowingLimit, queue.Unlimited},
			{"lendingLimit", quota.LendingLimit, &q.LendingLimit, queue.Unlimited},
		} {
			if len(part.list) == 0 {
				continue
			}
			c.readable(object.Name, "spec.quotas["+name+"]."+part.field, part.list)
			if *part.to == nil {
				*part.to = c.tree.All(part.where)
			}
			c.tree.set(*part.to, flavour, part.list)
		}
	}
}

// flavours are the places of flavours by name; those that there are not are left out. None is nil, which is the parent's.
func (c *converter) flavours(object, field string, names []string) []int {
	var places []int
	for _, name := range names {
		if place := c.tree.Flavour(name); place >= 0 {
			places = append(places, place)
		} else {
			c.unknownFlavour(object, "spec.flavours."+field, name)
		}
	}
	return places
}

// Flavour is the place of a flavour in Shape, or -1.
func (t *Tree) Flavour(name string) int {
	return slices.IndexFunc(t.Flavours, func(f queue.Flavour) bool { return f.Name == name })
}

// Priority is the priority that an application has in a queue, where it has said one or not (nil).
func Priority(object *v1alpha1.Queue, said *int32) int32 {
	if object == nil || object.Spec.Priorities == nil {
		return ptr.Deref(said, 0)
	}
	bounds := object.Spec.Priorities
	priority := ptr.Deref(said, bounds.Default)
	return min(priority, ptr.Deref(bounds.Max, priority))
}

func victims(said v1alpha1.Victims) queue.Victims {
	switch said {
	case v1alpha1.VictimsNone:
		return queue.Nothing
	case v1alpha1.VictimsApplications:
		return queue.Applications
	default:
		return queue.Executors
	}
}

func duration(said *metav1.Duration, unsaid time.Duration) time.Duration {
	if said == nil {
		return unsaid
	}
	return said.Duration
}

func sortedKeys[V any](of map[string]V) []string {
	keys := make([]string, 0, len(of))
	for key := range of {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
