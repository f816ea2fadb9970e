package application_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

var errCrashed = errors.New("the operator has crashed")

// crash ends an operator's ability to write at one of its writes, before or after the API server has done it.
type crash struct {
	at    int
	after bool

	mu      sync.Mutex
	writes  int
	crashed chan struct{}
}

func (c *crash) wrap(inner client.Client) client.Client {
	return &crashingClient{Client: inner, crash: c}
}

// write does a write, unless the operator has crashed.
func (c *crash) write(do func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	switch {
	case c.writes > c.at:
		return errCrashed
	case c.writes < c.at:
		return do()
	}
	close(c.crashed)
	if c.after {
		return errors.Join(errCrashed, do())
	}
	return errCrashed
}

type crashingClient struct {
	client.Client
	crash *crash
}

func (c *crashingClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return c.crash.write(func() error { return c.Client.Create(ctx, object, opts...) })
}

func (c *crashingClient) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	return c.crash.write(func() error { return c.Client.Delete(ctx, object, opts...) })
}

func (c *crashingClient) DeleteAllOf(ctx context.Context, object client.Object, opts ...client.DeleteAllOfOption) error {
	return c.crash.write(func() error { return c.Client.DeleteAllOf(ctx, object, opts...) })
}

func (c *crashingClient) Status() client.SubResourceWriter {
	return &crashingStatus{SubResourceWriter: c.Client.Status(), crash: c.crash}
}

type crashingStatus struct {
	client.SubResourceWriter
	crash *crash
}

func (c *crashingStatus) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	return c.crash.write(func() error { return c.SubResourceWriter.Patch(ctx, object, patch, opts...) })
}

// writesOfALife is how many writes an application takes from its creation until nothing is left of it but its driver:
// the claim, two ConfigMaps, two Services, the NetworkPolicy, the driver, RUNNING, COMPLETED, five kinds of leftovers,
// released. A life that is too quick to be seen running takes one fewer.
const writesOfALife = 15

func TestCrashAtEveryWrite(t *testing.T) {
	for at := 1; at <= writesOfALife; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("Write%dDone=%t", at, after), func(t *testing.T) { crashAndRecover(t, at, after) })
		}
	}
}

// crashAndRecover lets an operator crash at a write and another take over, and expects what would have come without it.
func crashAndRecover(t *testing.T, at int, after bool) {
	w := newWorld(t, succeeds)
	crash := &crash{at: at, after: after, crashed: make(chan struct{})}
	stop := w.operate(crash.wrap)
	app := w.submit("pi")
	w.eventually(func(ctx context.Context) (bool, error) {
		select {
		case <-crash.crashed:
			return true, nil
		default: // a short life may end without that many writes
			return w.released(ctx, app)
		}
	}, func() string { return "the operator neither crashed nor finished" })
	stop()

	w.operate(reliably)
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.eventually(func(ctx context.Context) (bool, error) { return w.released(ctx, app) },
		func() string { return "the run is not released" })
	w.awaitLeft(app, "*v1.Pod pi-driver")
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1})

	want := []int64{1, 1, 1}
	got := []int64{app.Status.Run, int64(app.Status.ExecutionAttempts), int64(app.Status.SubmissionAttempts)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run, executionAttempts and submissionAttempts\n-want +got:\n%s", diff)
	}
}

// released reports whether the application has ended and left nothing.
func (w *world) released(ctx context.Context, app *v1beta2.SparkApplication) (bool, error) {
	got := new(v1beta2.SparkApplication)
	err := w.client.Get(ctx, client.ObjectKeyFromObject(app), got)
	return got.Status.AppState.State.Ended() && meta.IsStatusConditionTrue(got.Status.Conditions, v1beta2.ConditionReleased), err
}
