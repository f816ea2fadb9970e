// Package queue is the controller of queues: it sees what there is and who wants what, asks the engine (internal/queue) what
// is to be done, and does it.
//
// It works in rounds, one at a time, in the replica that leads. A round looks at the cluster (observe.go), puts what it saw
// into the engine's words (seen.go, capacity.go, state.go: pure) with what was decided and is not to be seen yet laid over it
// (ledger.go), and carries out what comes back: runs are let in and taken back through the application controller, which asks
// here (admissions.go), for a run that is new before it is claimed (applicants.go); executors' gates are lifted (lift.go) and
// executors told to go (reclaim.go), in the order of order.go. What becomes of it is told in the queues' status (status.go), in
// metrics and in events. Nothing is remembered that could not be seen again, but for what users have used, which is kept in a
// ConfigMap (keeper.go): an operator that is killed at any line is followed by one that decides the same. What an application
// consists of is not known here.
package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/capacity"
	"brazier.sh/brazier/internal/controller/workers"
	"brazier.sh/brazier/internal/executors"
	engine "brazier.sh/brazier/internal/queue"
)

const (
	// name is the controller's name in logs and metrics.
	name = "queue"
	// gather is how long changes are gathered before there is a round about them.
	gather = 100 * time.Millisecond
	// rest is for how many times as long as it was thought there is no round after one, restAtMost how long at most: of a
	// CPU rounds take a twentieth, however many applications there are.
	rest, restAtMost = 20, time.Second
	// settle is how long one that begins to lead waits before its first round, so that the last writes of the one before it
	// are seen.
	settle = time.Second
	// lookAgain is when there is another round, though nothing has happened, while something waits.
	lookAgain = 5 * time.Second
	// tryAgain is when there is another round after something could not be done.
	tryAgain = time.Second
)

// Controller decides about runs in queues.
type Controller struct {
	// cached reads queues, applications and drivers' pods, cluster writes past the cache.
	cached    client.Reader
	cluster   client.Client
	executors *executors.Watch
	capacity  *capacity.Watch
	events    events.EventRecorder
	metrics   *metrics
	clock     clock.PassiveClock
	books     books
	// inUse says that there are queues, or somebody waits for one: without, the executors of a whole cluster concern nobody here.
	inUse atomic.Bool
	// applicants ask to be let in before they are claimed.
	applicants applicants
	teller     *teller

	// What follows belongs to the one round at a time that there is.
	ledger  *ledger
	history history
	keeper  keeper
	rates   rates
	known   known
	// next is when there may be a round at the earliest; the zero time before the first.
	next time.Time
}

// New returns a controller that knows of nothing until it is added to a manager.
func New() *Controller {
	return &Controller{
		clock: clock.RealClock{}, ledger: newLedger(), metrics: newMetrics(), rates: rates{since: time.Now()},
		teller: &teller{clock: clock.RealClock{}, told: make(map[string]written)},
	}
}

// Options are what the controller needs to know beside the cluster.
type Options struct {
	// Executors follows the executors of all applications.
	Executors *executors.Watch
	// Metrics is where the controller's metrics are registered.
	Metrics prometheus.Registerer
	// Namespace is the operator's own, in which it keeps what users have used. Default: that is not kept.
	Namespace string
}

// Add puts the controller into mgr. It writes with cluster, a client that has no cache.
func Add(mgr ctrl.Manager, cluster client.Client, c *Controller, options Options) error {
	watch, err := capacity.Add(mgr)
	if err != nil {
		return err
	}
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1alpha1.Queue{}, indexNamespace, namespacesOf); err != nil {
		return fmt.Errorf("index queues: %w", err)
	}
	if err := c.metrics.register(options.Metrics); err != nil {
		return fmt.Errorf("register the metrics of queues: %w", err)
	}
	c.cached, c.cluster, c.executors, c.capacity = mgr.GetCache(), cluster, options.Executors, watch
	c.events, c.teller.cluster = mgr.GetEventRecorder("brazier"), cluster
	c.keeper = keeper{cluster: cluster, namespace: options.Namespace}
	if err := mgr.Add(c.teller); err != nil {
		return fmt.Errorf("add what tells the statuses of queues: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		Watches(&v1alpha1.Queue{}, wake{}).
		Watches(&v1beta2.SparkApplication{}, wake{}).
		WatchesRawSource(executorSource{options.Executors, &c.inUse}).
		WatchesRawSource(wokenBy(watch.Notify)).
		WatchesRawSource(wokenBy(c.applicants.onCame)).
		WithOptions(workers.Options(name, 1, mgr.GetLogger())).
		Complete(c)
}

// Reconcile is a round.
func (c *Controller) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	if wait := c.rests(); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	if err := c.keeper.recall(ctx, &c.history); err != nil {
		return reconcile.Result{}, err
	}
	began := c.clock.Now()
	seen, ready, err := c.observe(ctx)
	if err == nil {
		c.inUse.Store(seen != nil || !ready)
	}
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case !ready:
		return reconcile.Result{RequeueAfter: tryAgain}, nil
	case seen == nil: // there are no queues and nobody waits for one
		c.books.close()
		return reconcile.Result{}, nil
	}
	c.ledger.settle(seen.apps)
	situation := assess(*seen, c.ledger)
	c.history.pass(situation)
	decided := engine.Decide(&situation.State)
	c.books.write(c.judge(situation, decided), situation)
	thought := c.clock.Now()
	c.next = thought.Add(min(rest*thought.Sub(began), restAtMost))
	failed := c.carryOut(ctx, situation, decided)
	if err := c.keeper.keep(ctx, &c.history); err != nil {
		log.FromContext(ctx).Error(err, "an operator that comes next will know less")
	}
	c.teller.want(situation, decided, seen.problems)
	c.metrics.show(situation, decided, c.clock.Since(began))
	log.FromContext(ctx).V(1).Info("a round of queues", "applications", len(situation.Applications), "admitted", len(decided.Admit),
		"waiting", len(decided.Waits), "reclaimed", len(decided.Reclaim))
	return reconcile.Result{RequeueAfter: next(situation, decided, failed)}, nil
}

// rests returns how long it still takes until there may be a round.
func (c *Controller) rests() time.Duration {
	now := c.clock.Now()
	if c.next.IsZero() {
		c.next = now.Add(settle)
	}
	return c.next.Sub(now)
}

// next is when there is another round at the latest; 0 is when something happens.
func next(s *situation, decided engine.Decisions, failed bool) time.Duration {
	switch {
	case failed:
		return tryAgain
	case len(decided.Waits) > 0 || s.unsettled():
		return lookAgain
	}
	return 0
}

// round is the one thing that there is to reconcile.
var round = reconcile.Request{NamespacedName: types.NamespacedName{Name: "round"}}

type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]

// wake has a round soon after something has changed that is in a queue.
type wake struct{}

var _ handler.EventHandler = wake{}

// Create implements handler.EventHandler.
func (wake) Create(_ context.Context, e event.CreateEvent, q requests) { soon(q, e.Object) }

// Update implements handler.EventHandler.
func (wake) Update(_ context.Context, e event.UpdateEvent, q requests) {
	soon(q, e.ObjectOld, e.ObjectNew)
}

// Delete implements handler.EventHandler.
func (wake) Delete(_ context.Context, e event.DeleteEvent, q requests) { soon(q, e.Object) }

// Generic implements handler.EventHandler.
func (wake) Generic(_ context.Context, e event.GenericEvent, q requests) { soon(q, e.Object) }

// soon has a round about objects, unless they are applications that are in no queue.
func soon(q requests, objects ...client.Object) {
	for _, object := range objects {
		if app, ok := object.(*v1beta2.SparkApplication); !ok || app.Status.Queue != nil {
			q.AddAfter(round, gather)
			return
		}
	}
}

// executorSource has a round soon after executors have changed, and none before they are known.
type executorSource struct {
	executors *executors.Watch
	inUse     *atomic.Bool
}

var _ source.SyncingSource = executorSource{}

// Start implements source.Source.
func (s executorSource) Start(_ context.Context, q requests) error {
	s.executors.Notify(func(types.NamespacedName) {
		if s.inUse.Load() {
			q.AddAfter(round, gather)
		}
	})
	return nil
}

// WaitForSync implements source.SyncingSource.
func (s executorSource) WaitForSync(ctx context.Context) error { return s.executors.WaitForSync(ctx) }

// wokenBy has a round soon after something has happened that notify tells of.
func wokenBy(notify func(told func())) source.Source {
	return source.Func(func(_ context.Context, q requests) error {
		notify(func() { q.AddAfter(round, gather) })
		return nil
	})
}
