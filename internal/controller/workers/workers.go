// Package workers is how the workers of all controllers go about their objects: how soon one that could not be seen to is
// tried again, how long one may hold a worker, and what its log lines begin with. What is done about an object is its
// controller's.
package workers

import (
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// patience is how long one step may take: a call that hangs must not hold a worker.
	patience = time.Minute
	// After an error an object is tried again this soon, then less and less often, but never so seldom that its user
	// notices when what was wrong has been put right.
	minBackoff = 50 * time.Millisecond
	maxBackoff = 30 * time.Second
)

// Keys of structured logs: docs/metrics.md says what each means.
const (
	logController = "controller"
	logNamespace  = "namespace"
	logName       = "name"
)

// Options are those of a controller that is called name in logs and metrics, sees to so many objects at once, one where
// that is 0, and logs to log.
func Options(name string, workers int, log logr.Logger) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		ReconciliationTimeout:   patience,
		LogConstructor:          logOf(name, log),
		// Each object waits for itself alone: a bucket that all share makes the healthy wait for the sick.
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
	}
}

// logOf returns what makes the log of one object. Left to itself the library says three times which one it is.
func logOf(name string, all logr.Logger) func(*reconcile.Request) logr.Logger {
	all = all.WithValues(logController, name)
	return func(req *reconcile.Request) logr.Logger {
		if req == nil {
			return all
		}
		return all.WithValues(logNamespace, req.Namespace, logName, req.Name)
	}
}
