package queue

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	engine "brazier.sh/brazier/internal/queue"
)

var noon = time.Date(2026, time.November, 26, 12, 0, 0, 0, time.UTC)

// executor is one of size 1, made so many seconds after noon.
func executor(name string, after int, change ...func(*pod)) pod {
	p := pod{
		name: name, run: 1, profile: "0", size: engine.Size{1000, 1}, running: true, onNode: true,
		created: noon.Add(time.Duration(after) * time.Second),
	}
	for _, change := range change {
		change(&p)
	}
	return p
}

func isGated(p *pod)    { p.gated, p.running, p.onNode = true, false, false }
func isLeaving(p *pod)  { p.leaving = true }
func isStarting(p *pod) { p.running = false }
func isOnSpot(p *pod)   { p.flavour = 1 }

func names(pods []pod) []string {
	var all []string
	for _, p := range pods {
		all = append(all, p.name)
	}
	return all
}

func TestToLift(t *testing.T) {
	g := &group{pods: []pod{
		executor("e-10", 5, isGated), executor("e-9", 5, isGated), executor("e-2", 3, isGated), executor("e-1", 1), executor("e-3", 2, isGated, isLeaving),
	}}
	want := []string{"e-2", "e-9", "e-10"}
	for n := range 4 {
		if diff := cmp.Diff(want[:n], names(toLift(g, int64(n))), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("the first %d are those that have waited longest, and by their number\n-want +got:\n%s", n, diff)
		}
	}
	if got := toLift(g, 9); len(got) != 3 {
		t.Errorf("there are no more than there are, got %v", names(got))
	}
}

func TestToTake(t *testing.T) {
	g := &group{pods: []pod{
		executor("e-1", 1), executor("e-2", 9), executor("e-3", 2, isStarting), executor("e-4", 4, isStarting), executor("e-5", 10, isOnSpot),
		executor("e-6", 11, isGated), executor("e-7", 12, isLeaving), executor("e-8", 9),
	}}
	want := []string{"e-4", "e-3", "e-8", "e-2", "e-1"}
	if diff := cmp.Diff(want, names(toTake(g, 0, 9))); diff != "" {
		t.Errorf("first those that have not started, then the youngest; none that is gated, on its way, or elsewhere\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], names(toTake(g, 0, 2))); diff != "" {
		t.Errorf("no more than are wanted\n-want +got:\n%s", diff)
	}
}
