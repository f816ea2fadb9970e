// Package scheduled is the controller of ScheduledSparkApplications: it makes an application at each time of a schedule,
// and removes old ones. When something is due is known by internal/schedule; what becomes of the applications is the
// application controller's work.
package scheduled

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/internal/controller/workers"
	"brazier.sh/brazier/internal/spark"
)

// name is the controller's name in logs and metrics.
const name = "scheduledsparkapplication"

// indexSchedule indexes applications by the schedule that made them.
const indexSchedule = "schedule"

// Reconciler makes and removes the applications of schedules.
type Reconciler struct {
	// cached reads from the cache, no older than this process's own writes, and writes.
	cached   client.Client
	platform spark.Platform
	events   events.EventRecorder
	metrics  *metrics
	clock    clock.PassiveClock
}

// Options are what the controller needs to know beside the cluster.
type Options struct {
	// Platform is that of the applications, so that a template which could never be submitted is refused before its time.
	Platform spark.Platform
	// Namespaces are those whose schedules are looked after. Default: all.
	Namespaces *namespaces.Selection
	// Metrics is where the controller's metrics are registered.
	Metrics prometheus.Registerer
}

// Add puts the controller into mgr.
func Add(mgr ctrl.Manager, options Options) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &v1beta2.SparkApplication{}, indexSchedule, func(object client.Object) []string {
		if schedule := object.GetLabels()[v1beta2.LabelScheduledAppName]; schedule != "" {
			return []string{schedule}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index applications by their schedule: %w", err)
	}
	metrics := newMetrics(options.Namespaces.Reader(mgr.GetCache()), clock.RealClock{})
	if err := metrics.register(options.Metrics); err != nil {
		return fmt.Errorf("register the controller's metrics: %w", err)
	}
	r := &Reconciler{
		cached: mgr.GetClient(), platform: options.Platform, events: mgr.GetEventRecorder("brazier"),
		metrics: metrics, clock: clock.RealClock{},
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(&v1beta2.ScheduledSparkApplication{}).
		Owns(&v1beta2.SparkApplication{}, builder.MatchEveryOwner). // another operator's are no controllers
		WithOptions(workers.Options(name, 1, mgr.GetLogger()))
	return options.Namespaces.Complete(b, r, &v1beta2.ScheduledSparkApplicationList{})
}

// Reconcile does what a schedule asks for now, and says when to look again.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	s := new(v1beta2.ScheduledSparkApplication)
	if err := r.cached.Get(ctx, req.NamespacedName, s); err != nil || !s.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	now := r.clock.Now()
	seen, err := r.observe(ctx, s, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	step := Decide(s, seen, now)
	if err := r.act(ctx, s, step); err != nil {
		r.events.Eventf(s, nil, corev1.EventTypeWarning, "TryingAgain", "Start", "%s", err)
		return reconcile.Result{}, err
	}
	if err := r.report(ctx, s, step); err != nil {
		return reconcile.Result{}, err
	}
	if step.Next.IsZero() || !step.Next.After(now) {
		return reconcile.Result{}, nil // the end of a run, or an edit, is seen
	}
	return reconcile.Result{RequeueAfter: step.Next.Sub(now)}, nil
}

// observe reads the schedule's applications from the cache, and plans one that nobody makes.
func (r *Reconciler) observe(ctx context.Context, s *v1beta2.ScheduledSparkApplication, now time.Time) (Observation, error) {
	var apps v1beta2.SparkApplicationList
	err := r.cached.List(ctx, &apps, client.InNamespace(s.Namespace), client.MatchingFields{indexSchedule: s.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return Observation{}, fmt.Errorf("list the schedule's applications: %w", err)
	}
	var seen Observation
	_, seen.Refused = spark.New(newRun(s, now), spark.Run{Number: 1, SubmittedAt: now}, r.platform)
	for i := range apps.Items {
		app := &apps.Items[i]
		if !ownedBy(app, s) {
			continue
		}
		due, err := time.Parse(time.RFC3339, app.Annotations[v1beta2.AnnotationScheduledAt])
		if err != nil {
			due = app.CreationTimestamp.Time // made by another operator
		}
		seen.Runs = append(seen.Runs, Run{Name: app.Name, Due: due, State: app.Status.AppState.State, Deleting: !app.DeletionTimestamp.IsZero()})
	}
	return seen, nil
}

// ownedBy reports whether the schedule made app. Another operator does not call it the controller of what it made.
func ownedBy(app *v1beta2.SparkApplication, s *v1beta2.ScheduledSparkApplication) bool {
	return slices.ContainsFunc(app.OwnerReferences, func(owner metav1.OwnerReference) bool { return owner.UID == s.UID })
}

// act makes the run that is due and removes those that are to go. Run again after a crash it finds what it made.
func (r *Reconciler) act(ctx context.Context, s *v1beta2.ScheduledSparkApplication, step Step) error {
	for _, name := range step.Delete {
		app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: name}}
		// In the foreground, so that a run which is replaced is there until its driver has gone.
		if err := r.cached.Delete(ctx, app, client.PropagationPolicy(metav1.DeletePropagationForeground)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete SparkApplication %s: %w", name, err)
		}
	}
	if step.Start.IsZero() {
		return nil
	}
	app := newRun(s, step.Start)
	err := r.cached.Create(ctx, app)
	switch {
	case err == nil:
		r.events.Eventf(s, app, corev1.EventTypeNormal, "Started", "Start", "started %s, which was due at %s", app.Name, step.Start.Format(time.RFC3339))
		return nil
	case !apierrors.IsAlreadyExists(err):
		return fmt.Errorf("create SparkApplication %s: %w", app.Name, err)
	}
	there := new(v1beta2.SparkApplication)
	if err := r.cached.Get(ctx, client.ObjectKeyFromObject(app), there); err != nil {
		return fmt.Errorf("read SparkApplication %s, which exists already: %w", app.Name, err)
	}
	if !ownedBy(there, s) {
		return fmt.Errorf("SparkApplication %s exists already and does not belong to this schedule; delete it or give the schedule another name", app.Name)
	}
	return nil
}

// report writes status, if step changed it.
func (r *Reconciler) report(ctx context.Context, s *v1beta2.ScheduledSparkApplication, step Step) error {
	before := s.DeepCopy()
	record(s, step)
	if apiequality.Semantic.DeepEqual(before.Status, s.Status) {
		return nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.cached.Status().Patch(ctx, s, patch); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.metrics.count(s, step)
	if step.Skipped != "" {
		r.events.Eventf(s, nil, corev1.EventTypeWarning, "Skipped", "Wait", "the run due at %s is left out: %s", step.Until.Format(time.RFC3339), step.Skipped)
	}
	if step.Invalid != nil && before.Status.Reason != s.Status.Reason {
		r.events.Eventf(s, nil, corev1.EventTypeWarning, "Invalid", "Wait", "%s", s.Status.Reason)
	}
	return nil
}

// record writes into status what step came to.
func record(s *v1beta2.ScheduledSparkApplication, step Step) {
	status := &s.Status
	status.ObservedGeneration = s.Generation
	if step.Invalid != nil {
		status.ScheduleState, status.Reason = v1beta2.ScheduleStateFailedValidation, step.Invalid.Error()
		status.NextRun = metav1.Time{}
		return
	}
	status.ScheduleState, status.Reason = v1beta2.ScheduleStateScheduled, ""
	status.NextRun = metav1.NewTime(step.Next)
	status.HandledUntil = metav1.NewTime(step.Until)
	status.PastSuccessfulRunNames, status.PastFailedRunNames = step.Succeeded, step.Failed
	if !step.Start.IsZero() {
		status.LastRun, status.LastRunName = metav1.NewTime(step.Start), runName(s, step.Start)
	}
}
