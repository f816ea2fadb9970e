package queue

import (
	"cmp"
	"slices"
)

// What is taken back follows YARN's ProportionalCapacityPreemptionPolicy in its bounds (a dead zone, so much at once, a
// cool-down) and Kueue's fair sharing in its rule: nothing is taken from whom it would leave with less than whom it is for.

// defaultReclaimPercent is YARN's total_preemption_per_round.
const defaultReclaimPercent = 10

// taking is one executor, or one whole application, that would be taken.
type taking struct {
	app            *application
	group, flavour int
	whole          bool
	amounts        Amounts
	ground         Ground
}

// reclaim has what c lacks taken from those that have more than is theirs, and reports whether that is enough; if it is
// not, nothing is taken. It reports too whether there is anybody who has more than is theirs, were it to be had.
func (r *round) reclaim(n *node, c claim) (enough, right bool) {
	var takings []taking
	for {
		l, lacking, lacks := n.allLacks(c.demand)
		if !lacks {
			break
		}
		if len(takings) == 0 && slices.ContainsFunc(lacking, func(slot int) bool { return !r.mayLeave(slot, 1) }) {
			return false, true // as much is on its way as may be
		}
		t, found, owed := r.victim(n, c, l, lacking)
		right = right || owed
		if !found {
			for _, t := range takings {
				r.undo(t)
			}
			return false, right
		}
		takings = append(takings, t)
	}
	takings = r.spareNeedless(n, c, takings)
	r.take(n, takings)
	return true, true
}

// spareOf is what may be taken of app at most: its executors above its minimum, or all of it.
func (r *round) spareOf(app *application) Amounts {
	switch app.in.Victims {
	case Nothing:
		return r.None()
	case Applications:
		return r.leftOf(app)
	}
	spare := r.None()
	for group := range app.Groups {
		for flavour := range r.Flavours {
			spare.addSize(r.At(flavour), app.Groups[group].Size, min(app.spare(group), app.Groups[group].stays(flavour)))
		}
	}
	return spare
}

func (n *node) addSpare(amounts Amounts) {
	for at := n; at != nil; at = at.parent {
		at.spare.add(amounts)
	}
}

// spareNeedless leaves alone what was chosen early and is not needed beside what was chosen later.
func (r *round) spareNeedless(n *node, c claim, takings []taking) []taking {
	needed := make([]taking, 0, len(takings))
	for _, t := range slices.Backward(takings) {
		r.undo(t)
		if _, lacks := n.lacks(later, c.demand); lacks {
			r.do(t)
			needed = append(needed, t)
		}
	}
	slices.Reverse(needed)
	return needed
}

// do takes t, and undo gives it back.
func (r *round) do(t taking)   { r.shift(t, negative(t.amounts), 1) }
func (r *round) undo(t taking) { r.shift(t, t.amounts, -1) }

// shift has the application of t have more, with so many times t taken.
func (r *round) shift(t taking, more Amounts, times int) {
	app := t.app
	r.apart = true
	app.in.charge(later, more)
	app.in.addSpare(more)
	if t.whole {
		app.whole = times > 0
	} else {
		app.taken[t.group][t.flavour] += int64(times)
	}
	r.has(app, more)
	app.in.lose(times)
	r.used(app.in)
}

func (n *node) lose(times int) {
	for at := n; at != nil; at = at.parent {
		at.lost += times
	}
}

// take decides on takings, as far as so much may be on its way back at once; the rest has its turn when that is back.
func (r *round) take(n *node, takings []taking) {
	for _, t := range takings {
		for slot, amount := range t.amounts {
			if amount > 0 && !r.mayLeave(slot, amount) {
				return
			}
		}
		r.leaving.add(t.amounts)
		r.decide(n, t)
	}
}

// mayLeave reports whether amount more of slot may be on its way back.
func (r *round) mayLeave(slot int, amount int64) bool {
	percent := cmp.Or(r.state.ReclaimPercent, defaultReclaimPercent)
	return r.leaving[slot] == 0 || float64(r.leaving[slot]+amount)*100 <= float64(percent)*float64(r.capacity[slot])
}

// decide adds t to what was decided before about the same executors for the same reason.
func (r *round) decide(n *node, t taking) {
	take := Take{App: t.app.ID, Count: 1, Flavour: t.flavour, Whole: t.whole, Grace: t.app.in.Grace, For: n.Name, Why: t.ground}
	if !t.whole {
		take.Group = t.app.Groups[t.group].Name
	}
	if i, ok := r.takes[take]; ok && !t.whole {
		r.out.Reclaim[i].Count++
		return
	}
	r.takes[take] = len(r.out.Reclaim)
	r.out.Reclaim = append(r.out.Reclaim, take)
}

// wholesAlone leaves out executors of applications that are taken whole.
func (r *round) wholesAlone() {
	whole := map[string]bool{}
	for _, take := range r.out.Reclaim {
		whole[take.App] = whole[take.App] || take.Whole
	}
	r.out.Reclaim = slices.DeleteFunc(r.out.Reclaim, func(take Take) bool { return whole[take.App] && !take.Whole })
}
