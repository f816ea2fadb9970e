package queue

import "container/heap"

// round is one round of decisions.
type round struct {
	*tree
	state *State
	apps  []application
	room  *room // nil where nodes are not asked
	// leaving is what is on its way back, in all.
	leaving Amounts
	// takes are the places of what is taken in the decisions.
	takes map[Take]int
	// keeps says that something is kept for somebody, somewhere.
	keeps bool
	// apart says that what will be later differs from what is now.
	apart bool
	// one is what scratch returns.
	one Amounts
	out Decisions
}

// Decide returns what is to be done: by turns, in which the queue that is furthest below its share is served first, until
// nobody wants anything that there is.
func Decide(state *State) Decisions {
	r := newRound(state)
	r.decideAll()
	return r.out
}

func newRound(state *State) *round {
	return &round{tree: plant(state), state: state, leaving: state.None(), takes: map[Take]int{}}
}

func (r *round) decideAll() {
	r.settle()
	r.tellUsage()
	r.keepPromises()
	r.share(r.root, r.wants)
	for n := r.turn(); n != nil; n = r.turn() {
		r.serve(n)
	}
	r.wholesAlone()
	r.refuse()
	r.tell()
}

// keepPromises lets executors go that their application was let in with: they are charged already.
func (r *round) keepPromises() {
	for i := range r.apps {
		app := &r.apps[i]
		if !app.running() {
			continue
		}
		for group := range app.Groups {
			if !app.sameSize(&app.Groups[group]) {
				continue
			}
			for flavour, promised := range app.promised(heldNow) {
				app.lifted[group][flavour] += min(promised, max(0, app.gated(group)))
			}
		}
	}
}

// wants reports whether there is anything that a leaf may get.
func (r *round) wants(n *node) bool { return len(n.leaf.waiting) > 0 || len(n.leaf.grows.apps) > 0 }

// serve gives n its turn: the next of its applications that waits, or one more executor to one that runs.
func (r *round) serve(n *node) {
	l := n.leaf
	for l.next < len(l.waiting) {
		app := l.waiting[l.next]
		l.next++
		if r.tryToAdmit(n, app) {
			r.used(n)
			return
		}
	}
	for len(l.grows.apps) > 0 {
		app := l.grows.apps[0]
		if !r.tryToGrow(n, app) {
			heap.Pop(&l.grows)
			continue
		}
		heap.Fix(&l.grows, 0)
		r.used(n)
		return
	}
	r.block(n)
}
