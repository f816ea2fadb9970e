package applications

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/api/v1beta2"
)

// ConditionDiagnosed is the type of the condition that says what was found to be behind a failure, where that was looked
// for.
const ConditionDiagnosed = "Diagnosed"

// State is the state of an application in one word. The API has none for one that nothing was done for yet.
func State(app *v1beta2.SparkApplication) string {
	if !app.DeletionTimestamp.IsZero() {
		return "DELETING"
	}
	return cmp.Or(string(app.Status.AppState.State), "NEW")
}

// States are the words that State has, for flags.
func States() []string {
	return []string{
		"NEW", "SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED", "FAILING", "FAILED", "SUBMISSION_FAILED", "PENDING_RERUN",
		"INVALIDATING", "SUSPENDING", "SUSPENDED", "RESUMING", "UNKNOWN", "DELETING",
	}
}

// Says is why an application is in its state, in one text; empty where there is nothing to explain. What was diagnosed
// comes before what was merely seen.
func Says(app *v1beta2.SparkApplication) string {
	if diagnosed := meta.FindStatusCondition(app.Status.Conditions, ConditionDiagnosed); diagnosed != nil &&
		diagnosed.Status != metav1.ConditionFalse && diagnosed.Message != "" && !goesWell(app.Status.AppState.State) {
		return diagnosed.Message
	}
	switch app.Status.AppState.State {
	case v1beta2.ApplicationStateNew:
		return "the operator has not seen it yet"
	case v1beta2.ApplicationStateSubmitted:
		running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
		if running != nil && running.Status != metav1.ConditionTrue {
			return join(running.Reason, running.Message)
		}
	case v1beta2.ApplicationStateFailed, v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateFailedSubmission,
		v1beta2.ApplicationStatePendingRerun:
		return app.Status.AppState.ErrorMessage
	case v1beta2.ApplicationStateInvalidating:
		return "its specification was edited; the run is being stopped"
	case v1beta2.ApplicationStateSuspending:
		return "spec.suspend is true; the run is being stopped"
	case v1beta2.ApplicationStateSuspended:
		return "it waits until spec.suspend is false again"
	case v1beta2.ApplicationStateUnknown:
		return "the driver's node cannot be reached"
	}
	return ""
}

// goesWell reports whether a diagnosis of what was before no longer matters.
func goesWell(state v1beta2.ApplicationStateType) bool {
	return state == v1beta2.ApplicationStateRunning || state == v1beta2.ApplicationStateCompleted || state == v1beta2.ApplicationStateSucceeding
}

// Asked returns how many executors an application asks for at first, and whether Spark decides as it goes.
func Asked(app *v1beta2.SparkApplication) (instances int, dynamic bool) {
	instances = 1
	if n, err := strconv.Atoi(app.Spec.SparkConf["spark.executor.instances"]); err == nil {
		instances = n
	}
	if app.Spec.Executor.Instances != nil {
		instances = int(*app.Spec.Executor.Instances)
	}
	dynamic = strings.EqualFold(app.Spec.SparkConf["spark.dynamicAllocation.enabled"], "true") ||
		app.Spec.DynamicAllocation != nil && app.Spec.DynamicAllocation.Enabled
	return instances, dynamic
}

// Executors returns how many executors run, as the application itself says, and how many there are to be.
func Executors(app *v1beta2.SparkApplication) (running, wanted int) {
	pending := 0
	for _, state := range app.Status.ExecutorState {
		switch state {
		case v1beta2.ExecutorStateRunning:
			running++
		case v1beta2.ExecutorStatePending:
			pending++
		}
	}
	wanted, dynamic := Asked(app)
	if dynamic {
		return running, running + pending
	}
	return running, max(wanted, running+pending)
}

// Live reports whether a run of the application is under way.
func Live(app *v1beta2.SparkApplication) bool {
	switch app.Status.AppState.State {
	case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateUnknown,
		v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStateFailing:
		return true
	}
	return false
}

// ExecutorsCell is what a table says of an application's executors: running/wanted while a run is under way.
func ExecutorsCell(app *v1beta2.SparkApplication) string {
	if !Live(app) {
		return ""
	}
	running, wanted := Executors(app)
	return fmt.Sprintf("%d/%d", running, wanted)
}

// Submitted is when the last run began.
func Submitted(app *v1beta2.SparkApplication) time.Time {
	if !app.Status.LastSubmissionAttemptTime.IsZero() {
		return app.Status.LastSubmissionAttemptTime.Time
	}
	return app.Status.RunSubmitTime.Time
}

// Took is how long the last run has taken, until its end or until now; 0 where there is none, or its end is not told.
func Took(app *v1beta2.SparkApplication, now time.Time) time.Duration {
	begun, ended := Submitted(app), app.Status.TerminationTime.Time
	switch {
	case begun.IsZero():
		return 0
	case Live(app):
		return max(now.Sub(begun), 0)
	case ended.Before(begun):
		return 0
	}
	return ended.Sub(begun)
}

// Age is how long ago something was, as people read it: 45s, 12m, 3h20m.
func Age(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(at))
}

// Attempt is the number of the last attempt that counts, from 1; 0 before the first.
func Attempt(app *v1beta2.SparkApplication) int {
	attempt := int(app.Status.ExecutionAttempts)
	if attempt == 0 && app.Status.Run > 0 {
		return 1
	}
	return attempt
}
