package simulation

import "brazier.sh/brazier/internal/queue"

// nodes are the nodes of one flavour, and what is free on each. Where they are not known there is room on them always, as
// far as capacity goes.
type nodes struct {
	count int
	node  queue.Size
	// most is a tree of maxima over what is free, of which the second half are the nodes, so that one with room is found in a
	// few steps.
	most []queue.Size
	// packs has the first node be taken that has room; else all in turn, as the scheduler spreads pods by default.
	packs  bool
	cursor int
}

func newNodes(pool Pool, packs bool) *nodes {
	n := &nodes{count: pool.Nodes, node: pool.Node, packs: packs}
	if n.count == 0 {
		return n
	}
	leaves := 1
	for leaves < n.count {
		leaves *= 2
	}
	n.most = make([]queue.Size, 2*leaves)
	for i := range n.most {
		n.most[i] = make(queue.Size, len(pool.Node))
		if i >= leaves && i < leaves+n.count {
			copy(n.most[i], pool.Node)
		}
	}
	for i := leaves - 1; i > 0; i-- {
		n.sum(i)
	}
	return n
}

func (n *nodes) sum(at int) {
	for i := range n.most[at] {
		n.most[at][i] = max(n.most[2*at][i], n.most[2*at+1][i])
	}
}

// holds reports whether a pod would fit on an empty node.
func (n *nodes) holds(size queue.Size) bool { return n.count == 0 || covers(n.node, size) }

func covers(free, size queue.Size) bool {
	for i, amount := range size {
		if amount > free[i] {
			return false
		}
	}
	return true
}

// place puts a pod onto a node and returns it; noNode is that none has room.
func (n *nodes) place(size queue.Size) int {
	if n.count == 0 {
		return 0
	}
	node := noNode
	if !n.packs {
		node = n.find(1, 0, len(n.most)/2, n.cursor, size)
	}
	if node == noNode {
		node = n.find(1, 0, len(n.most)/2, 0, size)
	}
	if node != noNode {
		n.change(node, size, -1)
		n.cursor = node + 1
	}
	return node
}

// find returns the first node from a number on that has room, below a place of the tree that has some nodes from first on.
func (n *nodes) find(at, first, nodes, from int, size queue.Size) int {
	if first+nodes <= from || !covers(n.most[at], size) {
		return noNode
	}
	if nodes == 1 {
		return first
	}
	if node := n.find(2*at, first, nodes/2, from, size); node != noNode {
		return node
	}
	return n.find(2*at+1, first+nodes/2, nodes/2, from, size)
}

// free takes a pod off its node.
func (n *nodes) free(node int, size queue.Size) {
	if n.count > 0 && node != noNode {
		n.change(node, size, 1)
	}
}

func (n *nodes) change(node int, size queue.Size, times int64) {
	at := len(n.most)/2 + node
	for i, amount := range size {
		n.most[at][i] += times * amount
	}
	for at /= 2; at > 0; at /= 2 {
		n.sum(at)
	}
}

// describe adds the nodes to those that an engine may ask.
func (n *nodes) describe(all []queue.Node, flavour int) []queue.Node {
	for i := range n.count {
		all = append(all, queue.Node{Flavour: flavour, Free: n.most[len(n.most)/2+i]})
	}
	return all
}
