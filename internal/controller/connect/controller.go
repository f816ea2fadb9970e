// Package connect is the controller of SparkConnects: it keeps a Spark Connect server running for each, through edits and
// deaths, and tells whether clients can connect.
//
// A reconciliation observes the server's pods (observe.go), decides on one step (decide.go, pure), acts on the cluster
// (act.go) and reports in one status write (report.go). What a server consists of is not known here: internal/spark plans
// it. The executors are the server's to make; here those are counted, and removed that it leaves behind.
package connect

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/internal/controller/workers"
	"brazier.sh/brazier/internal/spark"
)

// name is the controller's name in logs and metrics.
const name = "sparkconnect"

// Reconciler keeps servers running.
type Reconciler struct {
	// connects reads from the manager's cache, and writes status.
	connects client.Client
	// seen reads pods and Services from a cache of their own, however old.
	seen client.Reader
	// cluster reads and writes past the caches.
	cluster  client.Client
	platform spark.Platform
	events   events.EventRecorder
	metrics  *metrics
	clock    clock.PassiveClock
}

// Options are what the controller needs to know beside the cluster.
type Options struct {
	// Platform are the defaults of every server.
	Platform spark.Platform
	// Namespaces are those whose servers are looked after; nil is all that the cache has.
	Namespaces *namespaces.Selection
	// CacheNamespaces are those that the cache has. Default: all.
	CacheNamespaces map[string]cache.Config
	// Workers is how many servers are reconciled at once.
	Workers int
	// Metrics is where the controller's metrics are registered.
	Metrics prometheus.Registerer
}

// Add puts the controller into mgr. It writes and, where it must not be deceived by a cache, reads with cluster, a client
// that has none.
func Add(mgr ctrl.Manager, cluster client.Client, options Options) error {
	own, err := ownCache(mgr, options.CacheNamespaces)
	if err != nil {
		return err
	}
	metrics := newMetrics(options.Namespaces.Reader(mgr.GetCache()))
	if err := metrics.register(options.Metrics); err != nil {
		return fmt.Errorf("register the controller's metrics: %w", err)
	}
	r := &Reconciler{
		connects: mgr.GetClient(),
		seen:     own,
		cluster:  cluster,
		platform: options.Platform,
		events:   mgr.GetEventRecorder("brazier"),
		metrics:  metrics,
		clock:    clock.RealClock{},
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&v1alpha1.SparkConnect{}).
		WatchesRawSource(source.Kind(own, client.Object(&corev1.Pod{}), podHandler())).
		WatchesRawSource(source.Kind(own, client.Object(&corev1.Service{}), serviceHandler())).
		WithOptions(workers.Options(name, options.Workers, mgr.GetLogger()))
	return options.Namespaces.Complete(b, r, &v1alpha1.SparkConnectList{})
}

// Reconcile moves one server a step further. One that is being deleted is left to the garbage collector: all that was made
// for it belongs to it.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	connect := new(v1alpha1.SparkConnect)
	if err := r.connects.Get(ctx, req.NamespacedName, connect); err != nil || !connect.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	seen, err := r.observe(ctx, connect)
	if err != nil {
		return reconcile.Result{}, err
	}
	step := Decide(connect, seen, r.clock.Now())
	log.FromContext(ctx).V(1).Info("decided", logAction, step.Action, logState, step.State, logBecause, step.Because)
	done, err := r.act(ctx, connect, seen, step)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("%s: %w", step.Action, err)
	}
	return r.report(ctx, connect, seen, done)
}
