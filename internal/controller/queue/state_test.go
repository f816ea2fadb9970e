package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// twoPools is a tree of one queue on two flavours, of which it is said what there is.
func twoPools(t *testing.T) *queuetree.Tree {
	t.Helper()
	capacity := corev1.ResourceList{"cpu": resource.MustParse("20"), "memory": resource.MustParse("100")}
	tree, problems := queuetree.Convert([]v1alpha1.Queue{
		{ObjectMeta: metav1.ObjectMeta{Name: "root"}, Spec: v1alpha1.QueueSpec{Cluster: &v1alpha1.ClusterShares{Flavours: []v1alpha1.Flavour{
			{Name: "stable", NodeLabels: map[string]string{"pool": "stable"}, Capacity: capacity},
			{Name: "spot", NodeLabels: map[string]string{"pool": "spot"}, Capacity: capacity},
		}}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "etl"}, Spec: v1alpha1.QueueSpec{Priorities: &v1alpha1.Priorities{Default: 3}}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return &tree
}

func asks(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
}

// app is one that waits in etl with a driver of 2 CPUs and a minimum of two executors of 1.
func app(change ...func(*member)) member {
	m := member{
		uid: "u", key: types.NamespacedName{Namespace: "shop", Name: "pi"}, run: 1, state: v1beta2.ApplicationStateSubmitted, user: "shop",
		place: &v1beta2.QueuePlace{Name: "etl", Since: metav1.NewTime(noon), Driver: asks("2", "2"), Executor: asks("1", "1"), Minimum: 2},
	}
	for _, change := range change {
		change(&m)
	}
	return m
}

func letIn(m *member) {
	place := *m.place
	place.Admitted = &v1beta2.QueueAdmission{At: metav1.NewTime(noon), Driver: "stable", Executors: map[string]int64{"spot": 2}}
	m.place = &place
}

func in(state v1beta2.ApplicationStateType) func(*member) {
	return func(m *member) { m.state = state }
}

func with(pods ...pod) func(*member) {
	return func(m *member) { m.pods = pods }
}

func withDriver(m *member) { m.driver, m.driverOnNode = true, true }

func TestAssess(t *testing.T) {
	size, driver := engine.Size{1000, 1}, engine.Size{2000, 2}
	waiting := engine.Application{
		ID: "u", Queue: "etl", User: "shop", Priority: 3, Created: noon, Driver: driver, Executor: size, Minimum: 2,
	}
	running := waiting
	running.Admitted = &engine.Admission{At: noon, Driver: 0, Executors: []int64{0, 2}}
	comes := func(a engine.Application) engine.Application {
		a.DriverComes = true
		return a
	}
	with1 := func(a engine.Application, groups ...engine.Group) engine.Application {
		a.Groups = groups
		return a
	}
	left := func(groups ...engine.Group) engine.Application {
		return engine.Application{
			ID: "u/remains", Queue: "etl", User: "shop", Created: noon, Admitted: &engine.Admission{Executors: []int64{0, 0}}, Groups: groups,
		}
	}
	tests := map[string]struct {
		reason string
		app    member
		ledger func(*ledger)
		want   []engine.Application
	}{
		"Waits": {
			reason: "What waits has its sizes and its queue's priority.",
			app:    app(), want: []engine.Application{waiting},
		},
		"Suspended": {
			reason: "What is about to be called off waits no more.",
			app:    app(func(m *member) { m.suspended = true }),
		},
		"LetInByNow": {
			reason: "What was let in and is not written down yet is let in.",
			app:    app(),
			ledger: func(l *ledger) {
				l.admitted[runKey{"u", 1}] = admitted{place: app().place, admission: &v1beta2.QueueAdmission{
					At: metav1.NewTime(noon), Driver: "stable", Executors: map[string]int64{"spot": 2},
				}}
			},
			want: []engine.Application{comes(running)},
		},
		"Runs": {
			reason: "Executors are told apart by flavour, and those that have not been let go are charged for nothing.",
			app: app(letIn, in(v1beta2.ApplicationStateRunning), withDriver,
				with(executor("e-1", 1), executor("e-2", 2, isOnSpot), executor("e-3", 3, isGated), executor("e-4", 4, isOnSpot, isLeaving))),
			want: []engine.Application{with1(running, engine.Group{Name: "0", Size: size, Gated: 1, Held: []int64{1, 2}, Leaving: []int64{0, 1}})},
		},
		"LetGoByNow": {
			reason: "An executor that was let go and is not seen so takes up room where it was let go to; one that was told to go is on its way.",
			app:    app(letIn, in(v1beta2.ApplicationStateRunning), withDriver, with(executor("e-1", 1, isGated), executor("e-2", 2))),
			ledger: func(l *ledger) {
				l.lifted[podKey{"u", "e-1"}] = 1
				l.taken[podKey{"u", "e-2"}] = struct{}{}
			},
			want: []engine.Application{with1(running, engine.Group{Name: "0", Size: size, Held: []int64{1, 1}, Leaving: []int64{1, 0}, Comes: []int64{0, 1}})},
		},
		"Profiles": {
			reason: "Executors of one size are one group, whatever their profiles.",
			app: app(letIn, in(v1beta2.ApplicationStateRunning), withDriver, with(
				executor("e-1", 1, func(p *pod) { p.profile = "2" }), executor("e-2", 1, func(p *pod) { p.profile = "1" }),
				executor("e-3", 1, func(p *pod) { p.profile, p.size = "1", engine.Size{4000, 9} }),
			)),
			want: []engine.Application{with1(running,
				engine.Group{Name: "1", Size: size, Held: []int64{2, 0}, Leaving: []int64{0, 0}},
				engine.Group{Name: "1#4000,9,", Size: engine.Size{4000, 9}, Held: []int64{1, 0}, Leaving: []int64{0, 0}})},
		},
		"Ended": {
			reason: "What is left of a run that is over is on its way, and nothing of it is promised.",
			app:    app(letIn, in(v1beta2.ApplicationStateCompleted), with(executor("e-1", 1))),
			want:   []engine.Application{left(engine.Group{Name: "0", Size: size, Held: []int64{1, 0}, Leaving: []int64{1, 0}})},
		},
		"Gone": {
			reason: "What has ended and left nothing has nothing.",
			app:    app(letIn, in(v1beta2.ApplicationStateCompleted)),
		},
		"DriverLeft": {
			reason: "A driver that is being removed takes up room until it is gone.",
			app:    app(letIn, in(v1beta2.ApplicationStatePendingRerun), withDriver),
			want:   []engine.Application{left(engine.Group{Name: "driver", Size: driver, Held: []int64{1, 0}, Leaving: []int64{1, 0}})},
		},
		"TakenBackByNow": {
			reason: "All of a run that has to stop is on its way, before it is seen to.",
			app:    app(letIn, in(v1beta2.ApplicationStateRunning), withDriver, with(executor("e-1", 1), executor("e-2", 1, isGated))),
			ledger: func(l *ledger) { l.wholly[runKey{"u", 1}] = "others want it" },
			want: []engine.Application{left(
				engine.Group{Name: "0", Size: size, Held: []int64{1, 0}, Leaving: []int64{1, 0}},
				engine.Group{Name: "driver", Size: driver, Held: []int64{1, 0}, Leaving: []int64{1, 0}})},
		},
		"WaitsAgain": {
			reason: "Executors of an earlier run take up room while the next one waits.",
			app:    app(func(m *member) { m.run = 2 }, with(executor("e-1", 1, isLeaving))),
			want:   []engine.Application{waiting, left(engine.Group{Name: "0", Size: size, Held: []int64{1, 0}, Leaving: []int64{1, 0}})},
		},
		"Stuck": {
			reason: "What cannot be let go is not asked for again.",
			app:    app(letIn, in(v1beta2.ApplicationStateRunning), withDriver, with(executor("e-1", 1, isGated))),
			ledger: func(l *ledger) { l.stuck[podKey{"u", "e-1"}] = struct{}{} },
			want:   []engine.Application{running},
		},
		"FlavourGone": {
			reason: "What was let in on a flavour that there is not any more is charged all the same.",
			app: app(letIn, func(m *member) {
				m.place.Admitted.Driver, m.place.Admitted.Executors = "old", map[string]int64{"old": 1, "spot": 1}
			}),
			want: []engine.Application{func() engine.Application {
				a := comes(running)
				a.Admitted = &engine.Admission{At: noon, Driver: 0, Executors: []int64{1, 1}}
				return a
			}()},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			if tt.ledger != nil {
				tt.ledger(l)
			}
			got := assess(cluster{now: noon, tree: twoPools(t), apps: []member{tt.app}}, l)
			if diff := cmp.Diff(tt.want, got.Applications, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestNothingIsDecidedTwice has an engine decide on a cluster that is seen late, piece by piece: what is seen with the
// ledger over it is at every moment the same as what there is, and as what another operator sees that begins then.
func TestNothingIsDecidedTwice(t *testing.T) {
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 7))
		m := &late{dice: dice, tree: twoPools(t), controller: New()}
		for i := range 1 + dice.IntN(6) {
			m.truth = append(m.truth, app(func(a *member) { a.uid, a.driver = types.UID(fmt.Sprint("app-", i)), true }))
		}
		m.seen = m.copyOf(m.truth)
		for range 30 {
			m.event()
			m.round()
			if diff := m.difference(); diff != "" {
				t.Fatalf("seed %d: what is seen with the ledger over it is not what there is\n-there is +seen:\n%s", seed, diff)
			}
		}
	}
}

// late is a cluster of which is seen what was a while ago.
type late struct {
	dice        *rand.Rand
	tree        *queuetree.Tree
	controller  *Controller
	truth, seen []member
	made        int
}

func (m *late) copyOf(apps []member) []member {
	all := slices.Clone(apps)
	for i := range all {
		all[i].pods = slices.Clone(all[i].pods)
	}
	return all
}

// event lets Spark make an executor, or one application be seen as it is by now.
func (m *late) event() {
	i := m.dice.IntN(len(m.truth))
	app := &m.truth[i]
	if m.dice.IntN(2) == 0 {
		m.seen[i] = m.copyOf(m.truth[i : i+1])[0]
		return
	}
	if app.runs() && len(app.pods) == len(m.seen[i].pods) {
		m.made++
		p := executor(fmt.Sprint("e-", m.made), m.made, isGated)
		app.pods, m.seen[i].pods = append(app.pods, p), append(slices.Clone(m.seen[i].pods), p)
	}
}

// round decides on what is seen, and carries it out on what there is.
func (m *late) round() {
	c := m.controller
	c.ledger.settle(m.seen)
	s := assess(cluster{now: noon, tree: m.tree, apps: m.seen}, c.ledger)
	decided := engine.Decide(&s.State)
	c.judge(s, decided)
	for _, admit := range decided.Admit {
		app := m.find(s.apps[admit.App].uid)
		place := *app.place
		place.Admitted = s.said(admit.Admit)
		app.place = &place
	}
	for _, lift := range decided.Lift {
		uid := s.apps[lift.App].uid
		for _, p := range toLift(s.group(lift.App, lift.Group), lift.Count) {
			c.ledger.lifted[podKey{uid, p.name}] = lift.Flavour
			m.change(uid, p.name, func(p *pod) { p.gated, p.flavour = false, lift.Flavour })
		}
	}
}

func (m *late) find(uid types.UID) *member {
	return &m.truth[slices.IndexFunc(m.truth, func(a member) bool { return a.uid == uid })]
}

func (m *late) change(uid types.UID, name string, change func(*pod)) {
	app := m.find(uid)
	change(&app.pods[slices.IndexFunc(app.pods, func(p pod) bool { return p.name == name })])
}

func (m *late) difference() string {
	there := assess(cluster{now: noon, tree: m.tree, apps: m.truth}, newLedger())
	seen := assess(cluster{now: noon, tree: m.tree, apps: m.seen}, m.controller.ledger)
	return cmp.Diff(there.State, seen.State, cmpopts.EquateEmpty())
}
