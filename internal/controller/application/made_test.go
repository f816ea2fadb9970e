package application_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// snatcher deletes each driver in the moment that it is made, before anybody can have seen it.
type snatcher struct {
	client.Client
	made chan string
}

func (s *snatcher) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	if err := s.Client.Create(ctx, object, opts...); err != nil {
		return err
	}
	if _, driver := object.(*corev1.Pod); !driver {
		return nil
	}
	s.made <- object.GetName()
	return s.Delete(ctx, object, client.GracePeriodSeconds(0))
}

// TestDriverDeletedUnseen makes sure that a run whose driver somebody deletes at once has failed, rather than that it
// gets another driver.
func TestDriverDeletedUnseen(t *testing.T) {
	w := newWorld(t, succeeds)
	made := make(chan string, 100)
	w.operate(func(c client.WithWatch) client.Client { return &snatcher{Client: c, made: made} })
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateFailed)
	if app.Status.Run != 1 || len(made) != 1 {
		t.Errorf("want one run and one driver, got %d and %d: %s", app.Status.Run, len(made), app.Status.AppState.ErrorMessage)
	}
}

// TestWaitingDriverDeletedWhileNobodyLooked makes sure that status alone is enough to know of a driver that had to wait.
func TestWaitingDriverDeletedWhileNobodyLooked(t *testing.T) {
	w := newWorld(t, succeeds)
	stop := w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.Driver.SchedulerName = noScheduler })
	driver := &corev1.Pod{ObjectMeta: w.Meta("pi-driver")}
	w.Eventually("there is a driver", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(driver), driver)
		return err == nil, client.IgnoreNotFound(err)
	})
	driver.Status.Conditions = append(driver.Status.Conditions, corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/1 nodes are available",
	})
	if err := w.Client.Status().Update(t.Context(), driver); err != nil {
		t.Fatal(err)
	}
	w.await(app, "waiting", func(app *v1beta2.SparkApplication) bool {
		running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
		return running != nil && running.Reason == corev1.PodReasonUnschedulable
	})
	stop()
	if err := w.Client.Delete(t.Context(), driver, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	w.operate(apiserver.Reliably)
	w.awaitState(app, v1beta2.ApplicationStateFailed)
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1})
}
