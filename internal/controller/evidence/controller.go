// Package evidence is the controller that keeps what was seen of runs, in RunRecords, and tells what follows from it.
//
// It sees executors' pods as internal/executors passes them on and drivers' in the manager's cache, and asks the API server
// only about runs that failed or wait: a run that is well costs nothing. runs.go is what it remembers, decide.go (pure) says
// what is to be done about a run, gather.go reads what is about to be lost, write.go keeps it, retention.go lets it go.
// What is kept of an object is made in internal/evidence, and what follows from it in internal/diagnose; what becomes of
// the application is internal/controller/application's business.
package evidence

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/executors"
)

const (
	// name is the controller's name in logs and metrics.
	name = "evidence"
	// workers is how many runs are looked at at once: each may hold a log that is being read.
	workers = 4
	// patience is how long one look may take, logs and all.
	patience = 45 * time.Second
	// After an error a run is tried again this soon, then less and less often.
	minBackoff, maxBackoff = time.Second, time.Minute
)

// Recorder keeps what was seen of runs.
type Recorder struct {
	// cached reads applications and drivers' pods, cluster everything else.
	cached  client.Reader
	cluster client.Client
	// core reads logs and events.
	core  corev1client.CoreV1Interface
	rules []diagnose.Rule
	clock clock.WithTicker
	runs  runs

	lock  sync.Mutex
	told  []func(app types.NamespacedName)
	woken func(app types.NamespacedName)
}

var _ executors.Observer = (*Recorder)(nil)

// New returns a recorder that remembers what it is told, and does nothing about it until it is added to a manager.
func New() *Recorder { return &Recorder{clock: clock.RealClock{}} }

// Options are what the controller needs to know beside the cluster.
type Options struct {
	// Namespaces are those whose applications are looked after; nil is all that the cache has.
	Namespaces *namespaces.Selection
	// CacheNamespaces are those that the manager's cache has. Default: all.
	CacheNamespaces []string
	// Rules are those of the platform's own, by which causes are found beside the built-in ones.
	Rules []diagnose.Rule
	// Keep says for how long records are kept.
	Keep Keep
}

// Add puts the recorder into mgr, beside the controller of applications, whose cache and index of pods it uses. It writes
// with cluster, a client that has no cache.
func Add(mgr ctrl.Manager, cluster client.Client, r *Recorder, options Options) error {
	core, err := corev1client.NewForConfigAndClient(rest.CopyConfig(mgr.GetConfig()), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client of logs and events: %w", err)
	}
	r.cached, r.cluster, r.core, r.rules = mgr.GetCache(), cluster, core, options.Rules
	collector := &collector{
		cached: mgr.GetCache(), cluster: cluster, namespaces: options.CacheNamespaces, keep: options.Keep.withDefaults(), clock: r.clock,
	}
	if err := mgr.Add(collector); err != nil {
		return fmt.Errorf("add the collector of records: %w", err)
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&v1beta2.SparkApplication{}).
		Watches(&corev1.Pod{}, driverHandler{r}).
		WatchesRawSource(source.Func(r.wakeBy)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   patience,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
		})
	return options.Namespaces.Complete(b, r, &v1beta2.SparkApplicationList{})
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// wakeBy has applications looked at whose executors were seen to be of note.
func (r *Recorder) wakeBy(_ context.Context, q queue) error {
	r.lock.Lock()
	r.woken = func(app types.NamespacedName) { q.Add(reconcile.Request{NamespacedName: app}) }
	r.lock.Unlock()
	for _, app := range r.runs.applications() { // those that were seen before anybody was asked to look
		q.Add(reconcile.Request{NamespacedName: app})
	}
	return nil
}

func (r *Recorder) wake(app types.NamespacedName) {
	r.lock.Lock()
	woken := r.woken
	r.lock.Unlock()
	if woken != nil {
		woken(app)
	}
}

// Notify has told called with each application about a run of which there is something new to say. It must not block.
func (r *Recorder) Notify(told func(app types.NamespacedName)) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.told = append(r.told, told)
}

func (r *Recorder) notify(app types.NamespacedName) {
	r.lock.Lock()
	defer r.lock.Unlock()
	for _, tell := range r.told {
		tell(app)
	}
}

// Causes returns what the current run of app failed of or waits for; looked is false until that was looked at. ended says
// that it is the last word about a run that failed.
func (r *Recorder) Causes(app *v1beta2.SparkApplication) (causes []v1alpha1.Cause, looked, ended bool) {
	return r.runs.verdict(runOf(app))
}

// Reconcile looks at the current run of an application, and lets go of earlier ones.
func (r *Recorder) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	app := new(v1beta2.SparkApplication)
	if err := r.cached.Get(ctx, req.NamespacedName, app); err != nil {
		if apierrors.IsNotFound(err) {
			return reconcile.Result{}, r.letGo(ctx, req.NamespacedName, runID{})
		}
		return reconcile.Result{}, fmt.Errorf("read the application: %w", err)
	}
	id := runOf(app)
	if err := r.letGo(ctx, req.NamespacedName, id); err != nil {
		return reconcile.Result{}, err
	}
	driver, err := r.driver(ctx, app)
	if err != nil {
		return reconcile.Result{}, err
	}
	known := r.runs.look(id)
	task := decide(app, driver, known, r.clock.Now())
	if task.forget {
		r.runs.forget(id)
		return reconcile.Result{}, nil
	}
	if task.idle() {
		return reconcile.Result{RequeueAfter: task.after}, nil
	}
	if err := r.carryOut(ctx, app, driver, task); err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: task.after}, nil
}

// driverHandler wakes a driver's application, and remembers drivers that are gone.
type driverHandler struct{ recorder *Recorder }

var _ handler.EventHandler = driverHandler{}

// Create implements handler.EventHandler.
func (h driverHandler) Create(_ context.Context, e event.CreateEvent, q queue) { h.wake(e.Object, q) }

// Update implements handler.EventHandler.
func (h driverHandler) Update(_ context.Context, e event.UpdateEvent, q queue) {
	h.wake(e.ObjectNew, q)
}

// Delete implements handler.EventHandler.
func (h driverHandler) Delete(_ context.Context, e event.DeleteEvent, q queue) {
	if pod, ok := e.Object.(*corev1.Pod); ok {
		h.recorder.Observe(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[v1beta2.LabelAppName]}, pod, true)
	}
	h.wake(e.Object, q)
}

// Generic implements handler.EventHandler.
func (h driverHandler) Generic(_ context.Context, e event.GenericEvent, q queue) { h.wake(e.Object, q) }

func (driverHandler) wake(object client.Object, q queue) {
	if app := object.GetLabels()[v1beta2.LabelAppName]; app != "" {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: app}})
	}
}
