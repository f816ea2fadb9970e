package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// world is a cluster of cpus CPUs, on as many nodes as is said or on none that is known, with a list of queues. Decisions
// are made every ten seconds at most, and executors hand over for thirty.
func world(t testing.TB, cpus, nodes int64, queues string, apps ...Application) *Options {
	t.Helper()
	var objects []v1alpha1.Queue
	if err := yaml.UnmarshalStrict([]byte(queues), &objects); err != nil {
		t.Fatal(err)
	}
	tree, problems := queuetree.Convert(objects)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	o := &Options{Tree: tree, Every: 10 * time.Second, HandOver: 30 * time.Second, Trace: &Trace{Applications: apps}}
	o.Cluster = Cluster{Pools: make([]Pool, 1), Capacity: tree.None()}
	o.Cluster.Capacity[0], o.Cluster.Capacity[1] = cpus*1000, cpus*gi
	if nodes > 0 {
		var err error
		o.Cluster, err = NewCluster(&tree, []Nodes{{Name: "default", Nodes: int(nodes), Allocatable: corev1.ResourceList{
			"cpu": *resource.NewQuantity(cpus/nodes, resource.DecimalSI), "memory": *resource.NewQuantity(cpus/nodes*gi, resource.BinarySI),
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// app has a driver and executors of one CPU each, and work for seconds.
func app(id, queue string, submit, minimum, maximum, work int64, change ...func(*Application)) Application {
	a := Application{
		ID: id, Queue: queue, User: id, Submit: time.Duration(submit) * time.Second, Minimum: minimum, Maximum: maximum,
		Work: time.Duration(work) * time.Second, Driver: Pod{CPU: 1000, Memory: gi}, Executor: Pod{CPU: 1000, Memory: gi}, Line: 1,
	}
	for _, change := range change {
		change(&a)
	}
	return a
}

// said is what a test looks at of a queue's figures.
type said struct {
	Ended, Unfinished, Overran, Stopped int
	Refused                             map[queue.Reason]int
	Reclaimed                           map[queue.Ground]int64
	Wait, Turnaround                    float64 // the longest
	Lost                                float64
}

func figures(t *testing.T, res *Result, name string) Figures {
	t.Helper()
	for _, f := range res.Queues {
		if f.Queue == name {
			return f
		}
	}
	t.Fatalf("no figures of %s", name)
	return Figures{}
}

func inShort(f Figures) said {
	return said{
		Ended: f.Ended, Unfinished: f.Unfinished, Overran: f.Overran, Stopped: f.Stopped, Refused: f.Refused, Reclaimed: f.Reclaimed,
		Wait: f.Waiting.Max, Turnaround: f.Turnaround.Max, Lost: f.Lost,
	}
}

func TestRun(t *testing.T) {
	const one = `[{metadata: {name: a}, spec: {}}]`
	const root = `{metadata: {name: root}, spec: {cluster: {reclaimPercent: 100}}}`
	const two = `[` + root + `, {metadata: {name: a}, spec: {}}, {metadata: {name: b}, spec: {quotas: [{flavour: default, guaranteed: {cpu: "4", memory: 4Gi}}]}}]`
	tests := map[string]struct {
		reason string
		engine string
		world  *Options
		queue  string
		want   said
	}{
		"Fixed": {
			reason: "An application with all its executors ends when they have done the work.",
			world:  world(t, 10, 0, one, app("x", "a", 0, 2, 2, 200)), queue: "a",
			want: said{Ended: 1, Turnaround: 100},
		},
		"Growth": {
			reason: "Executors join in the next round: ten seconds with one, and what is left with four.",
			world:  world(t, 10, 0, one, app("x", "a", 0, 1, 4, 400)), queue: "a",
			want: said{Ended: 1, Turnaround: 107.5},
		},
		"Waiting": {
			reason: "The second begins when the first has ended.",
			world:  world(t, 3, 0, one, app("x", "a", 0, 2, 2, 200), app("y", "a", 0, 2, 2, 200)), queue: "a",
			want: said{Ended: 2, Wait: 100, Turnaround: 200},
		},
		"RoundsAreApart": {
			reason: "What comes just after a round waits for the next.",
			world:  world(t, 9, 0, one, app("x", "a", 0, 1, 1, 100), app("y", "a", 1, 1, 1, 100)), queue: "a",
			want: said{Ended: 2, Wait: 9, Turnaround: 109},
		},
		"GivesBack": {
			reason: "x has 9 executors, of which 2 are told to go at 100 and do no more; 820 of 2000 are done by then.",
			world:  world(t, 10, 0, two, app("x", "a", 0, 1, 9, 2000), app("y", "b", 100, 1, 1, 1000)), queue: "a",
			want: said{Ended: 1, Reclaimed: map[queue.Ground]int64{queue.ForGuarantee: 2}, Turnaround: 268.5714},
		},
		"GetsBack": {
			reason: "y gets what it is guaranteed when it has been handed over.",
			world:  world(t, 10, 0, two, app("x", "a", 0, 1, 9, 2000), app("y", "b", 100, 1, 1, 1000)), queue: "b",
			want: said{Ended: 1, Wait: 30, Turnaround: 1030},
		},
		"Grace": {
			reason: "Nothing is handed over for longer than the queue's grace.",
			world: world(t, 10, 0, `[`+root+`, {metadata: {name: a}, spec: {reclaim: {grace: 5s}}}, {metadata: {name: b}, spec: {quotas: [{flavour: default, guaranteed: {cpu: "4", memory: 4Gi}}]}}]`,
				app("x", "a", 0, 1, 9, 2000), app("y", "b", 100, 1, 1, 1000)), queue: "b",
			want: said{Ended: 1, Wait: 10, Turnaround: 1010},
		},
		"Stopped": {
			reason: "An application that is stopped waits again, and begins anew.",
			world: world(t, 6, 0, `[{metadata: {name: a}, spec: {reclaim: {victims: Applications}}}, {metadata: {name: b}, spec: {quotas: [{flavour: default, guaranteed: {cpu: "4", memory: 4Gi}}]}}]`,
				app("x", "a", 0, 5, 5, 1000), app("y", "b", 100, 3, 3, 300)), queue: "a",
			// Stopped at 100 with 500 done, begins again at 210: y is let in in the round after, at 110, and takes 100 seconds.
			want: said{Ended: 1, Stopped: 1, Lost: 500, Wait: 110, Turnaround: 410},
		},
		"Overran": {
			reason: "What takes longer than it has declared is ended.",
			world:  world(t, 10, 0, one, app("x", "a", 0, 1, 1, 100, func(a *Application) { a.MaxRunTime = time.Minute })), queue: "a",
			want: said{Overran: 1, Turnaround: 60},
		},
		"TimedOut": {
			reason: "What waits for too long is refused, also when nothing else happens.",
			world: world(t, 4, 0, `[{metadata: {name: a}, spec: {waitTimeout: 30s, maxRunning: 1}}]`,
				app("x", "a", 0, 1, 1, 1000), app("y", "a", 0, 1, 1, 100)), queue: "a",
			want: said{Ended: 1, Refused: map[queue.Reason]int{queue.WaitedTooLong: 1}, Turnaround: 1000},
		},
		"TimedOutAlone": {
			reason: "Where nothing runs any more it is refused all the same.",
			world:  world(t, 4, 0, `[{metadata: {name: a}, spec: {waitTimeout: 30s, drain: true}}]`, app("x", "a", 0, 1, 1, 1000)), queue: "a",
			want: said{Refused: map[queue.Reason]int{queue.WaitedTooLong: 1}},
		},
		"TooBigForNodes": {
			reason: "A pod that is larger than a node is not waited for.",
			world:  world(t, 8, 4, one, app("x", "a", 0, 1, 1, 100, func(a *Application) { a.Executor.CPU = 3000 })), queue: "a",
			want: said{Refused: map[queue.Reason]int{queue.TooBig: 1}},
		},
		"TooBig": {
			reason: "What fits never is left waiting, and the simulation ends.",
			world:  world(t, 4, 0, one, app("x", "a", 0, 4, 4, 100), app("y", "a", 0, 1, 1, 100)), queue: "a",
			want: said{Ended: 1, Unfinished: 1, Turnaround: 100},
		},
		"Fragments": {
			reason: "Of six CPUs on two nodes a third pod of two finds no node until another has ended, though CPUs are free.",
			world: world(t, 6, 2, one,
				app("x", "a", 0, 1, 1, 100, func(a *Application) { a.Driver.CPU, a.Executor.CPU = 0, 2000 }),
				app("y", "a", 0, 2, 2, 200, func(a *Application) { a.Driver.CPU, a.Executor.CPU = 0, 2000 })), queue: "a",
			// y has one working until 100, and both then: 100 are left for two.
			want: said{Ended: 2, Turnaround: 150},
		},
		"FIFO": {
			reason: "In one line the small one waits behind the large one, though it is another queue's.", engine: FIFO,
			world: world(t, 10, 0, two, app("x", "a", 0, 6, 6, 600), app("y", "a", 0, 6, 6, 600), app("z", "b", 0, 1, 1, 50)), queue: "b",
			want: said{Ended: 1, Wait: 100, Turnaround: 150},
		},
		"FIFOGrowth": {
			reason: "What is left goes to the oldest.", engine: FIFO,
			world: world(t, 10, 0, one, app("x", "a", 0, 1, 9, 810), app("y", "a", 20, 1, 1, 100)), queue: "a",
			// x has one for ten seconds, and nine for what is left of 810: until 98.9; y begins then.
			want: said{Ended: 2, Wait: 78.8889, Turnaround: 178.8889},
		},
		"Static": {
			reason: "In a part of its own it has four and two of six that are left, whatever else is idle.", engine: Static,
			world: world(t, 10, 0, two, app("x", "b", 0, 1, 20, 610)), queue: "b",
			// One for ten seconds, and six beside the driver's one then.
			want: said{Ended: 1, Turnaround: 110},
		},
		"StaticTooBig": {
			reason: "What is larger than the part never begins.", engine: Static,
			world: world(t, 10, 0, two, app("x", "a", 0, 4, 4, 610), app("y", "a", 0, 1, 1, 10)), queue: "a",
			want: said{Ended: 1, Unfinished: 1, Turnaround: 10},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.engine == "" {
				tt.engine = Brazier
			}
			engine, _ := EngineOf(tt.engine)
			res, err := Run(tt.engine, engine, tt.world)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, inShort(figures(t, res, tt.queue))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestWrongEngine: what an engine decides that cannot be is an error, not a report.
func TestWrongEngine(t *testing.T) {
	admitted := func(count int64) *queue.Admission { return &queue.Admission{Executors: []int64{count}} }
	tests := map[string]struct {
		decisions func(round int) (queue.Decisions, error)
		want      string
	}{
		"Fails":  {func(int) (queue.Decisions, error) { return queue.Decisions{}, errors.New("no") }, "engine mad: 0s after the first application: no"},
		"Nobody": {func(int) (queue.Decisions, error) { return queue.Decisions{Admit: []queue.Admit{{App: "z"}}}, nil }, "z was let in and does not wait"},
		"TooMuch": {func(int) (queue.Decisions, error) {
			return queue.Decisions{Admit: []queue.Admit{{App: "x", Admit: *admitted(5)}}}, nil
		}, "6000 of cpu are used of 4000"},
		"NotGated": {func(int) (queue.Decisions, error) {
			return queue.Decisions{Lift: []queue.Lift{{App: "x", Count: 1}}}, nil
		}, "1 executors of x were let go and do not wait"},
		"Minimum": {
			func(round int) (queue.Decisions, error) {
				if round == 0 {
					return queue.Decisions{Admit: []queue.Admit{{App: "x", Admit: *admitted(2)}}}, nil
				}
				return queue.Decisions{Reclaim: []queue.Take{{App: "x", Count: 1}}}, nil
			}, "1 executors were taken of x, which has no so many to spare",
		},
		"Refused": {func(int) (queue.Decisions, error) { return queue.Decisions{Refuse: []queue.Refuse{{App: "z"}}}, nil }, "z was refused and does not wait"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rounds := 0
			_, err := Run("mad", func(*queue.State) (queue.Decisions, error) {
				rounds++
				return tt.decisions(rounds - 1)
			}, world(t, 4, 0, `[{metadata: {name: a}, spec: {}}]`, app("x", "a", 0, 2, 3, 100)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q, got %v", tt.want, err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	o := world(t, 4, 0, `[{metadata: {name: a}, spec: {}}, {metadata: {name: b}, spec: {parent: a}}, {metadata: {name: c}, spec: {}}]`,
		app("x", "a", 0, 1, 1, 100), app("y", "nope", 0, 1, 1, 100), app("z", "b", 0, 1, 1, 100, func(a *Application) { a.Executor.GPUs = 1 }))
	_, err := Run(Brazier, decide, o)
	want := `line 1, queue: "a" is no queue that applications can be in; write one of b, c
line 1, queue: "nope" is no queue that applications can be in; write one of b, c
line 1, gpus: the queues do not count nvidia.com/gpu`
	if err == nil || err.Error() != want {
		t.Errorf("want %s\ngot %v", want, err)
	}
}

// TestAnyTrace: every application of any trace comes to an end of one kind, whatever the engine, and the same trace gives the
// same report.
func TestAnyTrace(t *testing.T) {
	const tree = `[{metadata: {name: p}, spec: {weight: 2}}, {metadata: {name: a}, spec: {parent: p, order: Priority, reclaim: {victims: Applications}}},
		{metadata: {name: b}, spec: {parent: p, maxRunning: 3, waitTimeout: 10m, quotas: [{flavour: default, guaranteed: {cpu: "10", memory: 10Gi}}]}}, {metadata: {name: c}, spec: {}},
		{metadata: {name: root}, spec: {cluster: {reclaimPercent: 30, room: true}}}]`
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 7))
			var apps []Application
			for i := range 60 {
				minimum := dice.Int64N(6) + 1
				apps = append(apps, app(fmt.Sprint(i), string("abc"[dice.IntN(3)]), dice.Int64N(600), minimum, minimum+dice.Int64N(20), dice.Int64N(4000)+1, func(a *Application) {
					a.Priority = new(dice.Int32N(3))
					a.Executor.CPU = (dice.Int64N(3) + 1) * 1000
					a.MaxRunTime = time.Duration(dice.Int64N(2)*dice.Int64N(1000)) * time.Second
				}))
			}
			sortByTime(apps)
			for _, name := range Engines() {
				engine, _ := EngineOf(name)
				o := world(t, 64, 8, tree, apps...)
				o.HandOver = time.Duration(dice.IntN(60)) * time.Second
				first, err := Run(name, engine, o)
				if err != nil {
					t.Fatal(err)
				}
				all := figures(t, first, queue.Root)
				refused := 0
				for _, count := range all.Refused {
					refused += count
				}
				if all.Applications != 60 || all.Ended+all.Overran+refused+all.Unfinished != 60 {
					t.Errorf("%s: 60 applications came, and %d ended, %d overran, %d were refused, %d are left", name, all.Ended, all.Overran, refused, all.Unfinished)
				}
				if all.Unfinished > 0 && name != Static {
					t.Errorf("%s: all fit, and %d are left", name, all.Unfinished)
				}
				if all.Dominant > 1 || first.Fairness.Mean > 1 || first.Fairness.Mean <= 0 {
					t.Errorf("%s: used %f, fairness %f", name, all.Dominant, first.Fairness.Mean)
				}
				second, err := Run(name, engine, o)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(first, second); diff != "" {
					t.Errorf("%s: not the same twice\n%s", name, diff)
				}
			}
		})
	}
}
