package application

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1beta2"
)

// Keys of structured logs: docs/metrics.md says what each means.
const (
	logState   = "state"
	logFrom    = "from"
	logRun     = "run"
	logBecause = "because"
	logAction  = "action"
	logCause   = "cause"
)

// afterConflict is when to try again if the application that a conflict was about is not seen before.
const afterConflict = time.Second

// report writes status, if step changed it, and tells of a change of state: to the log, in an event, in the metrics.
func (r *Reconciler) report(ctx context.Context, app *v1beta2.SparkApplication, seen Observation, step Step) (reconcile.Result, error) {
	before := app.DeepCopy()
	record(app, seen, step, r.clock.Now())
	if apiequality.Semantic.DeepEqual(before.Status, app.Status) {
		return reconcile.Result{RequeueAfter: step.After}, nil
	}
	// The lock lets nothing be decided on a status or a specification that is not the latest.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	err := r.apps.Status().Patch(ctx, app, patch)
	switch {
	case apierrors.IsConflict(err):
		return reconcile.Result{RequeueAfter: afterConflict}, nil
	case apierrors.IsNotFound(err):
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("write status: %w", err)
	}
	r.tell(ctx, before, app, seen, step)
	if step.letsIn() {
		return reconcile.Result{RequeueAfter: goOn, Priority: new(begun)}, nil
	}
	return reconcile.Result{RequeueAfter: step.After}, nil
}

// tell says once that the application's state has changed, or that a submission was refused again.
func (r *Reconciler) tell(ctx context.Context, before, app *v1beta2.SparkApplication, seen Observation, step Step) {
	r.metrics.count(before, app, seen, step, r.clock.Now())
	r.tellDiagnosis(before, app, seen)
	r.tellQueue(before, app, step)
	if state(before) == state(app) && step.Cause == "" {
		return
	}
	log.FromContext(ctx).Info("application changed state", logFrom, state(before), logState, state(app),
		logRun, app.Status.Run, logBecause, step.Because, logCause, step.Cause)

	kind, note := corev1.EventTypeNormal, step.Because
	if step.Failure != "" {
		kind, note = corev1.EventTypeWarning, step.Failure
	}
	if step.Claimed != nil && before.Status.SpecHash != app.Status.SpecHash { // once, and not with each run
		for _, warning := range step.Claimed.Warnings {
			r.events.Eventf(app, nil, corev1.EventTypeWarning, "Doubtful", string(step.Action), "%s", shorten(warning, maxEventNote))
		}
	}
	r.events.Eventf(app, nil, kind, reasonOf(state(app)), string(step.Action), "%s", shorten(note, maxEventNote))
}

// maxEventNote is what the API server accepts as an event's note.
const maxEventNote = 1024

func shorten(text string, length int) string {
	if len(text) <= length {
		return text
	}
	const mark = "..."
	cut := length - len(mark)
	for cut > 0 && text[cut]&0xC0 == 0x80 { // not within a rune
		cut--
	}
	return text[:cut] + mark
}

// reasonOf returns a state in the form of a condition's or an event's reason.
func reasonOf(s v1beta2.ApplicationStateType) string {
	switch s {
	case v1beta2.ApplicationStateNew:
		return "New"
	case v1beta2.ApplicationStateSubmitted:
		return "Submitted"
	case v1beta2.ApplicationStateRunning:
		return "DriverRunning"
	case v1beta2.ApplicationStateSucceeding:
		return "Succeeding"
	case v1beta2.ApplicationStateCompleted:
		return "Completed"
	case v1beta2.ApplicationStateFailing:
		return "Failing"
	case v1beta2.ApplicationStateFailed:
		return "Failed"
	case v1beta2.ApplicationStateFailedSubmission:
		return "SubmissionFailed"
	case v1beta2.ApplicationStatePendingRerun:
		return "PendingRerun"
	case v1beta2.ApplicationStateInvalidating:
		return "SpecificationChanged"
	case v1beta2.ApplicationStateSuspending:
		return "Suspending"
	case v1beta2.ApplicationStateSuspended:
		return "Suspended"
	case v1beta2.ApplicationStateResuming:
		return "Resuming"
	default:
		return "Unknown"
	}
}
