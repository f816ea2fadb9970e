package application

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

const (
	// waitForDiagnosis is how long a run that failed waits for what it failed of to be known, where it depends on that
	// whether there is another.
	waitForDiagnosis = 20 * time.Second
	// noCause is the reason of ConditionDiagnosed where nothing was found.
	noCause = "NoCauseFound"
	// maxDiagnosis bounds what status says of a cause. The record of the run says all.
	maxDiagnosis = 600
)

// Diagnoses tells what runs failed of or wait for.
type Diagnoses interface {
	// Causes returns what the current run of app failed of or waits for, the most fundamental first; looked is false until
	// that was looked at. ended says that it is the last word about a run that failed.
	Causes(app *v1beta2.SparkApplication) (causes []v1alpha1.Cause, looked, ended bool)
	// Notify has told called with each application of which there is something new to say. It must not block.
	Notify(told func(app types.NamespacedName))
}

// Diagnosis is what was found out about the current run.
type Diagnosis struct {
	// Looked says that it was looked at, Ended that it was after its bad end.
	Looked, Ended bool
	// Code is the first cause; "" where none was found.
	Code string
	// Say is why, and the first thing that can be done.
	Say string
	// Deterministic says that another run would fail of the same.
	Deterministic bool
}

func (r *Reconciler) observeDiagnosis(app *v1beta2.SparkApplication) Diagnosis {
	if r.diagnoses == nil {
		return Diagnosis{}
	}
	causes, looked, ended := r.diagnoses.Causes(app)
	d := Diagnosis{Looked: looked, Ended: ended}
	if len(causes) == 0 {
		return d
	}
	first := &causes[0]
	d.Code, d.Say, d.Deterministic = first.Code, first.Why, !first.Transient && first.Confidence != v1alpha1.ConfidenceLow
	if len(first.Fixes) > 0 {
		d.Say += " " + first.Fixes[0].Say
	}
	return d
}

// retriesDeterministic reports whether a run of app is followed by another where that would fail of the same.
func retriesDeterministic(app *v1beta2.SparkApplication, otherwise bool) bool {
	if retry, err := strconv.ParseBool(app.Annotations[v1beta2.AnnotationRetryDeterministicFailures]); err == nil {
		return retry
	}
	return otherwise
}

// inVain decides for a run that failed, and would be followed by another, where the next one would fail of the same. It
// waits until it is known what the run failed of, but not for ever.
func inVain(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	failedAt := app.Status.TerminationTime
	if !seen.NotInVain || failedAt.IsZero() || app.Status.AppState.ErrorMessage == "" {
		return Step{}, false
	}
	retryable := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRetryable)
	switch {
	case retryable == nil && now.Sub(failedAt.Time) < waitForDiagnosis:
		step := stay(app, "it is not known yet what its last run failed of")
		step.After = failedAt.Add(waitForDiagnosis).Sub(now)
		return step, true
	case retryable != nil && retryable.Status == metav1.ConditionFalse:
		return Step{
			Action: Wait, State: v1beta2.ApplicationStateFailed, Because: "another run would fail of the same",
			Failure: fmt.Sprintf("%s; not run again, as another run would fail of the same (%s)", app.Status.AppState.ErrorMessage, retryable.Reason),
		}, true
	}
	return Step{}, false
}

// recordDiagnosis writes into conditions what the current run failed of or waits for.
func recordDiagnosis(app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	d := seen.Diagnosis
	switch {
	case step.Claimed != nil, step.State == v1beta2.ApplicationStateCompleted, calledOff(step.State), step.State == v1beta2.ApplicationStateResuming:
		meta.RemoveStatusCondition(&app.Status.Conditions, v1beta2.ConditionDiagnosed)
		meta.RemoveStatusCondition(&app.Status.Conditions, v1beta2.ConditionRetryable)
		return
	case !d.Looked:
		return
	case d.Code == "" && !d.Ended: // it waits no longer
		meta.RemoveStatusCondition(&app.Status.Conditions, v1beta2.ConditionDiagnosed)
		return
	case d.Code == "":
		setCondition(app, v1beta2.ConditionDiagnosed, metav1.ConditionFalse, noCause, "nothing that is known was found in what was seen of the run", now)
	default:
		setCondition(app, v1beta2.ConditionDiagnosed, metav1.ConditionTrue, camelCase(d.Code), shorten(d.Say, maxDiagnosis), now)
	}
	switch {
	case !d.Ended:
	case d.Code != "" && d.Deterministic:
		setCondition(app, v1beta2.ConditionRetryable, metav1.ConditionFalse, camelCase(d.Code), "another run would fail of the same", now)
	default:
		setCondition(app, v1beta2.ConditionRetryable, metav1.ConditionTrue, reasonOfRetry(d.Code), "another run may succeed", now)
	}
}

func reasonOfRetry(code string) string {
	if code == "" {
		return noCause
	}
	return camelCase(code)
}

// camelCase returns a cause's code in the form of a condition's reason: container-out-of-memory is ContainerOutOfMemory.
func camelCase(code string) string {
	var reason strings.Builder
	for _, word := range strings.FieldsFunc(code, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		reason.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return reason.String()
}

// tellDiagnosis says once of a run what it failed of or waits for.
func (r *Reconciler) tellDiagnosis(before, app *v1beta2.SparkApplication, seen Observation) {
	said := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionDiagnosed)
	if said == nil || said.Status != metav1.ConditionTrue {
		return
	}
	earlier := meta.FindStatusCondition(before.Status.Conditions, v1beta2.ConditionDiagnosed)
	if earlier != nil && earlier.Reason == said.Reason {
		return
	}
	r.metrics.causes.WithLabelValues(app.Namespace, seen.Diagnosis.Code).Inc()
	r.events.Eventf(app, nil, corev1.EventTypeWarning, said.Reason, "Diagnose", "%s", shorten(said.Message, maxEventNote))
}

// diagnosisSource wakes an application when there is something new to say of its run.
func (r *Reconciler) diagnosisSource() source.Source {
	return source.Func(func(_ context.Context, q queue) error {
		if r.diagnoses != nil {
			r.diagnoses.Notify(func(app types.NamespacedName) { q.Add(reconcile.Request{NamespacedName: app}) })
		}
		return nil
	})
}
