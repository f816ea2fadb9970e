package queue

import (
	"cmp"
	"container/heap"
	"math"
)

// share is a node's place in the order of turns: hierarchical dominant resource fairness, H-DRF (Bhattacharya and others,
// "Hierarchical Scheduling for Diverse Datacenter Workloads", SoCC 2013), of what is used beyond guarantees.
//
// A leaf's share is the largest part that it has of any resource. That of a node with parts is not made of the sum of what
// they have: one that has much of what nobody else wants would then keep all turns from the others. Instead each part
// counts as if it had no larger a share than the one that has least among those that want something and may get it.
type share struct {
	// entitled is a node that has less of everything than it is guaranteed, and met how much of its guarantee it has.
	entitled bool
	met      float64
	// spent is a leaf, or a node of which all parts are, that is not entitled to what it would get next.
	spent bool
	// over is what it has beyond its guarantee of each resource, of all there is; dominant the largest of it by weight.
	over     []float64
	dominant float64
	// open are its parts that want something and may get it, by turn; those that are not in it are blocked.
	open openNodes
	// lost is how much was taken from it in this round: it wants that again.
	lost int
	// index is its place in its parent's open parts; -1 where it is not in them.
	index int
}

func (n *node) initShare(resources int) {
	n.over, n.open, n.index = make([]float64, resources), nil, -1
}

// before is whose turn is first.
func (n *node) before(other *node) bool {
	if n.entitled != other.entitled {
		return n.entitled
	}
	if n.entitled && n.met != other.met {
		return n.met < other.met
	}
	if n.dominant != other.dominant {
		return n.dominant < other.dominant
	}
	return n.Name < other.Name
}

// openNodes is a heap.
type openNodes []*node

func (o openNodes) Len() int           { return len(o) }
func (o openNodes) Less(i, j int) bool { return o[i].before(o[j]) }

func (o openNodes) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].index, o[j].index = i, j
}

func (o *openNodes) Push(n any) {
	node := n.(*node)
	node.index = len(*o)
	*o = append(*o, node)
}

func (o *openNodes) Pop() any {
	last := (*o)[len(*o)-1]
	*o = (*o)[:len(*o)-1]
	last.index = -1
	return last
}

// measure works out n's share of what will be used later, from its own parts.
func (t *tree) measure(n *node) {
	n.spent = n.isSpent()
	n.entitled, n.met = t.unmet(n)
	n.entitled = n.entitled && !n.spent
	n.gather()
	for r := range n.over {
		var beyond int64
		for flavour := range t.Flavours {
			slot := t.At(flavour) + r
			beyond += max(0, n.later.used[slot]-n.guaranteed[slot])
		}
		n.over[r] = min(n.over[r], part(beyond, t.all[r]))
	}
	n.dominant = dominant(n.over) / float64(cmp.Or(n.Weight, 1))
}

// gather sums up what the parts of n have, each scaled down to the least of those that want something.
func (n *node) gather() {
	for r := range n.over {
		n.over[r] = 0
		if n.leaf != nil {
			n.over[r] = math.Inf(1) // all that it has beyond its guarantee
		}
	}
	least := n.least()
	for _, child := range n.children {
		scale := 1.0
		if child.dominant > least {
			scale = least / child.dominant
		}
		for r, over := range child.over {
			n.over[r] += scale * over
		}
	}
}

func dominant(parts []float64) float64 {
	var most float64
	for _, p := range parts {
		most = max(most, p)
	}
	return most
}

func part(amount, of int64) float64 {
	if amount <= 0 {
		return 0
	}
	if of <= 0 {
		return math.MaxFloat32 // of what there is none of, whatever one has is too much
	}
	return float64(amount) / float64(of)
}

func (n *node) isSpent() bool {
	if n.leaf != nil {
		return n.leaf.spent
	}
	for _, part := range n.open {
		if !part.spent {
			return false
		}
	}
	return len(n.open) > 0
}

// early reports whether n has its turn as it, or what it is part of, has less than is guaranteed, and c is of no flavour on
// which that is so. What it has besides comes when it is its turn by what is used beyond guarantees.
func (t *tree) early(n *node, c claim) bool {
	entitled := false
	for at := n; at.parent != nil && !n.spent; at = at.parent {
		if !at.entitled {
			continue
		}
		entitled = true
		for flavour := range t.Flavours {
			if met, guaranteed := t.metOn(at, flavour); guaranteed && met < 1 && t.isOf(c, flavour) {
				return false
			}
		}
	}
	return entitled
}

// isOf reports whether c has something of a flavour.
func (t *tree) isOf(c claim, flavour int) bool {
	for r := range t.Resources {
		if c.demand[t.At(flavour)+r] > 0 {
			return true
		}
	}
	return false
}

// unmet reports whether n has less than its guarantee of all resources that are guaranteed to it on some flavour, and the
// largest part that it has of them there.
func (t *tree) unmet(n *node) (bool, float64) {
	least := math.Inf(1)
	for flavour := range t.Flavours {
		if met, guaranteed := t.metOn(n, flavour); guaranteed {
			least = min(least, met)
		}
	}
	return least < 1, least
}

// metOn is the largest part that n has of what it is guaranteed on a flavour, if that is anything.
func (t *tree) metOn(n *node, flavour int) (met float64, guaranteed bool) {
	for r := range t.Resources {
		slot := t.At(flavour) + r
		if n.guaranteed[slot] > 0 {
			guaranteed = true
			met = max(met, float64(n.later.used[slot])/float64(n.guaranteed[slot]))
		}
	}
	return met, guaranteed
}

// least is the smallest share among the parts of n that want something; without any there is none. One that has less than
// it is guaranteed is as if it had nothing.
func (n *node) least() float64 {
	least := math.Inf(1)
	if len(n.open) > 0 {
		if n.open[0].entitled {
			return 0
		}
		least = n.open[0].dominant
	}
	if n.lost > 0 {
		for _, child := range n.children {
			if child.lost > 0 {
				least = min(least, child.dominant)
			}
		}
	}
	return least
}

// used has the shares of n and all above it follow what n has come to use. The root's own is of no use to anybody.
func (t *tree) used(n *node) {
	for at := n; at.parent != nil; at = at.parent {
		t.measure(at)
		if at.index >= 0 {
			heap.Fix(&at.parent.open, at.index)
		}
	}
}

// block has no more turns given to n: it wants nothing more, or can get none of it.
func (t *tree) block(n *node) {
	n.leaf.done = true
	for at := n; at.parent != nil && len(at.open) == 0; at = at.parent {
		heap.Remove(&at.parent.open, at.index)
	}
	t.used(n)
}

// share works out all shares, where wants tells which leaves want something, and reports whether a part of n does.
func (t *tree) share(n *node, wants func(*node) bool) (open bool) {
	if n.leaf != nil {
		n.leaf.done = !wants(n)
		t.measure(n)
		return !n.leaf.done
	}
	for _, child := range n.children {
		if t.share(child, wants) {
			open = true
			heap.Push(&n.open, child)
		}
	}
	t.measure(n)
	return open
}

// turn returns the leaf whose turn it is; nil where nobody wants anything.
func (t *tree) turn() *node {
	at := t.root
	for at.leaf == nil {
		if len(at.open) == 0 {
			return nil
		}
		at = at.open[0]
	}
	if at.leaf.done {
		return nil // a root without parts
	}
	return at
}
