package queue

import (
	"cmp"
	"math"
	"slices"
)

// victim takes one thing for c, which lacks l, from the parts of the node that lacks it: first from the parts furthest from
// n. It reports too whether a part has more than is theirs, whether anything may be taken of it or not.
func (r *round) victim(n *node, c claim, l lack, lacking []int) (found taking, ok, owed bool) {
	for _, at := range pathDown(n, l.at) {
		mine := partOf(at, n)
		after := r.shareWith(mine, c.demand)
		var takers []taker
		for _, part := range at.children {
			if part == mine {
				continue
			}
			ground := r.ground(mine, part, c, l.slot, lacking, after)
			owed = owed || ground != ""
			if ground != "" && part.spare[l.slot] > 0 {
				takers = append(takers, taker{part, ground, math.MaxInt32})
			}
		}
		slices.SortFunc(takers, func(a, b taker) int { return byShare(a.from, b.from) })
		for _, by := range takers {
			t, found := r.within(by.from, l.slot, by)
			if !found {
				continue
			}
			r.do(t)
			if by.ground == ForGuarantee || by.from.dominant >= after {
				return t, true, true
			}
			r.undo(t) // it would have less than whom it is for
		}
	}
	if !c.grows {
		if t, ok := r.fromRunning(n, l.slot, taker{n, ForHead, c.priority}); ok {
			r.do(t)
			return t, true, true
		}
	}
	return taking{}, false, owed
}

// pathDown is the nodes above n from top on.
func pathDown(n, top *node) []*node {
	var path []*node
	for at := n; at != top; at = at.parent {
		path = append(path, at.parent)
	}
	slices.Reverse(path)
	return path
}

// partOf is the part of at that n is in.
func partOf(at, n *node) *node {
	for n.parent != at {
		n = n.parent
	}
	return n
}

// byShare orders nodes from the largest share to the smallest.
func byShare(a, b *node) int {
	return cmp.Or(cmp.Compare(b.dominant, a.dominant), cmp.Compare(a.Name, b.Name))
}

// ground is why mine, with c, may take what it lacks from another part of the same node; "" is that it may not. A guarantee
// is a ground only where it covers all that is lacking, and all of c that anything is guaranteed of: two queues that are
// guaranteed what the other one needs beside it would otherwise take it from each other for ever.
func (r *round) ground(mine, from *node, c claim, slot int, lacking []int, after float64) Ground {
	if !r.hasMore(from, slot, nil) {
		return ""
	}
	if mine.covers(c.demand, lacking) {
		return ForGuarantee
	}
	if after < from.dominant*(1-float64(from.DeadZonePercent)/100) {
		return ForFairness
	}
	return ""
}

// hasMore reports whether n has more of slot than it is guaranteed, without less. Where it is guaranteed others of the flavour's
// resources and not this one, those tell: what it has within them it needs all of.
func (r *round) hasMore(n *node, slot int, less Amounts) bool {
	over := func(slot int) bool {
		if less == nil {
			return n.later.used[slot] > n.guaranteed[slot]
		}
		return n.later.used[slot]-less[slot] >= n.guaranteed[slot]
	}
	if n.guaranteed[slot] > 0 {
		return over(slot)
	}
	first, guaranteed := slot-slot%len(r.Resources), false
	for other := first; other < first+len(r.Resources); other++ {
		if n.guaranteed[other] > 0 {
			guaranteed = true
			if over(other) {
				return true
			}
		}
	}
	return !guaranteed && over(slot)
}

// covers reports whether n's guarantee covers what it has with demand.
func (n *node) covers(demand Amounts, lacking []int) bool {
	for slot, amount := range demand {
		guaranteed := n.guaranteed[slot]
		if amount > 0 && n.later.used[slot]+amount > guaranteed && (guaranteed > 0 || slices.Contains(lacking, slot)) {
			return false
		}
	}
	return true
}

// shareWith is what n's share would be with demand.
func (r *round) shareWith(n *node, demand Amounts) float64 {
	var most float64
	for res, over := range n.over {
		var beyond, more int64
		for flavour := range r.Flavours {
			slot := r.At(flavour) + res
			beyond += max(0, n.later.used[slot]+demand[slot]-n.guaranteed[slot])
			more += demand[slot]
		}
		// What its parts have is scaled down where they are blocked; what is asked for comes on top.
		most = max(most, min(part(beyond, r.all[res]), over+part(more, r.all[res])))
	}
	return most / float64(cmp.Or(n.Weight, 1))
}

// taker is by what right something is taken: from which node, on what ground, and up to which priority.
type taker struct {
	from     *node
	ground   Ground
	priority int32
}

// within looks for one thing to take from n, or from the part of it that has most of what has more than its guarantee.
func (r *round) within(n *node, slot int, by taker) (taking, bool) {
	if n.leaf != nil {
		return r.fromRunning(n, slot, by)
	}
	var from []*node
	for _, part := range n.children {
		if part.spare[slot] > 0 && r.hasMore(part, slot, nil) {
			from = append(from, part)
		}
	}
	slices.SortFunc(from, byShare)
	for _, part := range from {
		if t, ok := r.within(part, slot, by); ok {
			return t, true
		}
	}
	return taking{}, false
}

// fromRunning looks for an executor to take from the applications of n, of the least priority and then of the one that has
// most; and where that is n's policy, for a whole application. What is left to n is no less than its guarantee.
func (r *round) fromRunning(n *node, slot int, by taker) (taking, bool) {
	if n.Victims == Nothing {
		return taking{}, false
	}
	var best taking
	for _, app := range n.leaf.running {
		if app.whole || app.Priority > by.priority || (best.app != nil && !losesBefore(app, best.app)) || r.coolsDown(n, app) {
			continue
		}
		t, ok := r.executorOf(app, slot)
		if !ok {
			continue
		}
		t.amounts = r.scratch(r.At(t.flavour), app.Groups[t.group].Size)
		if r.above(n, t.amounts, slot, by) {
			best = t
		}
	}
	if best.app != nil {
		best.amounts = r.None()
		best.amounts.addSize(r.At(best.flavour), best.app.Groups[best.group].Size, 1)
	}
	if best.app == nil && n.Victims == Applications && by.ground != ForHead {
		best = r.wholeOf(n, slot, by)
	}
	best.ground = by.ground
	return best, best.app != nil
}

// losesBefore is which of two applications loses an executor first.
func losesBefore(a, b *application) bool {
	if a.Priority != b.Priority {
		return a.Priority < b.Priority
	}
	if a.part != b.part {
		return a.part > b.part
	}
	return a.older(b) > 0
}

func (r *round) coolsDown(n *node, app *application) bool {
	return !app.Reclaimed.IsZero() && r.state.Now.Sub(app.Reclaimed) < n.CoolDown
}

// scratch is size on a flavour, until it is asked for again.
func (r *round) scratch(at int, size Size) Amounts {
	if r.one == nil {
		r.one = r.None()
	}
	clear(r.one)
	r.one.addSize(at, size, 1)
	return r.one
}

// executorOf is an executor of app above its minimum that has something of slot; its amounts are still to be said.
func (r *round) executorOf(app *application, slot int) (taking, bool) {
	flavour, resource := slot/len(r.Resources), slot%len(r.Resources)
	for group := range app.Groups {
		g := &app.Groups[group]
		if g.Size[resource] == 0 || app.spare(group) == 0 || g.stays(flavour)-app.taken[group][flavour] <= 0 {
			continue
		}
		return taking{app: app, group: group, flavour: flavour}, true
	}
	return taking{}, false
}

// above reports whether n, and all that it is part of up to whom it is taken from, keep their guarantee without amounts.
// What is taken for an application of n itself stays in n.
func (r *round) above(n *node, amounts Amounts, slot int, by taker) bool {
	if by.ground == ForHead {
		return true
	}
	for at := n; ; at = at.parent {
		if !r.hasMore(at, slot, amounts) {
			return false
		}
		if at == by.from {
			return true
		}
	}
}

// wholeOf is the application of n that is first to be stopped: of the least priority, then the youngest.
func (r *round) wholeOf(n *node, slot int, by taker) taking {
	var best taking
	for _, app := range n.leaf.running {
		if app.whole || r.coolsDown(n, app) {
			continue
		}
		left := r.leftOf(app)
		if left[slot] == 0 || !r.above(n, left, slot, by) {
			continue
		}
		if best.app == nil || app.Priority < best.app.Priority || (app.Priority == best.app.Priority && app.older(best.app) > 0) {
			best = taking{app: app, whole: true, amounts: left}
		}
	}
	return best
}

// leftOf is what app has that is not on its way back yet.
func (r *round) leftOf(app *application) Amounts {
	left := slices.Clone(app.charge)
	left.sub(r.Shape.leaving(app.Application))
	return left
}
