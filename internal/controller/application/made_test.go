package application_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
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
	w.operate(func(c client.Client) client.Client { return &snatcher{Client: c, made: made} })
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateFailed)
	if app.Status.Run != 1 || len(made) != 1 {
		t.Errorf("want one run and one driver, got %d and %d: %s", app.Status.Run, len(made), app.Status.AppState.ErrorMessage)
	}
}
