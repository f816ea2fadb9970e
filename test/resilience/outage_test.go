//go:build resilience

package resilience

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	// outage is how long the API server is away, and window how long requests are counted before and after.
	outage = 2 * time.Minute
	window = time.Minute
	// Of the applications some end in each window, and others are submitted at its beginning.
	steady, ending, submitted = 60, 20, 20
	// mostMore is how many more requests there may be in the minute after the outage than in one with as much to do: those
	// of starting anew, but not one for each application.
	mostMore = 60
)

// TestOutage takes the API server away while drivers run and others are being submitted. When it is back, nothing is
// lost, nothing runs twice, and the operator asks no more than its work takes.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	w.kept = w.keep()
	apps := names("steady", steady)
	for _, name := range apps {
		w.submit(name)
	}
	w.awaitStates(v1beta2.ApplicationStateRunning, apps)

	// A minute of work, with the API server there.
	before := time.Now()
	w.work("before", apps[:ending], func() {})
	w.pass(window - time.Since(before))

	// As much work, with the API server away between the submissions and the ends.
	there := w.drivers()
	var away, back time.Time
	w.work("after", apps[ending:2*ending], func() {
		if err := w.Plane.KillAPIServer(); err != nil {
			t.Fatal(err)
		}
		away = time.Now()
		w.pass(outage)
		if err := w.Plane.StartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		back = time.Now()
	})
	w.pass(window - time.Since(back))

	t.Logf("the API server was away for %v; the operator was started %d times", back.Sub(away).Round(time.Second), w.kept.starts)
	w.checkNothingLost(there, apps[2*ending:])
	w.checkNoStorm(before, back)
}

// work submits applications, has something happen in the moment that the last of them is there, and has drivers end.
func (w *world) work(prefix string, ends []string, meanwhile func()) {
	w.t.Helper()
	apps := names(prefix, submitted)
	for i, name := range apps {
		w.submit(name)
		if i == submitted-1 {
			meanwhile()
		}
	}
	for _, name := range ends {
		w.end(name, 0)
	}
	w.awaitStates(v1beta2.ApplicationStateRunning, apps)
	w.awaitStates(v1beta2.ApplicationStateCompleted, ends)
	w.awaitReleased(ends)
}

// pass lets real time pass: an outage is as long as it is.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for end := time.After(d); ; {
		select {
		case <-end:
			return
		case <-w.t.Context().Done():
			w.t.Fatal("the test was stopped")
		case <-time.After(look):
			w.kept.tend()
		}
	}
}

// checkNothingLost checks that every application has one run and one driver, the one that it had before the outage.
func (w *world) checkNothingLost(there map[string]types.UID, running []string) {
	w.t.Helper()
	all := slices.Concat(names("steady", steady), names("before", submitted), names("after", submitted))
	w.awaitStates(v1beta2.ApplicationStateRunning, running)
	for _, name := range all {
		w.checkRuns(name, 1)
	}
	drivers := w.drivers()
	if len(drivers) != len(all) {
		w.t.Errorf("there are %d drivers of %d applications", len(drivers), len(all))
	}
	maps.DeleteFunc(drivers, func(name string, _ types.UID) bool { return strings.HasPrefix(name, "after-") })
	if diff := cmp.Diff(there, drivers); diff != "" {
		w.t.Errorf("drivers that there were before the outage\n-want +got:\n%s", diff)
	}
	// What it did in its last moment the API server had no time to write down.
	if got := w.audit.pods(w.t); got > len(all) {
		w.t.Errorf("operators made %d pods for %d applications", got, len(all))
	}
}

// checkNoStorm compares what operators asked for in a minute with the API server there and in the first one after it was
// away.
func (w *world) checkNoStorm(before, back time.Time) {
	w.t.Helper()
	requests := w.audit.byOperators(w.t)
	was, wasBy := between(requests, before, before.Add(window))
	is, isBy := between(requests, back, back.Add(window))
	w.t.Logf("%d requests in the minute before, %d in the minute after\n-before +after:\n%s", was, is, cmp.Diff(wasBy, isBy))
	if was == 0 || is > was+mostMore {
		w.t.Errorf("%d requests in the minute after the outage and %d in one like it before, want at most %d more", is, was, mostMore)
	}
}
