package queue

// tryToAdmit lets app in if it may go and fits, or else sees to it that it will; it reports whether n's place in the order of
// turns has changed. Where app cannot go it says why, and whether those behind it have to wait for it.
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
			if r.early(n, c) {
				return n.giveBack(1)
			}
			r.admit(n, app, c)
			return true
		}
		if !some {
			first, some = c, true
		}
	}
	if some && r.early(n, first) {
		return n.giveBack(1)
	}
	if !some {
		app.wait.Reason = NothingSuits
		return false
	}
	return r.blockHead(n, app, first)
}

// giveBack gives a turn back that came too early, with so many of those that wait to be looked at again.
func (n *node) giveBack(again int) bool {
	n.leaf.spent = true
	n.leaf.next -= again
	return true
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
			r.reserve(n, c)
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

// fitsNow reports whether there is room for c, and will be when what is kept for others is used by them.
func (r *round) fitsNow(n *node, c claim) bool {
	_, lacks := n.lacks(now, c.demand)
	return !lacks && (!r.apart || r.comes(n, c))
}

// reserve keeps what leaves for c.
func (r *round) reserve(n *node, c claim) {
	n.charge(later, c.demand)
	r.apart = true
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
	if !r.fitsNow(n, c) {
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
	if n.UserRunning == nil && n.UserPercent == 0 {
		return "", nil
	}
	u := n.leaf.user(app.User, len(r.Resources))
	if n.UserRunning != nil && u.running >= int(*n.UserRunning) {
		return TooManyOfUser, n
	}
	if u.running > 0 && (r.userFull(n, u, app.Driver, 1) || r.userFull(n, u, app.Executor, app.Minimum)) {
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

// tryToGrow lets one more executor of app go, of the first of its sizes that can be had, or sees to it that it will; it
// reports whether what is charged to n has changed.
func (r *round) tryToGrow(n *node, app *application) bool {
	u := n.leaf.user(app.User, len(r.Resources))
	for group := range app.Groups {
		if app.gated(group) <= 0 || r.userFull(n, u, app.Groups[group].Size, 1) {
			continue
		}
		if r.lift(n, app, u, group) || r.bringOne(n, app, group) {
			return true
		}
	}
	return false
}

// lift lets one more executor of a group go, if there is room for it, or gives the turn back that it has too early.
func (r *round) lift(n *node, app *application, u *user, group int) bool {
	size := app.Groups[group].Size
	for _, flavour := range n.execsA {
		c := r.newGrowth(size, flavour)
		if !r.fitsNow(n, c) {
			continue
		}
		if r.early(n, c) {
			return n.giveBack(0)
		}
		n.charge(now, c.demand)
		n.charge(later, c.demand)
		app.lifted[group][flavour]++
		addTo(u.used, size)
		r.has(app, c.demand)
		return true
	}
	return false
}

// bringOne sees to it that there will be room for one more executor of a group.
func (r *round) bringOne(n *node, app *application, group int) bool {
	for _, flavour := range n.execsA {
		c := r.newGrowth(app.Groups[group].Size, flavour)
		if r.early(n, c) {
			return n.giveBack(0)
		}
		if came, _ := r.bring(n, c); came {
			r.reserve(n, c)
			app.coming[group]++
			r.has(app, c.demand)
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
