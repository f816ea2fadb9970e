//go:build resilience

package resilience

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/operated"
)

const (
	// submissions are under way when the leader is killed, and killAfter of them have their driver.
	submissions = 100
	killAfter   = 20
)

// TestLeaderKilled kills the replica that leads in the middle of submissions. The other one finishes them: a driver for
// each application, and no more.
func TestLeaderKilled(t *testing.T) {
	w := newWorld(t)
	leader := w.Operate(t, operated.Binary("NEW"), elected)
	w.awaitLeading(leader)
	other := w.Operate(t, operated.Binary("NEW"), elected)
	other.AwaitReady(t)

	apps := names("pi", submissions)
	var group errgroup.Group
	for _, name := range apps {
		group.Go(func() error { w.submit(name); return nil })
	}
	w.eventually(func(context.Context) (bool, error) { return len(w.drivers()) >= killAfter, nil },
		func() string { return "no drivers come" })
	leader.Kill()
	made := len(w.drivers())
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("killed with %d drivers made", made)
	if made == submissions {
		t.Fatal("all was over before the leader was killed")
	}
	if leads(t, other) {
		t.Fatal("there were two leaders")
	}
	w.awaitLeading(other)
	w.awaitStates(v1beta2.ApplicationStateRunning, apps)

	// Fewer may be on record: of a pod that was made while its operator was killed nobody was there to be told.
	if got := w.audit.pods(t); got > submissions {
		t.Errorf("operators made %d pods, want %d", got, submissions)
	}
	if got := len(w.drivers()); got != submissions {
		t.Errorf("there are %d drivers, want %d", got, submissions)
	}
	for _, name := range apps {
		w.checkRuns(name, 1)
	}
}

// checkRuns checks that an application has had so many runs.
func (w *world) checkRuns(name string, want int64) {
	w.t.Helper()
	app, err := w.app(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := fmt.Sprint(app.Status.Run, app.Status.ExecutionAttempts, app.Status.SubmissionAttempts); got != fmt.Sprint(want, want, 1) {
		w.t.Errorf("%s: run, executionAttempts and submissionAttempts are %s, want %d %d 1", name, got, want, want)
	}
}
