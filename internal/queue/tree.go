package queue

import (
	"cmp"
	"slices"
)

// node is a queue in the tree, with what it and its parts have.
type node struct {
	*Queue
	parent   *node
	children []*node
	leaf     *leaf // nil where it has parts
	// guaranteed is what it and its parts are guaranteed together.
	guaranteed Amounts
	// now is what is used; later is what will be when what leaves has left, and what is kept for somebody is used by them.
	now, later account
	// empty is the room that there would be if nobody used anything.
	empty Amounts
	// kept says of which resources what becomes free here is kept for an application that is due first; nil is of none.
	kept    []bool
	leaving Amounts
	// spare is what may be taken of it at most, whoever wants it.
	spare    Amounts
	drivers  []int64 // by resource
	running  int
	waiting  int
	driversA []int // flavours that drivers may have, and executors
	execsA   []int
	share
}

// account is what is used of a node, and the room that is left in it: T of Kueue's KEP-79. Room below zero is borrowed.
type account struct{ used, room Amounts }

// tree is all queues, below their root.
type tree struct {
	Shape
	capacity Amounts
	// all is capacity whatever the flavour.
	all   []int64
	root  *node
	nodes map[string]*node
	leafs []*node // by name
}

// plant makes the tree of queues. Those that are not below the root, or in a circle, are not in it.
func plant(s *State) *tree {
	t := &tree{Shape: s.Shape, capacity: s.Capacity, nodes: map[string]*node{}}
	t.all = t.whatever(s.Capacity)
	root := &Queue{Name: Root}
	specs := map[string]*Queue{}
	for i := range s.Queues {
		specs[s.Queues[i].Name] = &s.Queues[i]
	}
	if said, ok := specs[Root]; ok {
		root = said
	}
	t.root = t.newNode(root, nil)
	for _, name := range sortedNames(s.Queues) {
		t.reach(name, specs, len(specs))
	}
	t.finish(t.root)
	return t
}

func sortedNames(queues []Queue) []string {
	names := make([]string, len(queues))
	for i := range queues {
		names[i] = queues[i].Name
	}
	slices.Sort(names)
	return names
}

// reach puts the queue called name into the tree, after those above it, of which there can be no more than depth.
func (t *tree) reach(name string, specs map[string]*Queue, depth int) *node {
	if there, ok := t.nodes[name]; ok {
		return there
	}
	spec, ok := specs[name]
	if !ok || depth == 0 {
		return nil
	}
	parent := t.reach(cmp.Or(spec.Parent, Root), specs, depth-1)
	if parent == nil {
		return nil
	}
	return t.newNode(spec, parent)
}

func (t *tree) newNode(spec *Queue, parent *node) *node {
	n := &node{
		Queue: spec, parent: parent, guaranteed: t.None(), leaving: t.None(), spare: t.None(), drivers: make([]int64, len(t.Resources)),
		driversA: spec.Drivers, execsA: spec.Executors,
	}
	if parent != nil {
		parent.children = append(parent.children, n)
		n.driversA = orInherited(n.driversA, parent.driversA)
		n.execsA = orInherited(n.execsA, parent.execsA)
	} else {
		every := make([]int, len(t.Flavours))
		for i := range every {
			every[i] = i
		}
		n.driversA, n.execsA = orInherited(n.driversA, every), orInherited(n.execsA, every)
	}
	t.nodes[spec.Name] = n
	return n
}

func orInherited(own, inherited []int) []int {
	if own == nil {
		return inherited
	}
	return own
}

// finish works out what depends on a node's parts, and makes leaves of those that have none.
func (t *tree) finish(n *node) {
	slices.SortFunc(n.children, func(a, b *node) int { return cmp.Compare(a.Name, b.Name) })
	if n.Guaranteed != nil {
		n.guaranteed.add(n.Guaranteed)
	}
	room := slices.Clone(n.guaranteed)
	for _, child := range n.children {
		t.finish(child)
		n.guaranteed.add(child.guaranteed)
		for i := range room {
			room[i] += child.lends(i, child.empty[i])
		}
	}
	if n.parent == nil {
		// What is guaranteed to nobody is the root's own: there is as much as there is.
		for i := range room {
			room[i] += t.capacity[i] - n.guaranteed[i]
		}
	}
	n.empty = room
	n.now = account{used: t.None(), room: slices.Clone(room)}
	n.later = account{used: t.None(), room: slices.Clone(room)}
	n.initShare(len(t.Resources))
	if len(n.children) == 0 {
		n.leaf = newLeaf()
		t.leafs = append(t.leafs, n)
	}
}

// lends is what of room its parent may count on.
func (n *node) lends(slot int, room int64) int64 {
	if n.LendingLimit == nil {
		return room
	}
	return min(n.LendingLimit[slot], room)
}

func bound(amounts Amounts, slot int) int64 {
	if amounts == nil {
		return Unlimited
	}
	return amounts[slot]
}

// charge has demand used in n and everything above it; that of less than nothing gives it back.
func (n *node) charge(of func(*node) *account, demand Amounts) {
	for slot, amount := range demand {
		if amount == 0 {
			continue
		}
		through := amount
		for at := n; at != nil; at = at.parent {
			a := of(at)
			a.used[slot] += amount
			before := a.room[slot]
			a.room[slot] -= through
			through = at.lends(slot, before) - at.lends(slot, before-through)
		}
	}
}

func now(n *node) *account   { return &n.now }
func later(n *node) *account { return &n.later }

// lack is what there is too little of, and where.
type lack struct {
	at     *node
	slot   int
	reason Reason
}

// lacks reports what there is too little of for demand, in n or above it: the first on the way up. A queue that uses more
// than its limit, or has borrowed more than it may, is let use no more, and may still give back.
func (n *node) lacks(of func(*node) *account, demand Amounts) (lack, bool) {
	for slot := range demand {
		if l, lacks := n.lacksOf(of, demand, slot); lacks {
			return l, true
		}
	}
	return lack{}, false
}

// allLacks is as lacks, of what will be later, with every slot that there is too little of.
func (n *node) allLacks(demand Amounts) (first lack, all []int, lacks bool) {
	for slot := range demand {
		if l, short := n.lacksOf(later, demand, slot); short {
			if !lacks {
				first, lacks = l, true
			}
			all = append(all, slot)
		}
	}
	return first, all, lacks
}

func (n *node) lacksOf(of func(*node) *account, demand Amounts, slot int) (lack, bool) {
	amount := demand[slot]
	if amount <= 0 {
		return lack{}, false
	}
	through := amount
	for at := n; ; at = at.parent {
		a := of(at)
		if limit := bound(at.Limit, slot); limit != Unlimited && a.used[slot]+amount > limit {
			return lack{at, slot, LimitReached}, true
		}
		left := a.room[slot] - through
		if at.parent == nil {
			return lack{at, slot, NothingFree}, left < 0
		}
		if borrowing := bound(at.BorrowingLimit, slot); borrowing != Unlimited && left < -borrowing {
			return lack{at, slot, BorrowingLimitReached}, true
		}
		through = at.lends(slot, a.room[slot]) - at.lends(slot, left)
	}
}

// tooBig reports whether demand would not fit if nothing ran.
func (n *node) tooBig(demand Amounts) bool {
	for slot, amount := range demand {
		if amount <= 0 {
			continue
		}
		through := amount
		for at := n; at != nil; at = at.parent {
			left := at.empty[slot] - through
			borrowing := bound(at.BorrowingLimit, slot)
			if at.parent == nil {
				borrowing = 0
			}
			if amount > bound(at.Limit, slot) || (borrowing != Unlimited && left < -borrowing) {
				return true
			}
			through = at.lends(slot, at.empty[slot]) - at.lends(slot, left)
		}
	}
	return false
}

// keptForOther reports where on the way up from n something that demand needs is kept for another application.
func (n *node) keptForOther(demand Amounts) (lack, bool) {
	for at := n; at != nil; at = at.parent {
		for slot, kept := range at.kept {
			if kept && demand[slot] > 0 {
				return lack{at, slot, KeptForAnother}, true
			}
		}
	}
	return lack{}, false
}

// whatever sums amounts up over flavours.
func (t *tree) whatever(amounts Amounts) []int64 {
	sums := make([]int64, len(t.Resources))
	for i, amount := range amounts {
		sums[i%len(sums)] += amount
	}
	return sums
}

// most is the most that a node could use, whatever the flavour: its limit, or all there is.
func (t *tree) most(n *node, resource int) int64 {
	var most int64
	for flavour := range t.Flavours {
		slot := t.At(flavour) + resource
		most += min(bound(n.Limit, slot), t.capacity[slot])
	}
	return most
}
