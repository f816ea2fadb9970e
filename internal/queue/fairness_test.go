package queue

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// grower is an application of queue that has held executors of size and wants more without end.
func grower(queue string, size Size, held int64) Application {
	return Application{
		ID: queue, Queue: queue, Driver: make(Size, len(size)), Executor: size, Minimum: 0,
		Admitted: &Admission{Executors: []int64{0}},
		Groups:   []Group{{Name: "0", Size: size, Gated: 1000, Held: []int64{held}, Leaving: []int64{0}}},
	}
}

func lifts(d Decisions) map[string]int64 { return inShort(d).Lift }

// TestHierarchicalFairness has the two examples for which H-DRF was made.
func TestHierarchicalFairness(t *testing.T) {
	shape := Shape{Flavours: []Flavour{{Name: "default"}}, Resources: []string{"cpu", "gpu"}}
	queues := []Queue{{Name: "one"}, {Name: "two"}, {Name: "cpus", Parent: "two"}, {Name: "gpus", Parent: "two"}}
	cpu, gpu := Size{1, 0}, Size{0, 1}
	tests := map[string]struct {
		reason string
		apps   []Application
		want   map[string]int64
	}{
		"FromNothing": {
			reason: "Two queues have half of the CPUs each; the GPUs, which nobody else wants, go to the one that does.",
			apps:   []Application{grower("one", cpu, 0), grower("cpus", cpu, 0), grower("gpus", gpu, 0)},
			want:   map[string]int64{"one": 5, "cpus": 5, "gpus": 10},
		},
		"NoStarvation": {
			reason: "That two has all GPUs does not keep it from the CPU that one of its parts has lost: by plain DRF on each level one would get it.",
			apps:   []Application{grower("one", cpu, 5), grower("cpus", cpu, 4), grower("gpus", gpu, 10)},
			want:   map[string]int64{"cpus": 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			state := &State{Shape: shape, Now: noon, Capacity: Amounts{10, 10}, Queues: queues, Applications: tt.apps}
			if diff := cmp.Diff(tt.want, lifts(Decide(state))); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestDominantResource is the example of the paper on DRF (Ghodsi and others, NSDI 2011): 9 CPUs and 18 GB, tasks of <1, 4>
// and <3, 1>; three of the one and two of the other.
func TestDominantResource(t *testing.T) {
	state := &State{
		Shape: Shape{Flavours: []Flavour{{Name: "default"}}, Resources: []string{"cpu", "memory"}}, Now: noon, Capacity: Amounts{9, 18},
		Queues:       []Queue{{Name: "a"}, {Name: "b"}},
		Applications: []Application{grower("a", Size{1, 4}, 0), grower("b", Size{3, 1}, 0)},
	}
	if diff := cmp.Diff(map[string]int64{"a": 3, "b": 2}, lifts(Decide(state))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// BenchmarkRound is a round with 10,000 applications that wait in 1,000 queues, of a cluster that is full of others.
func BenchmarkRound(b *testing.B) {
	for name, free := range map[string]int64{"nothing fits": 0, "all fit": 1 << 40} {
		b.Run(name, func(b *testing.B) {
			state := crowded(1000, 10_000, free)
			b.ReportAllocs()
			for b.Loop() {
				Decide(state)
			}
		})
	}
}

// crowded is a cluster with queues in two levels, each with one application that runs, and apps that wait.
func crowded(queues, apps int, free int64) *State {
	state := &State{
		Shape: Shape{Flavours: []Flavour{{Name: "spot"}, {Name: "steady"}}, Resources: []string{"cpu", "memory"}}, Now: noon,
		Capacity: Amounts{free, free, free, free},
	}
	for i := range queues / 20 {
		state.Queues = append(state.Queues, Queue{Name: fmt.Sprintf("team-%d", i)})
	}
	for i := range queues - queues/20 {
		name := fmt.Sprintf("queue-%d", i)
		state.Queues = append(state.Queues, Queue{
			Name: name, Parent: fmt.Sprintf("team-%d", i%(queues/20)), Weight: int64(1 + i%3), Guaranteed: Amounts{0, 0, 2000, 8000},
		})
		size := Size{1000, 4000}
		running := Application{
			ID: "running-" + name, Queue: name, User: "u", Driver: size, Executor: size, Minimum: 1,
			Admitted: &Admission{Driver: 1, Executors: []int64{0, 1}},
			Groups:   []Group{{Name: "0", Size: size, Gated: 3, Held: []int64{2, 1}, Leaving: []int64{0, 0}}},
		}
		state.Applications = append(state.Applications, running)
		state.Capacity.add(state.Charge(&running))
	}
	for i := range apps {
		state.Applications = append(state.Applications, Application{
			ID: fmt.Sprintf("app-%d", i), Queue: fmt.Sprintf("queue-%d", i%(queues-queues/20)), User: fmt.Sprintf("user-%d", i%100),
			Created: noon.Add(-1), Driver: Size{1000, 2000}, Executor: Size{2000, 8000}, Minimum: int64(1 + i%5),
		})
	}
	return state
}
