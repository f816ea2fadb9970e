package queue

import (
	"cmp"
	"container/heap"
	"slices"
)

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
	out   Decisions
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
	if len(r.state.Nodes) > 0 {
		r.room = newRoom(r.Shape, r.state.Nodes)
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
	for at := in; at != nil; at = at.parent {
		at.running++
		at.leaving.add(leaving)
		for i, amount := range app.Driver {
			at.drivers[i] += amount
		}
	}
	if in.leaf == nil {
		return
	}
	in.leaf.running = append(in.leaf.running, app)
	in.addSpare(r.spareOf(app))
	u := in.leaf.user(app.User, len(r.Resources))
	u.running++
	addTo(u.used, r.whatever(app.charge))
	if _, wants := app.wants(); wants {
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
			for flavour := range r.Flavours {
				if n := min(app.promised(flavour), app.gated(group)); n > 0 {
					app.lifted[group][flavour] += n
				}
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
		group, wants := app.wants()
		if !wants || !r.tryToGrow(n, app, group) {
			heap.Pop(&l.grows)
			continue
		}
		heap.Fix(&l.grows, 0)
		r.used(n)
		return
	}
	r.block(n)
}

// tryToAdmit lets app in if it may go and fits, or else sees to it that it will; it reports whether what is charged to n has
// changed. Where app cannot go it says why, and whether those behind it have to wait for it.
func (r *round) tryToAdmit(n *node, app *application) bool {
	if n.leaf.blocked && !short(n, app) {
		app.wait.Reason = Behind
		return false
	}
	if reason, at := r.held(n, app); reason != "" {
		app.wait = Wait{Reason: reason, Queue: at.Name}
		if reason != TooManyOfUser {
			n.leaf.blocked = true // one that is held by its user's bound holds up nobody else's
		}
		return false
	}
	first, some := claim{}, false
	for c := range r.claims(n, app) {
		if r.fits(n, c, short(n, app)) {
			r.admit(n, app, c)
			return true
		}
		if !some {
			first, some = c, true
		}
	}
	if !some {
		app.wait.Reason = NothingSuits
		return false
	}
	return r.blockHead(n, app, first)
}

// short reports whether app has said that it ends within the time in which room can be given back to whoever is before it:
// what is as short as that may go first (EASY back-filling, with the grace in the place of what run times are not known).
func short(n *node, app *application) bool { return app.MaxRunTime > 0 && app.MaxRunTime <= n.Grace }

// blockHead sees what can be done for an application that may go and does not fit, not even as first would have it: those
// that have what it needs are asked to give it back where it has a right to it, and what comes free is kept for it.
func (r *round) blockHead(n *node, app *application, first claim) bool {
	app.wait = r.why(n, app, first)
	if n.leaf.blocked {
		return false // it is not the first
	}
	if !r.everFits(n, app) {
		app.wait.Reason, app.wait.Queue = TooBig, n.Name
		return false // and it holds up nobody
	}
	n.leaf.blocked = true
	if _, kept := n.keptForOther(first.demand); kept || app.wait.Reason == NoRoomOnNodes {
		return false // what it took it would not get
	}
	entitled := false
	for c := range r.claims(n, app) {
		came, right := r.bring(n, c)
		if came {
			n.charge(later, c.demand)
			app.wait = Wait{Reason: GivenBack}
			return true
		}
		entitled = entitled || right
	}
	if entitled {
		r.keep(n, first)
	}
	return false
}

// everFits reports whether app would fit if nothing else ran.
func (r *round) everFits(n *node, app *application) bool {
	for c := range r.claims(n, app) {
		if !n.tooBig(c.demand) {
			return true
		}
	}
	return false
}

// bring sees to it that c fits when what leaves has left, and reports whether it does; and if not, whether somebody has
// more than is theirs of what it lacks.
func (r *round) bring(n *node, c claim) (came, right bool) {
	if r.comes(n, c) {
		return true, true
	}
	return r.reclaim(n, c)
}

// comes reports whether c fits when what leaves has left.
func (r *round) comes(n *node, c claim) bool {
	_, lacks := n.lacks(later, c.demand)
	return !lacks
}

// keep has what comes free kept for c where it is blocked: it has a right to more than it can be given back, and is not
// to be overtaken for ever by what is smaller.
func (r *round) keep(n *node, c claim) {
	l, lacks := n.lacks(later, c.demand)
	if !lacks || l.at == n {
		return // in its own queue nothing goes before it anyway
	}
	if l.at.kept == nil {
		l.at.kept = make([]bool, len(r.capacity))
	}
	l.at.kept[l.slot], r.keeps = true, true
}

// fits reports whether c fits now, and leaves what is kept for others.
func (r *round) fits(n *node, c claim, brief bool) bool {
	if _, lacks := n.lacks(now, c.demand); lacks {
		return false
	}
	if _, lacks := n.lacks(later, c.demand); lacks {
		return false
	}
	if !brief && r.keeps {
		if _, kept := n.keptForOther(c.demand); kept {
			return false
		}
	}
	return r.room == nil || r.room.has(c)
}

// why says why app does not go as c would have it.
func (r *round) why(n *node, app *application, c claim) Wait {
	l, lacks := n.lacks(now, c.demand)
	if !lacks {
		if l, lacks = n.lacks(later, c.demand); lacks {
			l.reason = KeptForAnother // it is free, and somebody was before
		}
	}
	if !lacks && !short(n, app) {
		l, lacks = n.keptForOther(c.demand)
	}
	if !lacks {
		return Wait{Reason: NoRoomOnNodes}
	}
	wait := Wait{Reason: l.reason, Resource: r.Resources[l.slot%len(r.Resources)], Flavour: r.Flavours[l.slot/len(r.Resources)].Name}
	if l.reason == LimitReached || l.reason == BorrowingLimitReached {
		wait.Queue = l.at.Name
	}
	return wait
}

// held reports whether app may not go whatever is free, why, and whose bound it is.
func (r *round) held(n *node, app *application) (Reason, *node) {
	for at := n; at != nil; at = at.parent {
		switch {
		case at.Drained:
			return Draining, at
		case at.MaxRunning != nil && at.running >= int(*at.MaxRunning):
			return TooManyRun, at
		case at.DriverPercent > 0 && at.running > 0 && r.beyond(at, at.DriverPercent, at.drivers, app.Driver, 1):
			return DriversFull, at
		}
	}
	u := n.leaf.user(app.User, len(r.Resources))
	if n.UserRunning != nil && u.running >= int(*n.UserRunning) {
		return TooManyOfUser, n
	}
	if u.running > 0 && r.userFull(n, u, app.Driver, 1) || u.running > 0 && r.userFull(n, u, app.Executor, app.Minimum) {
		return TooManyOfUser, n
	}
	return "", nil
}

func (r *round) userFull(n *node, u *user, size Size, count int64) bool {
	return n.UserPercent > 0 && r.beyond(n, n.UserPercent, u.used, size, count)
}

// beyond reports whether count of size beside used is more than percent of what n may use.
func (r *round) beyond(n *node, percent int64, used []int64, size Size, count int64) bool {
	for i, amount := range size {
		if amount > 0 && float64(used[i]+count*amount)*100 > float64(percent)*float64(r.most(n, i)) {
			return true
		}
	}
	return false
}

// admit lets app in as c has it.
func (r *round) admit(n *node, app *application, c claim) {
	n.charge(now, c.demand)
	n.charge(later, c.demand)
	if r.room != nil {
		r.room.take(c)
	}
	for at := n; at != nil; at = at.parent {
		at.running++
		addTo(at.drivers, app.Driver)
	}
	u := n.leaf.user(app.User, len(r.Resources))
	u.running++
	addTo(u.used, r.whatever(c.demand))
	app.decided = true
	r.out.Admit = append(r.out.Admit, Admit{App: app.ID, Admit: Admission{Driver: c.driver, Executors: c.executors, At: r.state.Now}})
}

// tryToGrow lets one more executor of a group go, or sees to it that it will; it reports whether what is charged to n has
// changed.
func (r *round) tryToGrow(n *node, app *application, group int) bool {
	size := app.Groups[group].Size
	u := n.leaf.user(app.User, len(r.Resources))
	if r.userFull(n, u, size, 1) {
		return false
	}
	for _, flavour := range n.execsA {
		c := r.newGrowth(size, flavour)
		if _, lacks := n.lacks(now, c.demand); !lacks && r.comes(n, c) {
			n.charge(now, c.demand)
			n.charge(later, c.demand)
			app.lifted[group][flavour]++
			addTo(u.used, size)
			r.has(app, c.demand)
			return true
		}
	}
	for _, flavour := range n.execsA {
		c := r.newGrowth(size, flavour)
		if came, _ := r.bring(n, c); came {
			n.charge(later, c.demand)
			r.has(app, c.demand)
			app.coming[group]++
			return true
		}
	}
	return false
}

// newGrowth is a claim of one more executor.
func (r *round) newGrowth(size Size, flavour int) claim {
	c := claim{demand: r.None(), size: size, grows: true}
	c.demand.addSize(r.At(flavour), size, 1)
	return c
}

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
