package connect

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1alpha1"
)

// Keys of structured logs: docs/metrics.md says what each means.
const (
	logState   = "state"
	logFrom    = "from"
	logRun     = "run"
	logBecause = "because"
	logAction  = "action"
)

// afterConflict is when to try again if the object that a conflict was about is not seen before.
const afterConflict = time.Second

// report writes status, if step changed it, and tells of a change in an event and the log.
func (r *Reconciler) report(ctx context.Context, connect *v1alpha1.SparkConnect, seen Observation, step Step) (reconcile.Result, error) {
	before := connect.DeepCopy()
	record(connect, seen, step)
	if apiequality.Semantic.DeepEqual(before.Status, connect.Status) {
		return reconcile.Result{RequeueAfter: step.After}, nil
	}
	now := metav1.NewTime(r.clock.Now())
	connect.Status.LastUpdateTime = now
	if connect.Status.StartTime.IsZero() {
		connect.Status.StartTime = now
	}
	// The lock lets nothing be decided on a status or a specification that is not the latest.
	err := r.connects.Status().Patch(ctx, connect, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	switch {
	case apierrors.IsConflict(err):
		return reconcile.Result{RequeueAfter: afterConflict}, nil
	case apierrors.IsNotFound(err):
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("write status: %w", err)
	}
	r.metrics.count(step)
	r.tell(ctx, before, connect, seen, step)
	return reconcile.Result{RequeueAfter: step.After}, nil
}

// record writes into status what was seen and what step made of it.
func record(connect *v1alpha1.SparkConnect, seen Observation, step Step) {
	status := &connect.Status
	status.State, status.Executors = step.State, seen.Executors
	if step.Action == Clear { // it has come before anything that an edit asks for
		return
	}
	status.ObservedGeneration = connect.Generation
	switch {
	case step.Action == Claim:
		status.Run++
		status.RunStartTime, status.Restarts = metav1.NewTime(step.Due.Truncate(time.Second)), step.Restarts
		status.Server.PodName, status.Server.PodIP = "", ""
	case step.Action == Start:
		status.Server = v1alpha1.SparkConnectServerStatus{PodName: seen.plan.Server.Name, ServiceName: seen.plan.Service.Name}
	case seen.Server.lives():
		status.Server.PodName, status.Server.PodIP = connect.Name+"-server", seen.Server.IP
		if seen.plan != nil {
			status.Server.ServiceName = seen.plan.Service.Name
		}
	}
	if step.Reason != "" {
		ready := metav1.ConditionFalse
		if step.Reason == reasonReady {
			ready = metav1.ConditionTrue
		}
		setCondition(connect, v1alpha1.ConditionServerPodReady, ready, step.Reason, step.Message)
	}
	valid(connect, seen, step)
}

// valid says whether the specification can be followed.
func valid(connect *v1alpha1.SparkConnect, seen Observation, step Step) {
	switch {
	case seen.Invalid != nil:
		setCondition(connect, v1alpha1.ConditionValid, metav1.ConditionFalse, reasonInvalid, seen.Invalid.Error())
	case step.State == v1alpha1.SparkConnectStateFailed:
		setCondition(connect, v1alpha1.ConditionValid, metav1.ConditionFalse, step.Reason, step.Message)
	case step.Refused != "":
		setCondition(connect, v1alpha1.ConditionValid, metav1.ConditionFalse, reasonRefused, step.Refused)
	default:
		setCondition(connect, v1alpha1.ConditionValid, metav1.ConditionTrue, "Planned", "the specification can be followed")
	}
}

func setCondition(connect *v1alpha1.SparkConnect, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&connect.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: cut(message, maxMessage), ObservedGeneration: connect.Generation,
	})
}

const (
	// maxMessage bounds conditions: a specification may be wrong in many places.
	maxMessage = 8 << 10
	// maxEventNote is what the API server accepts as an event's note.
	maxEventNote = 1024
)

// cut returns the beginning of text that fits into length.
func cut(text string, length int) string {
	return strings.ToValidUTF8(text[:min(len(text), length)], "")
}

// tell says once that the server is not any more what it was.
func (r *Reconciler) tell(ctx context.Context, before, connect *v1alpha1.SparkConnect, seen Observation, step Step) {
	is := meta.FindStatusCondition(connect.Status.Conditions, v1alpha1.ConditionServerPodReady)
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionServerPodReady)
	if step.Action == Claim && before.Status.ObservedGeneration != connect.Generation {
		for _, warning := range seen.Warnings {
			r.events.Eventf(connect, nil, corev1.EventTypeWarning, "Doubtful", string(step.Action), "%s", cut(warning, maxEventNote))
		}
	}
	if is == nil || was != nil && was.Reason == is.Reason && was.Message == is.Message && before.Status.State == connect.Status.State {
		return
	}
	log.FromContext(ctx).Info("server changed state", logFrom, before.Status.State, logState, connect.Status.State,
		logRun, connect.Status.Run, logBecause, step.Because)
	kind := corev1.EventTypeNormal
	switch is.Reason {
	case reasonEnded, reasonRefused, reasonInvalid, reasonWaiting, reasonUnready:
		kind = corev1.EventTypeWarning
	}
	r.events.Eventf(connect, nil, kind, is.Reason, string(step.Action), "%s", cut(is.Message, maxEventNote))
}
