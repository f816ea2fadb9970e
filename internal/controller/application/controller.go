// Package application is the controller of SparkApplications: it submits them and follows them to their end.
//
// A reconciliation observes the application's pods (observe.go), decides on one step (decide.go, pure), acts on the
// cluster (act.go) and reports in one status write (report.go, record.go). Nothing else reads the cluster, decides,
// changes it, or writes status. What a submission consists of is not known here: internal/spark plans it.
package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/internal/controller/workers"
	"brazier.sh/brazier/internal/executors"
	"brazier.sh/brazier/internal/spark"
)

// name is the controller's name in logs and metrics.
const name = "sparkapplication"

// Reconciler moves applications through their lives.
type Reconciler struct {
	// apps reads from the cache, no older than this process's own writes, and writes status.
	apps client.Client
	// pods reads from the cache, however old.
	pods client.Reader
	// executors are those of all applications.
	executors *executors.Watch
	// cluster reads and writes past the cache.
	cluster  client.Client
	platform spark.Platform
	// startLimit is how long a driver may take to start where its application does not say; 0 is for ever.
	startLimit time.Duration
	// diagnoses tells what runs fail of; nil where nobody does.
	diagnoses Diagnoses
	// admissions tells what queues decide; nil where there are none.
	admissions Admissions
	// notInVain says that a run which would fail of what the last one did is not made, where its application does not say.
	notInVain bool
	events    events.EventRecorder
	metrics   *metrics
	made      made
	kinds     kinds
	trouble   trouble
	clock     clock.PassiveClock
}

// Options are what the controller needs to know beside the cluster.
type Options struct {
	// Platform are the defaults of every application.
	Platform spark.Platform
	// DriverStartTimeout is how long a driver may take to start where its application does not say so by
	// v1beta2.AnnotationDriverStartTimeout. Default: for ever.
	DriverStartTimeout time.Duration
	// Diagnoses tells what runs fail of. Default: nobody does.
	Diagnoses Diagnoses
	// Admissions tells what queues decide about runs. Default: no application is in one.
	Admissions Admissions
	// Executors sees the pods of executors as a whole. Default: nobody does.
	Executors executors.Observer
	// Watch follows the executors of all applications. Default: one of the controller's own, whose observer is Executors.
	Watch *executors.Watch
	// NoDeterministicRetries has a run that would fail of what the last one did not made, where its application does not say
	// otherwise by v1beta2.AnnotationRetryDeterministicFailures.
	NoDeterministicRetries bool
	// Namespaces are those whose applications are looked after; nil is all that the cache has.
	Namespaces *namespaces.Selection
	// CacheNamespaces are those that the manager's cache has. Default: all.
	CacheNamespaces []string
	// Workers is how many applications are reconciled at once.
	Workers int
	// Metrics is where the controller's metrics are registered.
	Metrics prometheus.Registerer
}

// Add puts the controller into mgr, whose cache has to be made with CacheOptions. The controller writes and, where it
// must not be deceived by the cache, reads with cluster, a client that has none.
func Add(mgr ctrl.Manager, cluster client.Client, options Options) error {
	ctx := context.Background()
	if err := index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	watch, err := options.watch(mgr)
	if err != nil {
		return err
	}
	metrics := newMetrics(options.Namespaces.Reader(mgr.GetCache()))
	if err := metrics.register(options.Metrics); err != nil {
		return fmt.Errorf("register the controller's metrics: %w", err)
	}
	r := &Reconciler{
		apps:       mgr.GetClient(),
		pods:       mgr.GetCache(),
		executors:  watch,
		cluster:    cluster,
		platform:   options.Platform,
		startLimit: options.DriverStartTimeout,
		diagnoses:  options.Diagnoses,
		admissions: options.Admissions,
		notInVain:  options.NoDeterministicRetries,
		events:     mgr.GetEventRecorder("brazier"),
		metrics:    metrics,
		clock:      clock.RealClock{},
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&v1beta2.SparkApplication{}).
		Watches(podKind(), podHandler{}).
		WatchesRawSource(executorSource{watch}).
		WatchesRawSource(r.diagnosisSource()).
		WatchesRawSource(r.admissionSource()).
		WithOptions(workers.Options(name, options.Workers, mgr.GetLogger()))
	return options.Namespaces.Complete(b, r, &v1beta2.SparkApplicationList{})
}

func (o Options) watch(mgr ctrl.Manager) (*executors.Watch, error) {
	if o.Watch != nil {
		return o.Watch, nil
	}
	return executors.Add(mgr, v1beta2.LabelAppName, o.CacheNamespaces, o.Executors)
}

// Reconcile moves one application a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	app := new(v1beta2.SparkApplication)
	if err := r.apps.Get(ctx, req.NamespacedName, app); err != nil {
		if apierrors.IsNotFound(err) {
			r.made.forget(req.NamespacedName)
			r.kinds.forget(req.NamespacedName)
			r.trouble.over(req.NamespacedName)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, fmt.Errorf("read the application: %w", err)
	}
	seen, err := r.observe(ctx, app)
	if err != nil {
		return reconcile.Result{}, err
	}
	step := Decide(app, seen, r.clock.Now())
	log.FromContext(ctx).V(1).Info("decided", logAction, step.Action, logState, step.State, logBecause, step.Because)

	done, err := r.act(ctx, app, step)
	if err != nil {
		if r.trouble.isNew(req.NamespacedName, err.Error()) {
			r.events.Eventf(app, nil, corev1.EventTypeWarning, "TryingAgain", string(step.Action), "%s", shorten(err.Error(), maxEventNote))
		}
		err = fmt.Errorf("%s: %w", step.Action, err)
		if step.Action == Submit && seen.Diagnosis.Looked { // it may be tried for long: status says why
			_, reported := r.report(ctx, app, seen, stay(app, "its driver cannot be made"))
			err = errors.Join(err, reported)
		}
		return reconcile.Result{}, err
	}
	r.trouble.over(req.NamespacedName)
	if done.Silent {
		return reconcile.Result{RequeueAfter: done.After}, nil
	}
	return r.report(ctx, app, seen, done)
}
