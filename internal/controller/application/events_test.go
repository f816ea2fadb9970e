package application_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// troubled is a client of an API server that does not make drivers for a while.
type troubled struct {
	client.Client
	left *atomic.Int32
}

func (t *troubled) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	if _, driver := object.(*corev1.Pod); driver && t.left.Add(-1) >= 0 {
		return errors.New("the API server is away")
	}
	return t.Client.Create(ctx, object, opts...)
}

// troubles is for how many attempts that is.
func troubles(n int32) *atomic.Int32 {
	left := new(atomic.Int32)
	left.Store(n)
	return left
}

// TestEventsAreSaidOnce has attempts fail and reconciliations repeat: each occurrence is one event, with no series of
// repetitions behind it.
func TestEventsAreSaidOnce(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	left := troubles(5)
	w.operate(func(c client.WithWatch) client.Client { return &troubled{Client: c, left: left} })
	app := w.awaitState(w.submit("pi", retrying(1)), v1beta2.ApplicationStateRunning)
	for i := range 5 { // each is an edit of no consequence, which the operator takes note of
		apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = new(int64(3600 + i)) })
		app = w.await(app, "looked at again", func(app *v1beta2.SparkApplication) bool {
			return app.Status.ObservedGeneration == app.Generation
		})
	}
	for _, code := range []int32{1, 2} {
		end(code)
		w.touch(&corev1.Pod{ObjectMeta: w.Meta("pi-driver")})
		run := app.Status.Run
		app = w.await(app, "past its run", func(app *v1beta2.SparkApplication) bool {
			return app.Status.AppState.State.Ended() || app.Status.Run > run && app.Status.AppState.State == v1beta2.ApplicationStateRunning
		})
	}

	want := map[string]int{
		"TryingAgain: Submit: create Pod pi-driver: the API server is away":           1,
		"Submitted: Claim: it is new":                                                 1,
		"Submitted: Claim: its next run is due":                                       1,
		"DriverRunning: Wait: its driver is running":                                  2,
		"PendingRerun: Wait: driver container failed with ExitCode: 1, Reason: Error": 1,
		"Failed: Wait: driver container failed with ExitCode: 2, Reason: Error":       1,
	}
	var diff string
	w.Eventually("the events are told", func(ctx context.Context) (bool, error) {
		var list eventsv1.EventList
		err := w.Client.List(ctx, &list, client.InNamespace(w.Namespace))
		got := make(map[string]int)
		for _, event := range list.Items {
			if event.Regarding.Kind != v1beta2.SparkApplicationKind {
				continue
			}
			got[fmt.Sprintf("%s: %s: %s", event.Reason, event.Action, event.Note)]++
			if event.Series != nil {
				t.Errorf("repeated %d times: %s", event.Series.Count, event.Note)
			}
		}
		diff = cmp.Diff(want, got)
		return diff == "", err
	}, func() string { return "-want +got:\n" + diff })
}
