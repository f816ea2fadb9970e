//go:build bench

package queues

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/terminal"
)

// mostRound is what a round may take: the median of all.
const mostRound = 20 * time.Millisecond

// leastAdmitted is how many applications have to be let in a second.
const leastAdmitted = 1000

// TestRound decides over and over on a cluster that is full and on one that has room for everybody.
func TestRound(t *testing.T) {
	queues, apps, rounds := number(t, "QUEUES", 1000), number(t, "APPLICATIONS", 10_000), number(t, "ROUNDS", 50)
	full, free := crowded(queues, apps, 0), crowded(queues, apps, 1<<40)
	var rows [][]string
	add := func(name string, took time.Duration, decisions int) {
		perSecond := ""
		if decisions > 0 {
			perSecond = fmt.Sprintf("%.0f", float64(decisions)/took.Seconds())
		}
		rows = append(rows, []string{name, took.Round(10 * time.Microsecond).String(), strconv.Itoa(decisions), perSecond})
	}
	none, admitted := 0, 0
	floorFull := median(rounds, func() { none = byAge(full) })
	floorFree := median(rounds, func() { admitted = byAge(free) })
	add("by age alone, full cluster", floorFull, none)
	add("by age alone, room for all", floorFree, admitted)
	var decisions queue.Decisions
	roundFull := median(rounds, func() { decisions = queue.Decide(full) })
	add("Brazier, full cluster", roundFull, len(decisions.Admit))
	roundFree := median(rounds, func() { decisions = queue.Decide(free) })
	add("Brazier, room for all", roundFree, len(decisions.Admit))
	if len(decisions.Admit) != apps {
		t.Errorf("let %d of %d in, and there was room for all", len(decisions.Admit), apps)
	}
	terminal.System().Table(
		[]string{fmt.Sprintf("%d waiting in %d queues", apps, queues), "a round", "let in", "let in a second"}, rows)
	if roundFull > mostRound || roundFree > mostRound {
		t.Errorf("rounds of %v and %v, want at most %v", roundFull, roundFree, mostRound)
	}
	if perSecond := float64(len(decisions.Admit)) / roundFree.Seconds(); perSecond < leastAdmitted {
		t.Errorf("%.0f let in a second, want at least %d", perSecond, leastAdmitted)
	}
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	said := os.Getenv(name)
	if said == "" {
		return otherwise
	}
	n, err := strconv.Atoi(said)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is not a number above zero", name, said)
	}
	return n
}

// median is how long the one of rounds took that half of the others were faster than.
func median(rounds int, round func()) time.Duration {
	all := make([]time.Duration, rounds)
	for i := range all {
		runtime.GC() // of the round before
		begun := time.Now()
		round()
		all[i] = time.Since(begun)
	}
	slices.Sort(all)
	return all[rounds/2]
}

// byAge goes through what waits by age and lets in what fits, as somebody would who knows no queues. It is the floor.
func byAge(s *queue.State) (admitted int) {
	left := slices.Clone(s.Capacity)
	var waiting []*queue.Application
	for i := range s.Applications {
		app := &s.Applications[i]
		if app.Admitted == nil {
			waiting = append(waiting, app)
			continue
		}
		for slot, amount := range s.Charge(app) {
			left[slot] -= amount
		}
	}
	slices.SortFunc(waiting, func(a, b *queue.Application) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, app := range waiting {
		fits := true
		for i := range app.Driver {
			fits = fits && app.Driver[i]+app.Minimum*app.Executor[i] <= left[i]
		}
		if !fits {
			continue
		}
		for i := range app.Driver {
			left[i] -= app.Driver[i] + app.Minimum*app.Executor[i]
		}
		admitted++
	}
	return admitted
}

// crowded is a cluster with queues in two levels, each with one application that runs and wants more, and apps that wait.
// Free is what there is beside what they have.
func crowded(queues, apps int, free int64) *queue.State {
	s := &queue.State{
		Shape: queue.Shape{Flavours: []queue.Flavour{{Name: "spot"}, {Name: "steady"}}, Resources: []string{"cpu", "memory"}},
		Now:   time.Now(),
	}
	s.Capacity = s.All(free)
	teams := max(1, queues/20)
	for i := range teams {
		s.Queues = append(s.Queues, queue.Queue{Name: fmt.Sprintf("team-%d", i)})
	}
	leaves := max(1, queues-teams)
	for i := range leaves {
		name := fmt.Sprintf("queue-%d", i)
		s.Queues = append(s.Queues, queue.Queue{
			Name: name, Parent: fmt.Sprintf("team-%d", i%teams), Weight: int64(1 + i%3), Guaranteed: queue.Amounts{0, 0, 2000, 8000},
		})
		size := queue.Size{1000, 4000}
		running := queue.Application{
			ID: "running-" + name, Queue: name, User: "u", Driver: size, Executor: size, Minimum: 1,
			Admitted: &queue.Admission{Driver: 1, Executors: []int64{0, 1}},
			Groups:   []queue.Group{{Name: "0", Size: size, Gated: 3, Held: []int64{2, 1}, Leaving: []int64{0, 0}}},
		}
		s.Applications = append(s.Applications, running)
		for slot, amount := range s.Charge(&running) {
			s.Capacity[slot] += amount
		}
	}
	for i := range apps {
		s.Applications = append(s.Applications, queue.Application{
			ID: fmt.Sprintf("app-%d", i), Queue: fmt.Sprintf("queue-%d", i%leaves), User: fmt.Sprintf("user-%d", i%100),
			Created: s.Now.Add(-time.Duration(i) * time.Second),
			Driver:  queue.Size{1000, 2000}, Executor: queue.Size{2000, 8000}, Minimum: int64(1 + i%5),
		})
	}
	return s
}
