package queue

import (
	"cmp"
	"slices"
)

// refuse ends the waiting of those that have waited too long and of those that are too many.
func (r *round) refuse() {
	for _, n := range r.leafs {
		if n.WaitTimeout == 0 && n.MaxWaiting == nil && n.UserWaiting == nil {
			continue
		}
		left, byUser := 0, map[string]int{}
		byAge := slices.Clone(n.leaf.waiting)
		slices.SortFunc(byAge, func(a, b *application) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
		})
		for _, app := range byAge {
			if app.decided {
				continue
			}
			reason := Reason("")
			switch {
			case n.WaitTimeout > 0 && r.state.Now.Sub(app.Created) > n.WaitTimeout:
				reason = WaitedTooLong
			case n.MaxWaiting != nil && left >= int(*n.MaxWaiting), n.UserWaiting != nil && byUser[app.User] >= int(*n.UserWaiting):
				reason = TooManyWait
			default:
				left++
				byUser[app.User]++
				continue
			}
			app.decided = true
			r.out.Refuse = append(r.out.Refuse, Refuse{App: app.ID, Reason: reason})
		}
	}
}

// tell says what was decided about executors, and why what waits does.
func (r *round) tell() {
	r.out.Waits = make([]Wait, 0, r.root.waiting)
	for i := range r.apps {
		app := &r.apps[i]
		for group := range app.lifted {
			for flavour, count := range app.lifted[group] {
				if count > 0 {
					r.out.Lift = append(r.out.Lift, Lift{App: app.ID, Group: app.Groups[group].Name, Flavour: flavour, Count: count})
				}
			}
		}
		if !app.running() && (app.in == nil || app.in.leaf == nil) {
			r.out.Waits = append(r.out.Waits, app.waits(1))
		}
	}
	slices.SortStableFunc(r.out.Lift, func(a, b Lift) int { return cmp.Compare(a.App, b.App) })
	slices.SortFunc(r.out.Waits, func(a, b Wait) int { return cmp.Compare(a.App, b.App) })
	for _, n := range r.leafs {
		place := 0
		for _, app := range n.leaf.waiting {
			if !app.decided {
				place++
				r.out.Waits = append(r.out.Waits, app.waits(place))
			}
		}
	}
}

func (a *application) waits(place int) Wait {
	wait := a.wait
	wait.App, wait.Place, wait.Reason = a.ID, place, cmp.Or(wait.Reason, Behind)
	return wait
}

// tellUsage says what each queue has.
func (r *round) tellUsage() {
	r.share(r.root, func(*node) bool { return false })
	defer r.forgetShares(r.root)
	names := make([]string, 0, len(r.nodes))
	for name := range r.nodes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := r.nodes[name]
		usage := Usage{
			Queue: name, Guaranteed: n.guaranteed, Used: slices.Clone(n.now.used), Leaving: n.leaving,
			Borrowed: r.None(), Lent: r.None(), Share: n.dominant, Running: n.running, Waiting: n.waiting,
		}
		for slot := range usage.Used {
			usage.Borrowed[slot] = max(0, usage.Used[slot]-n.guaranteed[slot])
			idle := max(0, n.guaranteed[slot]-usage.Used[slot])
			usage.Lent[slot] = max(0, min(idle, bound(n.LendingLimit, slot)))
		}
		r.out.Queues = append(r.out.Queues, usage)
	}
}

// forgetShares undoes share.
func (r *round) forgetShares(n *node) {
	n.initShare(len(r.Resources))
	for _, child := range n.children {
		r.forgetShares(child)
	}
}
