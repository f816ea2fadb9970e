package application_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/spark"
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

// writesOfAQueuedLife are two more: that it waits, and that it was let in.
const writesOfAQueuedLife = writesOfALife + 2

// TestCrashWhileQueued is TestCrashAtEveryWrite of an application that waits in a queue first.
func TestCrashWhileQueued(t *testing.T) {
	for at := 1; at <= writesOfAQueuedLife; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("Write%dDone=%t", at, after), func(t *testing.T) { crashAndRecover(t, at, after, inQueue("etl")) })
		}
	}
}

// TestCrashAsItIsLetIn is TestCrashAtEveryWrite of an application that is claimed and let in by one write, up to its driver.
func TestCrashAsItIsLetIn(t *testing.T) {
	const toItsDriver = 7
	for at := 1; at <= toItsDriver; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("Write%dDone=%t", at, after), func(t *testing.T) { crashAndRecover(t, at, after, inQueue(openQueue)) })
		}
	}
}

// inQueue puts an application into a queue.
func inQueue(name string) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Labels = map[string]string{v1alpha1.LabelQueue: name}
		app.Spec.Executor.Instances = new(int32(1))
	}
}

// openQueue is the queue that a gatekeeper lets everybody into at once.
const openQueue = "open"

// gatekeeper lets everybody in who has waited, the second time that it is asked.
type gatekeeper struct {
	lock           sync.Mutex
	applied, asked map[types.UID]bool
	told           func(types.NamespacedName)
}

var _ application.Admissions = (*gatekeeper)(nil)

func (*gatekeeper) Queue(_ context.Context, app *v1beta2.SparkApplication) (string, error) {
	return app.Labels[v1alpha1.LabelQueue], nil
}

func (*gatekeeper) Terms(_ context.Context, app *v1beta2.SparkApplication) (spark.Queue, error) {
	return spark.Queue{Name: app.Status.Queue.Name}, nil
}

func (g *gatekeeper) Verdict(app *v1beta2.SparkApplication) admission.Verdict {
	g.lock.Lock()
	defer g.lock.Unlock()
	if !g.asked[app.UID] {
		g.asked[app.UID] = true
		go g.told(client.ObjectKeyFromObject(app))
		return admission.Verdict{Reason: "NothingFree", Message: "not enough cpu is free"}
	}
	return admission.Verdict{Admitted: &v1beta2.QueueAdmission{At: app.Status.Queue.Since, Driver: "default"}}
}

func (g *gatekeeper) Apply(app *v1beta2.SparkApplication, _ int64, place *v1beta2.QueuePlace) (admission.Verdict, bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	switch {
	case !g.applied[app.UID]:
		g.applied[app.UID] = true
		go g.told(client.ObjectKeyFromObject(app))
		return admission.Verdict{}, false
	case place.Name == openQueue:
		return admission.Verdict{Admitted: &v1beta2.QueueAdmission{At: place.Since, Driver: "default"}}, true
	}
	return admission.Verdict{Reason: "NothingFree", Message: "not enough cpu is free"}, true
}

func (g *gatekeeper) Notify(told func(types.NamespacedName)) { g.told = told }

// crashAndRecover lets an operator crash at a write and another take over, and expects what would have come without it.
func crashAndRecover(t *testing.T, at int, after bool, options ...func(*v1beta2.SparkApplication)) {
	w := newWorld(t, succeeds)
	crash := apiserver.CrashAt(at, after)
	stop := w.operate(crash.Wrap)
	app := w.submit("pi", options...)
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
