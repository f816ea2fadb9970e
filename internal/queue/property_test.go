package queue

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// randomly makes states for the tests of what holds of all decisions.
type randomly struct {
	*rand.Rand
	// plain leaves out what makes exceptions: limits of all kinds, drivers, minimums, policies.
	plain bool
	// nothing may be taken.
	nothing bool
	// one is the number of flavours; else there are one or two.
	one bool
}

func (r randomly) state() *State {
	s := &State{
		Shape: Shape{Flavours: []Flavour{{Name: "default"}}, Resources: []string{"cpu", "memory"}[:1+r.IntN(2)]},
		Now:   noon, ReclaimPercent: 100,
	}
	if !r.one && r.IntN(2) == 0 {
		s.Flavours = append(s.Flavours, Flavour{Name: "spot"})
	}
	s.Capacity = s.None()
	for i := range s.Capacity {
		s.Capacity[i] = int64(10 + r.IntN(60))
	}
	left := slices.Clone(s.Capacity)
	inner := []string{""}
	for i := range 1 + r.IntN(3) {
		if r.IntN(2) == 0 {
			q := r.queue(s, fmt.Sprintf("p%d", i), inner[r.IntN(len(inner))], left)
			q.Guaranteed = nil
			s.Queues = append(s.Queues, q)
			inner = append(inner, q.Name)
		}
	}
	for i := range 1 + r.IntN(5) {
		s.Queues = append(s.Queues, r.queue(s, fmt.Sprintf("q%d", i), inner[r.IntN(len(inner))], left))
	}
	used := s.None()
	for i := range s.Queues {
		if isParent(s, s.Queues[i].Name) {
			continue
		}
		for k := range r.IntN(4) {
			app := r.application(s, s.Queues[i].Name, k)
			charge := s.Charge(&app)
			used.add(charge)
			if slices.ContainsFunc(slots(used), func(i int) bool { return used[i] > s.Capacity[i] }) {
				used.sub(charge)
				continue
			}
			s.Applications = append(s.Applications, app)
		}
	}
	return s
}

func isParent(s *State, name string) bool {
	return slices.ContainsFunc(s.Queues, func(q Queue) bool { return q.Parent == name })
}

func (r randomly) queue(s *State, name, parent string, left Amounts) Queue {
	q := Queue{Name: name, Parent: parent, Weight: int64(1 + r.IntN(3))}
	if r.IntN(2) == 0 {
		q.Guaranteed = s.None()
		for i := range q.Guaranteed {
			q.Guaranteed[i] = r.Int64N(left[i]/2 + 1)
			left[i] -= q.Guaranteed[i]
		}
	}
	if r.nothing {
		q.Victims = Nothing
	}
	if r.plain {
		return q
	}
	some := func() Amounts {
		if r.IntN(3) > 0 {
			return nil
		}
		amounts := s.None()
		for i := range amounts {
			amounts[i] = r.Int64N(s.Capacity[i])
		}
		return amounts
	}
	q.Limit, q.BorrowingLimit, q.LendingLimit = some(), some(), some()
	if !r.nothing && r.IntN(4) == 0 {
		q.Victims = Victims(r.IntN(3))
	}
	return q
}

func (r randomly) size(s *State) Size {
	size := make(Size, len(s.Resources))
	for i := range size {
		size[i] = int64(1 + r.IntN(4))
	}
	return size
}

func (r randomly) application(s *State, queue string, number int) Application {
	app := Application{
		ID: fmt.Sprintf("%s-%d", queue, number), Queue: queue, User: "u", Created: noon.Add(-time.Duration(r.IntN(5)) * time.Second),
		Executor: r.size(s), Driver: make(Size, len(s.Resources)),
	}
	if !r.plain {
		app.Driver, app.Minimum = r.size(s), int64(1+r.IntN(3))
		if r.IntN(2) == 0 {
			return app
		}
	}
	app.Admitted = &Admission{Executors: make([]int64, len(s.Flavours))}
	app.Admitted.Executors[r.IntN(len(s.Flavours))] = app.Minimum
	group := Group{Name: "0", Size: app.Executor, Gated: int64(r.IntN(9))}
	for range s.Flavours {
		held, leaving := int64(r.IntN(8)), int64(0)
		if !r.nothing && !r.plain && r.IntN(3) == 0 {
			leaving = r.Int64N(held + 1)
		}
		group.Held, group.Leaving = append(group.Held, held), append(group.Leaving, leaving)
	}
	app.Groups = []Group{group}
	return app
}

// all is how many executors there are of all flavours.
func all(executors []int64) (sum int64) {
	for _, n := range executors {
		sum += n
	}
	return sum
}

// after is the state when d was carried out: what was told to go is on its way.
func after(s *State, d Decisions) *State {
	next := *s
	next.Applications = slices.Clone(s.Applications)
	of := func(id string) *Application {
		i := slices.IndexFunc(next.Applications, func(a Application) bool { return a.ID == id })
		return &next.Applications[i]
	}
	for i := range next.Applications {
		app := &next.Applications[i]
		app.Groups = slices.Clone(app.Groups)
		for g := range app.Groups {
			app.Groups[g].Held, app.Groups[g].Leaving = slices.Clone(app.Groups[g].Held), slices.Clone(app.Groups[g].Leaving)
		}
	}
	for _, admit := range d.Admit {
		app := of(admit.App)
		app.Admitted = new(admit.Admit)
		none := make([]int64, len(s.Flavours))
		app.Groups = []Group{{Name: "0", Size: app.Executor, Gated: app.Minimum, Held: none, Leaving: slices.Clone(none)}}
	}
	for _, lift := range d.Lift {
		group := &of(lift.App).Groups[0]
		group.Gated -= lift.Count
		group.Held[lift.Flavour] += lift.Count
	}
	for _, take := range d.Reclaim {
		app := of(take.App)
		if take.Whole {
			app.Admitted, app.Groups = nil, nil
			continue
		}
		app.Groups[0].Leaving[take.Flavour] += take.Count
	}
	return &next
}

// gone is the state when what leaves has left; Spark asks for as many executors again.
func gone(s *State) *State {
	for i := range s.Applications {
		for g := range s.Applications[i].Groups {
			group := &s.Applications[i].Groups[g]
			for flavour, leaving := range group.Leaving {
				group.Held[flavour] -= leaving
				group.Gated += leaving
				group.Leaving[flavour] = 0
			}
		}
	}
	return s
}

func slots(amounts Amounts) []int {
	all := make([]int, len(amounts))
	for i := range all {
		all[i] = i
	}
	return all
}

// forRandom runs check on many states.
func forRandom(t *testing.T, r randomly, check func(t *testing.T, s *State)) {
	t.Helper()
	for seed := range uint64(3000) {
		r.Rand = rand.New(rand.NewPCG(seed, 7))
		if check(t, r.state()); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestInvariants is what holds of all decisions.
func TestInvariants(t *testing.T) {
	forRandom(t, randomly{}, func(t *testing.T, s *State) {
		d := Decide(s)
		boundsHold(t, s, d)
		headsThatFitGo(t, s, d)
		victimsKeepTheirs(t, s, d)
	})
}

// boundsHold: after the decisions no queue that has got something is over a bound, by KEP-79's inequality.
func boundsHold(t *testing.T, s *State, d Decisions) {
	t.Helper()
	next := after(s, Decisions{Admit: d.Admit, Lift: d.Lift})
	o := &oracle{State: next, charges: map[string]Amounts{}}
	for i := range next.Applications {
		app := &next.Applications[i]
		o.charges[app.ID] = next.Charge(app)
	}
	for i := range next.Applications {
		app := &next.Applications[i]
		more := slices.Clone(o.charges[app.ID])
		more.sub(s.Charge(&s.Applications[i]))
		if !o.sound(app.Queue, more) {
			t.Errorf("%s has got %v, and with it a queue is over a bound", app.ID, more)
		}
	}
	for _, admit := range d.Admit {
		i := slices.IndexFunc(s.Applications, func(a Application) bool { return a.ID == admit.App })
		if all(admit.Admit.Executors) != s.Applications[i].Minimum {
			t.Errorf("%s was let in with %d executors of %d", admit.App, all(admit.Admit.Executors), s.Applications[i].Minimum)
		}
	}
}

// headsThatFitGo: where nothing is kept for anybody, the first of no queue waits that would fit.
func headsThatFitGo(t *testing.T, s *State, d Decisions) {
	t.Helper()
	if len(d.Reclaim) > 0 || slices.ContainsFunc(d.Waits, func(w Wait) bool { return w.Reason == GivenBack || w.Reason == KeptForAnother }) {
		return
	}
	next := after(s, d)
	for _, w := range d.Waits {
		i := slices.IndexFunc(next.Applications, func(a Application) bool { return a.ID == w.App })
		app := &next.Applications[i]
		if w.Place != 1 {
			continue
		}
		o := &oracle{State: next, charges: map[string]Amounts{}}
		for k := range next.Applications {
			o.charges[next.Applications[k].ID] = next.Charge(&next.Applications[k])
		}
		if o.charge(app, 0, app.Driver, app.Executor, app.Minimum) {
			t.Errorf("%s is the first of its queue, fits, and waits: %+v", app.ID, w)
		}
	}
}

// victimsKeepTheirs: nobody loses of their minimum, nor of their queue's guarantee.
func victimsKeepTheirs(t *testing.T, s *State, d Decisions) {
	t.Helper()
	next := gone(after(s, Decisions{Reclaim: d.Reclaim}))
	r := newRound(s)
	r.decideAll() // the same again, to see what queues will have with what was kept for them
	for _, take := range d.Reclaim {
		i := slices.IndexFunc(next.Applications, func(a Application) bool { return a.ID == take.App })
		app := &next.Applications[i]
		if stay := all(s.Applications[i].Groups[0].Held) - all(s.Applications[i].Groups[0].Leaving); !take.Whole && all(app.Groups[0].Held) < min(app.Minimum, stay) {
			t.Errorf("%s is left %d executors of a minimum of %d", app.ID, all(app.Groups[0].Held), app.Minimum)
		}
		if slices.ContainsFunc(d.Reclaim, func(other Take) bool { return other.Why == ForHead && other.For == app.Queue }) {
			continue // what a head has given back in its own queue may be up to an executor more than it needs
		}
		used, guaranteed := r.nodes[app.Queue].later.used, r.nodes[app.Queue].guaranteed
		if !slices.ContainsFunc(slots(used), func(i int) bool { return used[i] >= guaranteed[i] }) {
			t.Errorf("%s is left with %v of %v that are guaranteed to it", app.Queue, used, guaranteed)
		}
	}
}

// TestOracle has the same decided by the definitions.
func TestOracle(t *testing.T) {
	forRandom(t, randomly{nothing: true, one: true}, func(t *testing.T, s *State) {
		if len(s.Resources) > 1 {
			// With several resources two ways of adding fractions up may differ in the last bit, and so in the order of what is equal.
			return
		}
		if slices.ContainsFunc(Decide(s).Waits, func(w Wait) bool { return w.Reason == KeptForAnother || w.Reason == TooBig }) {
			return // the oracle keeps nothing for anybody
		}
		want, d := ask(s), inShort(Decide(s))
		if diff := gocmp.Diff(want.admits, d.Admit, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("admitted, -want +got:\n%s", diff)
		}
		if diff := gocmp.Diff(want.lifts, d.Lift, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("lifted, -want +got:\n%s", diff)
		}
	})
}

// TestOrderOfInputIsNothing lists the same in another order.
func TestOrderOfInputIsNothing(t *testing.T) {
	forRandom(t, randomly{}, func(t *testing.T, s *State) {
		other := *s
		other.Queues, other.Applications = slices.Clone(s.Queues), slices.Clone(s.Applications)
		slices.Reverse(other.Queues)
		slices.Reverse(other.Applications)
		if diff := gocmp.Diff(Decide(s), Decide(&other)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestNothingIsChanged: a state is not written to.
func TestNothingIsChanged(t *testing.T) {
	forRandom(t, randomly{}, func(t *testing.T, s *State) {
		before := after(s, Decisions{})
		Decide(s)
		if diff := gocmp.Diff(before, s); diff != "" {
			t.Error(diff)
		}
	})
}

// atRest lets rounds follow each other until nothing is decided any more.
func atRest(t *testing.T, s *State) *State {
	t.Helper()
	for range 500 {
		d := Decide(s)
		if len(d.Admit)+len(d.Lift)+len(d.Reclaim) == 0 {
			return s
		}
		s = gone(after(s, d))
	}
	t.Errorf("it does not come to rest: %+v", inShort(Decide(s)))
	return s
}

// TestComesToRest: where nobody wants anything else, nothing changes any more after a while.
func TestComesToRest(t *testing.T) {
	forRandom(t, randomly{}, func(t *testing.T, s *State) {
		for i := range s.Queues {
			if s.Queues[i].Victims == Applications {
				s.Queues[i].Victims = Executors // one that is stopped wants the same again: a change of demand
			}
		}
		atRest(t, s)
	})
}

// TestSharesAtRest: when nothing changes any more, each queue that wants more has what it is guaranteed, to one executor,
// and no two parts of the same queue are further apart than one executor.
func TestSharesAtRest(t *testing.T) {
	forRandom(t, randomly{plain: true, one: true}, func(t *testing.T, s *State) {
		if len(s.Resources) > 1 {
			return // of which resource a queue has too little depends on what the others want
		}
		s = atRest(t, s)
		o := &oracle{State: s, charges: map[string]Amounts{}}
		for i := range s.Applications {
			o.charges[s.Applications[i].ID] = s.Charge(&s.Applications[i])
		}
		for _, a := range saturated(s) {
			if used := o.used(a.Queue)[0]; used+a.Executor[0] <= o.guaranteed(a.Queue)[0] {
				t.Errorf("%s has %d of %d and wants %d more", a.Queue, used, o.guaranteed(a.Queue)[0], a.Executor[0])
			}
			for _, b := range saturated(s) {
				if a.Queue == b.Queue || o.spec(a.Queue).Parent != o.spec(b.Queue).Parent {
					continue
				}
				with := weighted(o, a.Queue, a.Executor[0])
				// What is taken for an executor is less than it and one of the other's together.
				less := a.Executor[0] + largestOf(s, b.Queue) - 1
				if without := weighted(o, b.Queue, -less); with < without-1e-9 && aboveByOne(o, s, b.Queue) {
					t.Errorf("%s would have %.3f with one more, and %s without as much still %.3f", a.Queue, with, b.Queue, without)
				}
			}
		}
	})
}

// saturated are for each leaf that wants more the application with the smallest executor that does.
func saturated(s *State) map[string]*Application {
	found := map[string]*Application{}
	for i := range s.Applications {
		app := &s.Applications[i]
		if app.Groups[0].Gated > 0 && (found[app.Queue] == nil || app.Executor[0] < found[app.Queue].Executor[0]) {
			found[app.Queue] = app
		}
	}
	return found
}

// largestOf is the size of the largest executor of queue.
func largestOf(s *State, queue string) int64 {
	var most int64
	for _, app := range s.Applications {
		if app.Queue == queue {
			most = max(most, app.Executor[0])
		}
	}
	return most
}

func weighted(o *oracle, queue string, more int64) float64 {
	beyond := max(0, o.used(queue)[0]+more-o.guaranteed(queue)[0])
	return float64(beyond) / float64(o.Capacity[0]) / float64(cmp.Or(o.spec(queue).Weight, 1))
}

// aboveByOne reports whether queue can lose an executor and keep its guarantee.
func aboveByOne(o *oracle, s *State, queue string) bool {
	return slices.ContainsFunc(s.Applications, func(a Application) bool {
		return a.Queue == queue && a.Groups[0].Held[0] > 0 && o.used(queue)[0]-a.Executor[0] >= o.guaranteed(queue)[0]
	})
}

// FuzzDecide looks for states of which the invariants do not hold.
func FuzzDecide(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		s := randomly{Rand: rand.New(rand.NewPCG(a, b))}.state()
		d := Decide(s)
		boundsHold(t, s, d)
		headsThatFitGo(t, s, d)
		victimsKeepTheirs(t, s, d)
		if t.Failed() {
			t.Logf("%+v", s)
		}
	})
}
