package queue

import (
	"cmp"
	"math"
	"slices"
)

// oracle decides by the definitions, and works everything out anew at each step: no accounts, no heaps. It takes nothing
// back, so it is asked about states of which nothing may be taken.
type oracle struct {
	*State
	charges map[string]Amounts // what each application has
	waiting map[string][]*Application
	gated   map[string]int64
	blocked map[string]bool // leaves that can get nothing more
	admits  []string
	lifts   map[string]int64
}

func ask(s *State) *oracle {
	o := &oracle{
		State: s, charges: map[string]Amounts{}, waiting: map[string][]*Application{}, gated: map[string]int64{},
		blocked: map[string]bool{}, lifts: map[string]int64{},
	}
	for i := range s.Applications {
		app := &s.Applications[i]
		o.charges[app.ID] = s.Charge(app)
		if !app.running() {
			o.waiting[app.Queue] = append(o.waiting[app.Queue], app)
			continue
		}
		o.gated[app.ID] = app.Groups[0].Gated
		for f := range s.Flavours {
			kept := min(app.promised(heldNow)[f], o.gated[app.ID])
			o.gated[app.ID] -= kept
			o.lifts[app.ID] += kept
		}
	}
	for _, waiting := range o.waiting {
		slices.SortFunc(waiting, func(a, b *Application) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
		})
	}
	for o.step(Root) {
	}
	for id, n := range o.lifts {
		if n == 0 {
			delete(o.lifts, id)
		}
	}
	return o
}

func (o *oracle) parts(name string) []*Queue {
	var parts []*Queue
	for i := range o.Queues {
		if q := &o.Queues[i]; q.Name != Root && cmp.Or(q.Parent, Root) == name {
			parts = append(parts, q)
		}
	}
	return parts
}

func (o *oracle) spec(name string) *Queue {
	for i := range o.Queues {
		if o.Queues[i].Name == name {
			return &o.Queues[i]
		}
	}
	return &Queue{Name: Root}
}

// used is what the queue called name and its parts use.
func (o *oracle) used(name string) Amounts {
	used := o.None()
	for i := range o.Applications {
		if o.Applications[i].Queue == name {
			used.add(o.charges[o.Applications[i].ID])
		}
	}
	for _, part := range o.parts(name) {
		used.add(o.used(part.Name))
	}
	return used
}

func (o *oracle) guaranteed(name string) Amounts {
	all := o.None()
	if own := o.spec(name).Guaranteed; own != nil {
		all.add(own)
	}
	for _, part := range o.parts(name) {
		all.add(o.guaranteed(part.Name))
	}
	return all
}

// room is T of KEP-79.
func (o *oracle) room(name string) Amounts {
	room := o.None()
	if own := o.spec(name).Guaranteed; own != nil {
		room.add(own)
	}
	parts := o.parts(name)
	if len(parts) == 0 {
		room.sub(o.used(name))
	}
	for _, part := range parts {
		for slot, t := range o.room(part.Name) {
			room[slot] += min(t, bound(part.LendingLimit, slot))
		}
	}
	if name == Root {
		room.add(o.Capacity)
		room.sub(o.guaranteed(Root))
	}
	return room
}

// sound reports whether nothing that demand is about is over a bound in the queue called name or above it.
func (o *oracle) sound(name string, demand Amounts) bool {
	spec, used, room := o.spec(name), o.used(name), o.room(name)
	for slot := range demand {
		if demand[slot] <= 0 {
			continue
		}
		borrowing := bound(spec.BorrowingLimit, slot)
		if name == Root {
			borrowing = 0
		}
		if used[slot] > bound(spec.Limit, slot) || borrowing != Unlimited && room[slot] < -borrowing {
			return false
		}
	}
	return name == Root || o.sound(cmp.Or(spec.Parent, Root), demand)
}

// wants reports whether a part of the queue called name may still get something.
func (o *oracle) wants(name string) bool {
	parts := o.parts(name)
	if len(parts) == 0 {
		return !o.blocked[name]
	}
	return slices.ContainsFunc(parts, func(q *Queue) bool { return o.wants(q.Name) })
}

// over is what counts of the queue called name, by resource, and its weighted share.
func (o *oracle) over(name string) ([]float64, float64) {
	used, guaranteed := o.used(name), o.guaranteed(name)
	beyond, all := make([]float64, len(o.Resources)), make([]float64, len(o.Resources))
	for slot := range used {
		r := slot % len(o.Resources)
		beyond[r] += float64(max(0, used[slot]-guaranteed[slot]))
		all[r] += float64(o.Capacity[slot])
	}
	for r := range beyond {
		beyond[r] /= all[r]
	}
	if parts := o.parts(name); len(parts) > 0 {
		least := math.Inf(1)
		for _, q := range parts {
			if _, share := o.over(q.Name); o.wants(q.Name) {
				if met, entitled := o.met(q.Name); entitled && met < 1 {
					share = 0
				}
				least = min(least, share)
			}
		}
		sum := make([]float64, len(beyond))
		for _, q := range parts {
			over, share := o.over(q.Name)
			for r := range sum {
				if share > least {
					sum[r] += over[r] * (least / share)
				} else {
					sum[r] += over[r]
				}
			}
		}
		for r := range beyond {
			beyond[r] = min(beyond[r], sum[r])
		}
	}
	return beyond, slices.Max(beyond) / float64(cmp.Or(o.spec(name).Weight, 1))
}

// met is the largest part of its guarantee that a queue has, on the flavour where that is smallest.
func (o *oracle) met(name string) (float64, bool) {
	used, guaranteed := o.used(name), o.guaranteed(name)
	least, any := math.Inf(1), false
	for f := range o.Flavours {
		most, some := 0.0, false
		for r := range o.Resources {
			if slot := o.At(f) + r; guaranteed[slot] > 0 {
				some = true
				most = max(most, float64(used[slot])/float64(guaranteed[slot]))
			}
		}
		if some {
			any = true
			least = min(least, most)
		}
	}
	return least, any && least < 1
}

// step gives the next turn below the queue called name, and reports whether there was one.
func (o *oracle) step(name string) bool {
	parts := slices.DeleteFunc(o.parts(name), func(q *Queue) bool { return !o.wants(q.Name) })
	if len(parts) == 0 {
		if len(o.parts(name)) > 0 || o.blocked[name] {
			return false
		}
		o.serve(name)
		return true
	}
	slices.SortFunc(parts, func(a, b *Queue) int {
		metA, entitledA := o.met(a.Name)
		metB, entitledB := o.met(b.Name)
		_, shareA := o.over(a.Name)
		_, shareB := o.over(b.Name)
		switch {
		case entitledA != entitledB && entitledA:
			return -1
		case entitledA != entitledB:
			return 1
		case entitledA && metA != metB:
			return cmp.Compare(metA, metB)
		}
		return cmp.Or(cmp.Compare(shareA, shareB), cmp.Compare(a.Name, b.Name))
	})
	return o.step(parts[0].Name)
}

func (o *oracle) serve(name string) {
	if waiting := o.waiting[name]; len(waiting) > 0 {
		app := waiting[0]
		o.waiting[name] = waiting[1:]
		if o.charge(app, 0, app.Driver, app.Executor, app.Minimum) {
			o.admits = append(o.admits, app.ID)
		} else {
			o.waiting[name] = nil
			o.serve(name)
		}
		return
	}
	var grows []*Application
	for i := range o.Applications {
		if app := &o.Applications[i]; app.Queue == name && app.running() && o.gated[app.ID] > 0 {
			grows = append(grows, app)
		}
	}
	slices.SortFunc(grows, func(a, b *Application) int {
		return cmp.Or(cmp.Compare(o.part(a), o.part(b)), a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, app := range grows {
		if o.charge(app, 0, nil, app.Groups[0].Size, 1) {
			o.gated[app.ID]--
			o.lifts[app.ID]++
			return
		}
	}
	o.blocked[name] = true
}

func (o *oracle) part(app *Application) float64 {
	var most float64
	for slot, amount := range o.charges[app.ID] {
		most = max(most, float64(amount)/float64(o.Capacity[slot]))
	}
	return most
}

// charge charges app, and undoes it where that is over a bound.
func (o *oracle) charge(app *Application, flavour int, driver, executor Size, count int64) bool {
	demand := o.None()
	demand.addSize(o.At(flavour), driver, 1)
	demand.addSize(o.At(flavour), executor, count)
	o.charges[app.ID].add(demand)
	if o.sound(app.Queue, demand) {
		return true
	}
	o.charges[app.ID].sub(demand)
	return false
}
