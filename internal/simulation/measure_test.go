package simulation

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestUsed(t *testing.T) {
	// x has three of ten CPUs for 100 seconds, y and z have two from 50 and from 100 on; the window ends at 150, when half of
	// them could have ended.
	o := world(t, 10, 0, `[{metadata: {name: a}, spec: {}}, {metadata: {name: b}, spec: {}}]`,
		app("x", "a", 0, 2, 2, 200), app("y", "b", 50, 1, 1, 100), app("z", "b", 100, 1, 1, 100))
	res, err := Run(Brazier, decide, o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Window != 150 || res.End != 200 {
		t.Errorf("want a window of 150 and an end at 200, got %v and %v", res.Window, res.End)
	}
	for name, want := range map[string]float64{"root": 0.4, "a": 0.2, "b": 0.2} {
		f := figures(t, res, name)
		if diff := cmp.Diff(map[string]float64{"cpu": want, "memory": want}, f.Used, cmpopts.EquateApprox(0, 1e-9)); diff != "" || f.Dominant != want {
			t.Errorf("%s: dominant %f\n-want +got:\n%s", name, f.Dominant, diff)
		}
		var mean float64
		for _, share := range f.Shares {
			mean += share / float64(len(f.Shares))
		}
		if math.Abs(mean-want) > 0.01 {
			t.Errorf("%s: the shares over time have a mean of %f, want %f", name, mean, want)
		}
	}
}

func TestGuarantee(t *testing.T) {
	const queues = `[{metadata: {name: a}, spec: {}}, {metadata: {name: b}, spec: {quotas: [{flavour: default, guaranteed: {cpu: "4", memory: 4Gi}}]}}]`
	apps := []Application{app("x", "a", 0, 9, 9, 900), app("y", "b", 20, 1, 1, 100), app("z", "b", 90, 8, 8, 100)}
	res, err := Run(FIFO, fifo, world(t, 10, 0, queues, apps...))
	if err != nil {
		t.Fatal(err)
	}
	// y wants two of the four from 20 until x ends at 100, 50 seconds of which are allowed; z wants more than is guaranteed,
	// which is nobody's fault.
	want := Violation{Time: 30, Longest: 80, CPUHours: round((20*2 + 10*4) / 3600.0)}
	if diff := cmp.Diff(want, figures(t, res, "b").Guarantee); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := figures(t, res, "a").Guarantee; got != (Violation{}) {
		t.Errorf("who is guaranteed nothing lacks nothing, got %v", got)
	}
}

func TestFairness(t *testing.T) {
	const queues = `[{metadata: {name: a}, spec: {}}, {metadata: {name: p}, spec: {weight: 3}}, {metadata: {name: b}, spec: {parent: p}},
		{metadata: {name: c}, spec: {parent: p, quotas: [{flavour: default, guaranteed: {cpu: "10", memory: 10Gi}}]}}]`
	tests := map[string]struct {
		reason         string
		used, demand   map[string]int64
		want           float64
		wantNotCounted bool
	}{
		"Alone":    {"One queue cannot be treated unfairly.", map[string]int64{"a": 50}, map[string]int64{"a": 100}, 0, true},
		"Starved":  {"One of two has all: a half.", map[string]int64{"a": 100}, map[string]int64{"a": 200, "b": 200}, 0.5, false},
		"AllAlike": {"Nobody has anything.", nil, map[string]int64{"a": 10, "b": 10}, 1, false},
		"Weighted": {
			"Ten of a hundred are c's own, and of what is left of the root's p has three quarters, half of which are c's.",
			map[string]int64{"a": 22, "b": 34, "c": 44},
			map[string]int64{"a": 500, "b": 500, "c": 500},
			1, false,
		},
		"Content": {"Who wants little and has it is treated as fairly as who has the rest.", map[string]int64{"a": 95, "b": 5}, map[string]int64{"a": 500, "b": 5}, 1, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMeasure(world(t, 100, 0, queues, app("x", "a", 0, 1, 1, 1)))
			for _, a := range m.byDepth {
				a.seen.demand = make([]int64, 2)
			}
			for name, cpus := range tt.used {
				m.accounts[name].used[0] = cpus * 1000
			}
			for name, cpus := range tt.demand {
				m.accounts[name].each(func(at *account) { at.seen.demand[0] = min(at.seen.demand[0]+cpus*1000, 100_000) })
			}
			got, counts := m.fairness()
			if counts == tt.wantNotCounted || math.Abs(got-tt.want) > 0.002 {
				t.Errorf("%s got %f (%t), want %f", tt.reason, got, counts, tt.want)
			}
		})
	}
}

func TestDistribution(t *testing.T) {
	var spans []time.Duration
	for i := range 100 {
		spans = append(spans, time.Duration(100-i)*time.Second)
	}
	if diff := cmp.Diff(Distribution{Mean: 50.5, P50: 50, P95: 95, Max: 100}, distribution(spans)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := distribution(nil); got != (Distribution{}) {
		t.Errorf("nothing is nothing, got %v", got)
	}
}
