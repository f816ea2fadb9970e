package simulation

import (
	"cmp"
	"slices"

	"brazier.sh/brazier/internal/queue"
)

// tree is queues with their parts, for those that the engine is compared with and for what is measured.
type tree struct {
	queue.Shape
	root   *node
	nodes  map[string]*node
	leaves []*node // by name
}

// node is a queue.
type node struct {
	name   string
	spec   *queue.Queue
	parent *node
	parts  []*node // by name
	// drivers and executors are the flavours that its applications may have.
	drivers, executors []int
	// guaranteed is what it and its parts are guaranteed together.
	guaranteed queue.Amounts
	// partition is what it would have if the cluster was divided for good.
	partition queue.Amounts
}

// newTree makes a tree of sound queues, and divides the capacity among them.
func newTree(state *queue.State) *tree {
	t := &tree{Shape: state.Shape, nodes: map[string]*node{}}
	specs := map[string]*queue.Queue{queue.Root: {Name: queue.Root, Weight: 1}}
	for i := range state.Queues {
		specs[state.Queues[i].Name] = &state.Queues[i]
	}
	for name, spec := range specs {
		t.nodes[name] = &node{name: name, spec: spec, guaranteed: t.None()}
	}
	t.root = t.nodes[queue.Root]
	for _, n := range t.nodes {
		if n != t.root {
			n.parent = t.nodes[cmp.Or(n.spec.Parent, queue.Root)]
			n.parent.parts = append(n.parent.parts, n)
		}
	}
	t.inherit(t.root)
	slices.SortFunc(t.leaves, byName)
	t.root.partition = slices.Clone(state.Capacity)
	t.divide(t.root)
	return t
}

func byName(a, b *node) int { return cmp.Compare(a.name, b.name) }

// inherit fills in what a queue has from those above it and below it.
func (t *tree) inherit(n *node) {
	slices.SortFunc(n.parts, byName)
	n.drivers, n.executors = n.spec.Drivers, n.spec.Executors
	if n.parent == nil {
		every := make([]int, len(t.Flavours))
		for i := range every {
			every[i] = i
		}
		n.drivers, n.executors = inherited(n.drivers, every), inherited(n.executors, every)
	} else {
		n.drivers, n.executors = inherited(n.drivers, n.parent.drivers), inherited(n.executors, n.parent.executors)
	}
	for slot, amount := range n.spec.Guaranteed {
		n.guaranteed[slot] += amount
	}
	for _, part := range n.parts {
		t.inherit(part)
		for slot, amount := range part.guaranteed {
			n.guaranteed[slot] += amount
		}
	}
	if len(n.parts) == 0 {
		t.leaves = append(t.leaves, n)
	}
}

func inherited(own, above []int) []int {
	if own == nil {
		return above
	}
	return own
}

// divide divides a queue's part of the cluster among its parts: what each is guaranteed, and by weight what is left.
func (t *tree) divide(n *node) {
	for _, part := range n.parts {
		part.partition = t.None()
	}
	for slot, all := range n.partition {
		var users []*node
		left, weights := all, int64(0)
		for _, part := range n.parts {
			if t.uses(part, slot/len(t.Resources)) {
				users = append(users, part)
				weights += cmp.Or(part.spec.Weight, 1)
				left -= part.guaranteed[slot]
			}
		}
		for _, part := range users {
			more := int64(float64(max(left, 0)) * float64(cmp.Or(part.spec.Weight, 1)) / float64(weights))
			part.partition[slot] = part.guaranteed[slot] + more
			if part.spec.Limit != nil {
				part.partition[slot] = min(part.partition[slot], part.spec.Limit[slot])
			}
		}
	}
	for _, part := range n.parts {
		t.divide(part)
	}
}

// uses reports whether anything in a queue may have a flavour.
func (t *tree) uses(n *node, flavour int) bool {
	if len(n.parts) == 0 {
		return slices.Contains(n.drivers, flavour) || slices.Contains(n.executors, flavour)
	}
	return slices.ContainsFunc(n.parts, func(part *node) bool { return t.uses(part, flavour) })
}
