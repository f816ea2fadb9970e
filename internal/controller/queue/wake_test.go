package queue

import (
	"context"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// counted counts the rounds that are asked for.
type counted struct {
	requests
	rounds int
}

func (c *counted) AddAfter(reconcile.Request, time.Duration) { c.rounds++ }

// TestWake has things change that concern queues, and others that do not: of those there may be thousands.
func TestWake(t *testing.T) {
	apart, queued := new(v1beta2.SparkApplication), new(v1beta2.SparkApplication)
	queued.Status.Queue = new(v1beta2.QueuePlace)
	tests := map[string]struct {
		before, after client.Object
		want          int
	}{
		"Queue":          {new(v1alpha1.Queue), new(v1alpha1.Queue), 1},
		"Apart":          {apart, apart, 0},
		"Queued":         {queued, queued, 1},
		"ComesIntoQueue": {apart, queued, 1},
		"LeavesQueue":    {queued, apart, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			q := new(counted)
			wake{}.Update(context.Background(), event.UpdateEvent{ObjectOld: tt.before, ObjectNew: tt.after}, q)
			if q.rounds != tt.want {
				t.Errorf("want %d rounds, got %d", tt.want, q.rounds)
			}
		})
	}
}
