package application_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

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
	crash := apiserver.CrashAt(at, after)
	stop := w.operate(crash.Wrap)
	app := w.submit("pi")
	w.Eventually("the operator crashes or finishes", func(ctx context.Context) (bool, error) {
		select {
		case <-crash.Crashed():
			return true, nil
		default: // a short life may end without that many writes
			return w.released(ctx, app)
		}
	})
	stop()

	w.operate(apiserver.Reliably)
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.awaitReleased(app)
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
	err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), got)
	return got.Status.AppState.State.Ended() && meta.IsStatusConditionTrue(got.Status.Conditions, v1beta2.ConditionReleased), err
}

func (w *world) awaitReleased(app *v1beta2.SparkApplication) {
	w.T.Helper()
	w.Eventually(app.Name+" is released", func(ctx context.Context) (bool, error) { return w.released(ctx, app) })
}
