package queue

import (
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
