package queue

import "container/heap"

// settle charges what runs and puts what waits into its leaf.
func (r *round) settle() {
	r.apps = make([]application, len(r.state.Applications))
	for i := range r.apps {
		app := &r.apps[i]
		app.Application = &r.state.Applications[i]
		in, sound := r.nodes[app.Queue]
		switch {
		case app.running():
			if !sound {
				in = r.root // what is in no queue takes room all the same
			}
			r.settleRunning(in, app)
		case !sound:
			app.wait = Wait{Reason: NoQueue}
		case in.leaf == nil:
			app.in, app.wait = in, Wait{Reason: NotALeaf, Queue: in.Name}
			r.countWaiting(in)
		default:
			app.in = in
			in.leaf.waiting = append(in.leaf.waiting, app)
			r.countWaiting(in)
		}
	}
	for _, n := range r.leafs {
		n.leaf.sort(n.ByPriority)
		n.leaf.grows.byPriority = n.ByPriority
		heap.Init(&n.leaf.grows)
	}
	r.settleRoom()
}

// settleRoom finds out what is free on nodes when those have theirs that were let in, or let go, before.
func (r *round) settleRoom() {
	if len(r.state.Nodes) == 0 {
		return
	}
	r.room = newRoom(r.Shape, r.state.Nodes)
	for i := range r.apps {
		if app := r.apps[i].Application; app.running() {
			r.room.expect(app)
		}
	}
}

func (r *round) countWaiting(n *node) {
	for at := n; at != nil; at = at.parent {
		at.waiting++
	}
}

func (r *round) settleRunning(in *node, app *application) {
	app.in = in
	app.lifted, app.taken, app.coming = r.none(app), r.none(app), make([]int64, len(app.Groups))
	app.charge = r.Charge(app.Application)
	app.part = r.part(app.charge)
	leaving := r.Shape.leaving(app.Application)
	in.charge(now, app.charge)
	in.charge(later, app.charge)
	in.charge(later, negative(leaving))
	r.leaving.add(leaving)
	r.apart = r.apart || !leaving.zero()
	for at := in; at != nil; at = at.parent {
		at.running++
		at.leaving.add(leaving)
		addTo(at.drivers, app.Driver)
	}
	if in.leaf == nil {
		return
	}
	in.leaf.running = append(in.leaf.running, app)
	in.addSpare(r.spareOf(app))
	u := in.leaf.user(app.User, len(r.Resources))
	u.running++
	addTo(u.used, r.whatever(app.charge))
	if app.wants() {
		in.leaf.grows.apps = append(in.leaf.grows.apps, app)
	}
}

// none is nothing for each group and flavour of app.
func (r *round) none(app *application) [][]int64 {
	all := make([]int64, len(app.Groups)*len(r.Flavours))
	none := make([][]int64, len(app.Groups))
	for i := range none {
		none[i] = all[i*len(r.Flavours) : (i+1)*len(r.Flavours)]
	}
	return none
}

func negative(amounts Amounts) Amounts {
	less := make(Amounts, len(amounts))
	for i, amount := range amounts {
		less[i] = -amount
	}
	return less
}

func addTo(sums, amounts []int64) {
	for i, amount := range amounts {
		sums[i] += amount
	}
}

// has adds more to what app has, or will have.
func (r *round) has(app *application, more Amounts) {
	app.charge.add(more)
	app.part = r.part(app.charge)
}

// part is the largest part of any resource that amounts are.
func (r *round) part(amounts Amounts) float64 {
	var most float64
	for i, amount := range r.whatever(amounts) {
		most = max(most, part(amount, r.all[i]))
	}
	return most
}
