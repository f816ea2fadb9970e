package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// world is a state of one flavour and one resource, unless a test makes it larger.
func world(capacity int64, queues []Queue, apps ...Application) *State {
	return &State{
		Shape: Shape{Flavours: []Flavour{{Name: "default"}}, Resources: []string{"cpu"}},
		Now:   noon, Capacity: Amounts{capacity}, ReclaimPercent: 100, Queues: queues, Applications: apps,
	}
}

// waits is an application with a driver of 1 and minimum executors of 1, the younger the higher its number.
func waits(queue string, number, minimum int64, change ...func(*Application)) Application {
	app := Application{
		ID: fmt.Sprintf("%s-%d", queue, number), Queue: queue, User: "anna", Created: noon.Add(time.Duration(number-1000) * time.Second),
		Driver: Size{1}, Executor: Size{1}, Minimum: minimum,
	}
	for _, change := range change {
		change(&app)
	}
	return app
}

// runs is one that was let in, has held executors and wants gated more.
func runs(queue string, number, minimum, held, gated int64, change ...func(*Application)) Application {
	app := waits(queue, number, minimum)
	app.Admitted = &Admission{Executors: []int64{minimum}}
	app.Groups = []Group{{Name: "0", Size: Size{1}, Gated: gated, Held: []int64{held}, Leaving: []int64{0}}}
	for _, change := range change {
		change(&app)
	}
	return app
}

func leaving(n int64) func(*Application) {
	return func(app *Application) { app.Groups[0].Leaving[0] = n }
}

// said is what a test looks at of decisions.
type said struct {
	Admit  []string
	Lift   map[string]int64
	Take   map[string]int64
	Refuse map[string]Reason
	Waits  map[string]Reason
}

func inShort(d Decisions) said {
	s := said{Lift: map[string]int64{}, Take: map[string]int64{}, Refuse: map[string]Reason{}, Waits: map[string]Reason{}}
	for _, a := range d.Admit {
		s.Admit = append(s.Admit, a.App)
	}
	for _, l := range d.Lift {
		s.Lift[l.App] += l.Count
	}
	for _, t := range d.Reclaim {
		s.Take[fmt.Sprintf("%s for %s: %s", t.App, t.For, t.Why)] += t.Count
	}
	for _, r := range d.Refuse {
		s.Refuse[r.App] = r.Reason
	}
	for _, w := range d.Waits {
		s.Waits[w.App] = w.Reason
	}
	return s
}

func TestDecide(t *testing.T) {
	tests := map[string]struct {
		reason string
		state  *State
		want   said
	}{
		"Whole": {
			reason: "An application is let in with its driver and its minimum, or not at all.",
			state:  world(5, []Queue{{Name: "a"}}, waits("a", 1, 3), waits("a", 2, 1)),
			want:   said{Admit: []string{"a-1"}, Waits: map[string]Reason{"a-2": NothingFree}},
		},
		"FIFO": {
			reason: "The oldest goes first, and while it does not fit nothing that is younger does.",
			state:  world(5, []Queue{{Name: "a"}}, waits("a", 2, 1), waits("a", 1, 5)),
			want:   said{Admit: []string{"a-2"}, Waits: map[string]Reason{"a-1": TooBig}},
		},
		"Head": {
			reason: "What is younger does not overtake the head of its queue.",
			state:  world(6, []Queue{{Name: "a"}}, waits("a", 2, 1), waits("a", 1, 4), runs("a", 0, 1, 1, 0)),
			want:   said{Waits: map[string]Reason{"a-1": NothingFree, "a-2": Behind}},
		},
		"Backfill": {
			reason: "What is over within the grace may go before the head.",
			state: world(6, []Queue{{Name: "a", Grace: time.Minute}}, runs("a", 0, 1, 1, 0), waits("a", 1, 4),
				waits("a", 2, 1, func(app *Application) { app.MaxRunTime = time.Minute }), waits("a", 3, 1, func(app *Application) { app.MaxRunTime = time.Hour })),
			want: said{Admit: []string{"a-2"}, Waits: map[string]Reason{"a-1": NothingFree, "a-3": Behind}},
		},
		"Priority": {
			reason: "In a queue of that order the highest priority goes first.",
			state: world(2, []Queue{{Name: "a", ByPriority: true}}, waits("a", 1, 1),
				waits("a", 2, 1, func(app *Application) { app.Priority = 5 })),
			want: said{Admit: []string{"a-2"}, Waits: map[string]Reason{"a-1": NothingFree}},
		},
		"Used": {
			reason: "Of equal priority the one goes first whose user has used less lately.",
			state: world(2, []Queue{{Name: "a", ByPriority: true}},
				waits("a", 1, 1, func(app *Application) { app.UserUsage = 7 }), waits("a", 2, 1)),
			want: said{Admit: []string{"a-2"}, Waits: map[string]Reason{"a-1": NothingFree}},
		},
		"Promise": {
			reason: "Executors of the minimum go as soon as they are there: room was kept for them.",
			state:  world(3, []Queue{{Name: "a"}}, runs("a", 1, 2, 0, 5), waits("a", 2, 1)),
			want:   said{Lift: map[string]int64{"a-1": 2}, Waits: map[string]Reason{"a-2": NothingFree}},
		},
		"Growth": {
			reason: "Executors above the minimum go as far as there is room, the application that has least first.",
			state:  world(10, []Queue{{Name: "a"}}, runs("a", 1, 1, 3, 9), runs("a", 2, 1, 1, 9)),
			want:   said{Lift: map[string]int64{"a-1": 1, "a-2": 3}},
		},
		"AdmissionFirst": {
			reason: "An application that waits goes before more executors of those that run.",
			state:  world(5, []Queue{{Name: "a"}}, runs("a", 1, 1, 1, 9), waits("a", 2, 1)),
			want:   said{Admit: []string{"a-2"}, Lift: map[string]int64{"a-1": 1}},
		},
		"HeadTakesGrowth": {
			reason: "The head of a queue has executors above their minimum given back in its own queue.",
			state:  world(6, []Queue{{Name: "a"}}, runs("a", 1, 1, 5, 0), waits("a", 2, 1)),
			want:   said{Take: map[string]int64{"a-1 for a: head": 2}, Waits: map[string]Reason{"a-2": GivenBack}},
		},
		"NotOfHigherPriority": {
			reason: "In a queue by priority the head takes nothing from those of a higher one.",
			state: world(6, []Queue{{Name: "a", ByPriority: true}},
				runs("a", 1, 1, 5, 0, func(app *Application) { app.Priority = 1 }), waits("a", 2, 1)),
			want: said{Waits: map[string]Reason{"a-2": NothingFree}},
		},
		"Guarantee": {
			reason: "A queue gets what it is guaranteed back from those that have borrowed it, and no more than it needs.",
			state:  world(10, []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{4}}}, runs("a", 1, 1, 9, 3), waits("b", 1, 2)),
			want:   said{Take: map[string]int64{"a-1 for b: guarantee": 3}, Waits: map[string]Reason{"b-1": GivenBack}},
		},
		"OnTheWay": {
			reason: "What is being given back is not asked for twice, and not taken by another.",
			state:  world(10, []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{4}}}, runs("a", 1, 1, 9, 3, leaving(3)), waits("b", 1, 2)),
			want:   said{Waits: map[string]Reason{"b-1": GivenBack}},
		},
		"Fairness": {
			reason: "What nobody is guaranteed is shared by weight, and given back until the shares are even.",
			state:  world(12, []Queue{{Name: "a"}, {Name: "b"}}, runs("a", 1, 1, 11, 9), runs("b", 1, 1, 1, 9)),
			want:   said{Take: map[string]int64{"a-1 for b: fairness": 6}},
		},
		"Weights": {
			reason: "A queue of twice the weight has twice as much.",
			state:  world(12, []Queue{{Name: "a", Weight: 2}, {Name: "b"}}, runs("a", 1, 1, 1, 20), runs("b", 1, 1, 1, 20)),
			want:   said{Lift: map[string]int64{"a-1": 6, "b-1": 2}},
		},
		"NothingTaken": {
			reason: "Drivers and minimums are not taken, and where they are in the way nothing is taken in vain; what becomes free is kept for whom it is owed.",
			state: world(10, []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{4}}, {Name: "c"}},
				runs("a", 1, 6, 7, 0), waits("b", 1, 3), waits("c", 1, 1)),
			want: said{Waits: map[string]Reason{"b-1": NothingFree, "c-1": KeptForAnother}},
		},
		"Whole application": {
			reason: "Where a queue's policy says so, the youngest of its applications is stopped when executors are not enough.",
			state: world(10, []Queue{{Name: "a", Victims: Applications}, {Name: "b", Guaranteed: Amounts{4}}},
				runs("a", 1, 4, 4, 0), runs("a", 2, 3, 3, 0), waits("b", 1, 3)),
			want: said{Take: map[string]int64{"a-2 for b: guarantee": 1}, Waits: map[string]Reason{"b-1": GivenBack}},
		},
		"Limit": {
			reason: "No queue uses more than its limit, nor does what it is part of.",
			state: world(10, []Queue{{Name: "p", Limit: Amounts{5}}, {Name: "a", Parent: "p"}, {Name: "b", Parent: "p", Limit: Amounts{2}}},
				runs("a", 1, 1, 1, 9), runs("b", 1, 1, 1, 9)),
			want: said{Lift: map[string]int64{"a-1": 1}},
		},
		"BorrowingLimit": {
			reason: "No queue borrows more than it may.",
			state:  world(10, []Queue{{Name: "a", Guaranteed: Amounts{2}, BorrowingLimit: Amounts{3}}}, runs("a", 1, 1, 1, 9)),
			want:   said{Lift: map[string]int64{"a-1": 3}},
		},
		"LendingLimit": {
			reason: "What a queue does not lend is left idle for it.",
			state:  world(10, []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{6}, LendingLimit: Amounts{1}}}, runs("a", 1, 1, 1, 9)),
			want:   said{Lift: map[string]int64{"a-1": 3}},
		},
		"Drained": {
			reason: "A queue that is drained lets nobody in, and lets those that run go on.",
			state:  world(10, []Queue{{Name: "a", Drained: true}}, runs("a", 1, 1, 1, 2), waits("a", 2, 1)),
			want:   said{Lift: map[string]int64{"a-1": 2}, Waits: map[string]Reason{"a-2": Draining}},
		},
		"MaxRunning": {
			reason: "No more applications run than may, in the queue or in what it is part of.",
			state:  world(10, []Queue{{Name: "p", MaxRunning: new(int32(1))}, {Name: "a", Parent: "p"}}, waits("a", 1, 1), waits("a", 2, 1)),
			want:   said{Admit: []string{"a-1"}, Waits: map[string]Reason{"a-2": TooManyRun}},
		},
		"Drivers": {
			reason: "Drivers take no more than their part of what the queue may use; one is let in always.",
			state:  world(10, []Queue{{Name: "a", DriverPercent: 10}}, waits("a", 1, 1), waits("a", 2, 1)),
			want:   said{Admit: []string{"a-1"}, Waits: map[string]Reason{"a-2": DriversFull}},
		},
		"User": {
			reason: "One who is at their bound holds up nobody else.",
			state: world(20, []Queue{{Name: "a", UserRunning: new(int32(1))}}, runs("a", 1, 1, 1, 0), waits("a", 2, 1),
				waits("a", 3, 1, func(app *Application) { app.User = "berta" })),
			want: said{Admit: []string{"a-3"}, Waits: map[string]Reason{"a-2": TooManyOfUser}},
		},
		"UserPercent": {
			reason: "One user has no more than their part of what the queue may use.",
			state:  world(10, []Queue{{Name: "a", UserPercent: 50}}, runs("a", 1, 1, 1, 9)),
			want:   said{Lift: map[string]int64{"a-1": 3}},
		},
		"MaxWaiting": {
			reason: "The youngest of those that are too many are refused, after those that can go have gone.",
			state:  world(2, []Queue{{Name: "a", MaxWaiting: new(int32(1))}}, waits("a", 1, 1), waits("a", 2, 1), waits("a", 3, 1)),
			want:   said{Admit: []string{"a-1"}, Refuse: map[string]Reason{"a-3": TooManyWait}, Waits: map[string]Reason{"a-2": NothingFree}},
		},
		"WaitTimeout": {
			reason: "One that has waited too long is refused.",
			state:  world(1, []Queue{{Name: "a", WaitTimeout: time.Minute}}, waits("a", 1, 1)),
			want:   said{Refuse: map[string]Reason{"a-1": WaitedTooLong}},
		},
		"NoQueue": {
			reason: "What names a queue that is not there, or one in a circle, waits and says so.",
			state:  world(9, []Queue{{Name: "a", Parent: "b"}, {Name: "b", Parent: "a"}}, waits("a", 1, 1), waits("x", 1, 1)),
			want:   said{Waits: map[string]Reason{"a-1": NoQueue, "x-1": NoQueue}},
		},
		"NotALeaf": {
			reason: "Applications are in queues that have no parts.",
			state:  world(9, []Queue{{Name: "p"}, {Name: "a", Parent: "p"}}, waits("p", 1, 1)),
			want:   said{Waits: map[string]Reason{"p-1": NotALeaf}},
		},
		"Homeless": {
			reason: "What runs in a queue that was removed takes room all the same.",
			state:  world(5, []Queue{{Name: "a"}}, runs("gone", 1, 1, 3, 2), waits("a", 1, 1)),
			want:   said{Waits: map[string]Reason{"a-1": NothingFree}},
		},
		"RootAlone": {
			reason: "Without any queue but the root all applications are in it.",
			state:  world(4, nil, waits(Root, 1, 1), waits(Root, 2, 1), waits(Root, 3, 1)),
			want:   said{Admit: []string{"root-1", "root-2"}, Waits: map[string]Reason{"root-3": NothingFree}},
		},
		"DeadZone": {
			reason: "A small difference of shares is left alone; a guarantee is given back all the same.",
			state: world(12, []Queue{{Name: "a", DeadZonePercent: 100}, {Name: "b"}, {Name: "c", Guaranteed: Amounts{2}}},
				runs("a", 1, 1, 9, 9), runs("b", 1, 1, 1, 9), waits("c", 1, 1)),
			want: said{Take: map[string]int64{"a-1 for c: guarantee": 2}, Waits: map[string]Reason{"c-1": GivenBack}},
		},
		"CoolDown": {
			reason: "An application from which something was taken is left alone for a while.",
			state: world(10, []Queue{{Name: "a", CoolDown: time.Minute}, {Name: "b", Guaranteed: Amounts{4}}},
				runs("a", 1, 1, 9, 0, func(app *Application) { app.Reclaimed = noon.Add(-time.Second) }), waits("b", 1, 2)),
			want: said{Waits: map[string]Reason{"b-1": NothingFree}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, inShort(Decide(tt.state)), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestAtMostSoMuchAtOnce(t *testing.T) {
	state := world(100, []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{50}}}, runs("a", 1, 1, 99, 0), waits("b", 1, 40))
	state.ReclaimPercent = 10
	got := inShort(Decide(state)).Take
	if diff := cmp.Diff(map[string]int64{"a-1 for b: guarantee": 10}, got); diff != "" {
		t.Errorf("no more than a tenth of the cluster is on its way back at once\n-want +got:\n%s", diff)
	}
}

func TestFlavours(t *testing.T) {
	state := &State{
		Shape: Shape{Flavours: []Flavour{{Name: "spot"}, {Name: "steady"}}, Resources: []string{"cpu", "memory"}},
		Now:   noon, Capacity: Amounts{4, 400, 10, 1000},
		Queues: []Queue{{Name: "a", Drivers: []int{1}, Executors: []int{0, 1}}},
		Applications: []Application{
			{ID: "1", Queue: "a", Driver: Size{1, 10}, Executor: Size{1, 50}, Minimum: 6},
		},
	}
	want := []Admit{{App: "1", Admit: Admission{Driver: 1, Executors: []int64{4, 2}, At: noon}}}
	if diff := cmp.Diff(want, Decide(state).Admit); diff != "" {
		t.Errorf("the driver is on steady nodes, executors on spot nodes as far as there are some\n-want +got:\n%s", diff)
	}
}

func TestRoom(t *testing.T) {
	state := world(12, []Queue{{Name: "a"}}, waits("a", 1, 2, func(app *Application) { app.Executor = Size{4} }))
	state.Nodes = []Node{{Free: Size{3}}, {Free: Size{4}}, {Free: Size{5}}}
	if diff := cmp.Diff([]string{"a-1"}, inShort(Decide(state)).Admit); diff != "" {
		t.Errorf("each of three pods has a node\n-want +got:\n%s", diff)
	}
	state.Nodes[2].Free = Size{3}
	if diff := cmp.Diff(map[string]Reason{"a-1": NoRoomOnNodes}, inShort(Decide(state)).Waits); diff != "" {
		t.Errorf("there is room for all of it, but not on any two nodes\n-want +got:\n%s", diff)
	}
	coming := state.Applications[0]
	coming.ID, coming.Admitted, coming.DriverComes = "a-0", &Admission{Executors: []int64{1}}, true
	coming.Groups = []Group{{Name: "0", Size: Size{1}, Held: []int64{2}, Leaving: []int64{0}, Comes: []int64{1}}}
	both := *state
	both.Capacity, both.Applications = Amounts{24}, append([]Application{coming}, state.Applications...)
	both.Nodes = []Node{{Free: Size{1}}, {Free: Size{1}}, {Free: Size{4}}, {Free: Size{3}}, {Free: Size{4}}, {Free: Size{5}}}
	if diff := cmp.Diff([]string{"a-1"}, inShort(Decide(&both)).Admit); diff != "" {
		t.Errorf("what comes of one that was let in before has nodes, and there is room beside it\n-want +got:\n%s", diff)
	}
	both.Nodes[1].Free, both.Nodes[3].Free = Size{0}, Size{1}
	if diff := cmp.Diff(map[string]Reason{"a-1": NoRoomOnNodes}, inShort(Decide(&both)).Waits); diff != "" {
		t.Errorf("the room is that of pods which are still to come\n-want +got:\n%s", diff)
	}
	state.Flavours[0].ScalesFromZero = true
	if diff := cmp.Diff([]string{"a-1"}, inShort(Decide(state)).Admit); diff != "" {
		t.Errorf("where nodes are added when they are wanted, none has to be there\n-want +got:\n%s", diff)
	}
}

// TestMinimumOfAnyFlavour has an application with more than its minimum lose the executor that it was let in with: it is not
// given another one for it.
func TestMinimumOfAnyFlavour(t *testing.T) {
	state := &State{
		Shape: Shape{Flavours: []Flavour{{Name: "spot"}, {Name: "steady"}}, Resources: []string{"cpu"}},
		Now:   noon, Capacity: Amounts{1, 3}, ReclaimPercent: 100, Queues: []Queue{{Name: "a"}, {Name: "b", Guaranteed: Amounts{1, 0}}},
		Applications: []Application{
			{
				ID: "x", Queue: "a", Driver: Size{0}, Executor: Size{1}, Minimum: 1, Admitted: &Admission{Executors: []int64{1, 0}},
				Groups: []Group{{Name: "0", Size: Size{1}, Held: []int64{1, 3}, Leaving: []int64{0, 0}}},
			},
			{ID: "y", Queue: "b", Driver: Size{0}, Executor: Size{1}, Minimum: 1},
		},
	}
	if diff := cmp.Diff(map[string]int64{"x for b: guarantee": 1}, inShort(Decide(state)).Take); diff != "" {
		t.Fatalf("b is guaranteed what x has\n-want +got:\n%s", diff)
	}
	group := &state.Applications[0].Groups[0]
	group.Leaving[0], group.Gated = 1, 1
	if got := inShort(Decide(state)); len(got.Lift)+len(got.Admit) > 0 {
		t.Errorf("while it leaves nothing changes, got %+v", got)
	}
	group.Held[0], group.Leaving[0] = 0, 0
	if diff := cmp.Diff([]string{"y"}, inShort(Decide(state)).Admit); diff != "" {
		t.Errorf("when it has left there is room for y\n-want +got:\n%s", diff)
	}
}
