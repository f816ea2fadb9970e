package application

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	// maxExecutors bounds status.executorState, so that a large application does not outgrow what etcd holds.
	maxExecutors = 1000
	// maxFailure bounds status.applicationState.errorMessage and the conditions that repeat it.
	maxFailure = 8 << 10
	// waitBeforeTold is how long a driver may take to start before status says what it waits for. Nearly all start
	// sooner, and a status that is not written costs nothing.
	waitBeforeTold = 10 * time.Second
)

// Claimed is what status tells of a run from the moment that it is claimed.
type Claimed struct {
	Run           int64
	At            time.Time
	ApplicationID string
	SubmissionID  string
	Driver        v1beta2.DriverInfo
	// Warnings are for the application's owner, in events.
	Warnings []string
}

// record writes into status what was seen and what step made of it. It is the only place that does.
func record(app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	from, status := state(app), &app.Status
	if step.State != from || step.Cause != "" { // a submission that is refused again stays where it was
		move(app, step, now)
	}
	status.AppState.State = step.State
	if step.Claimed != nil {
		claimRun(app, step.Claimed)
	}
	if step.Action == Release || step.Action == Stop {
		setCondition(app, v1beta2.ConditionReleased, metav1.ConditionTrue, "RunEnded", "nothing of the last run is left but its driver's pod")
	}
	if from == v1beta2.ApplicationStateSubmitted || from == v1beta2.ApplicationStateRunning {
		status.ExecutorState = executorStates(status.ExecutorState, seen.Executors, step.State)
	}
	status.ObservedGeneration = app.Generation
	if status.SpecHash == "" && step.State != v1beta2.ApplicationStateNew {
		status.SpecHash = specHash(&app.Spec)
	}
	setConditions(app, seen, now)
}

// move changes what a change of state changes.
func move(app *v1beta2.SparkApplication, step Step, now time.Time) {
	status := &app.Status
	if !step.Ended.IsZero() {
		status.TerminationTime = metav1.NewTime(step.Ended)
	}
	if step.Failure != "" {
		status.AppState.ErrorMessage = shorten(step.Failure, maxFailure)
	}
	switch {
	case step.Cause.Blameless():
		// The attempt is not counted, so that it does not use up a retry.
		status.ExecutionAttempts = max(0, status.ExecutionAttempts-1)
		status.Disruptions++
	case !step.Ended.IsZero():
		status.Disruptions = 0
	}
	switch step.State {
	case v1beta2.ApplicationStateFailedSubmission:
		if step.Action == Submit {
			// What the claim counted did not come about.
			status.ExecutionAttempts = max(0, status.ExecutionAttempts-1)
		} else {
			// Refused before there was a run to claim.
			status.SubmissionAttempts++
			status.LastSubmissionAttemptTime = metav1.NewTime(now)
			status.SpecHash = specHash(&app.Spec)
		}
		status.TerminationTime = metav1.NewTime(now)
	case v1beta2.ApplicationStateCompleted:
		status.AppState.ErrorMessage = ""
	case v1beta2.ApplicationStatePendingRerun:
		status.SubmissionAttempts = 0
	case v1beta2.ApplicationStateInvalidating:
		// A new specification is a new beginning, but for the run counter.
		status.ExecutionAttempts, status.SubmissionAttempts, status.Disruptions = 0, 0, 0
		callOff(app)
	case v1beta2.ApplicationStateSuspending:
		callOff(app)
	}
}

// callOff forgets how the last run ended: the next one is not a retry and does not wait.
func callOff(app *v1beta2.SparkApplication) {
	app.Status.TerminationTime = metav1.Time{}
	app.Status.AppState.ErrorMessage = ""
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionFalse, "CalledOff", "the run is being removed")
}

// claimRun begins a run in status.
func claimRun(app *v1beta2.SparkApplication, run *Claimed) {
	status := &app.Status
	status.Run = run.Run
	status.RunSubmitTime = metav1.NewTime(run.At)
	status.LastSubmissionAttemptTime = metav1.NewTime(run.At)
	status.TerminationTime = metav1.Time{}
	status.SparkApplicationID = run.ApplicationID
	status.SubmissionID = run.SubmissionID
	status.DriverInfo = run.Driver
	status.AppState.ErrorMessage = ""
	status.ExecutorState = nil
	status.ExecutionAttempts++
	status.SubmissionAttempts++
	status.SpecHash = specHash(&app.Spec)
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionFalse, "RunClaimed", fmt.Sprintf("run %d is under way", run.Run))
}

// executorStates returns the state of each executor: what is seen now, and how those ended that are gone. Of too many
// the latest are kept, and those that are there before those that were.
func executorStates(
	before map[string]v1beta2.ExecutorState, seen []Executor, app v1beta2.ApplicationStateType,
) map[string]v1beta2.ExecutorState {
	if len(before) == 0 && len(seen) == 0 {
		return before
	}
	states := make(map[string]v1beta2.ExecutorState, len(before)+len(seen))
	for name, was := range before {
		states[name] = gone(was, app)
	}
	for _, executor := range seen {
		states[executor.Name] = executor.State
		if app.Ended() && !ended(executor.State) {
			states[executor.Name] = gone(executor.State, app)
		}
	}
	if len(states) <= maxExecutors {
		return states
	}
	names := slices.SortedFunc(maps.Keys(states), func(a, b string) int {
		return cmp.Or(
			cmp.Compare(rank(states[a]), rank(states[b])),
			-cmp.Compare(number(a), number(b)),
			cmp.Compare(a, b),
		)
	})
	for _, name := range names[maxExecutors:] {
		delete(states, name)
	}
	return states
}

// rank orders executors by how much there is to know about them: first those that are there.
func rank(s v1beta2.ExecutorState) int {
	switch s {
	case v1beta2.ExecutorStateRunning, v1beta2.ExecutorStatePending:
		return 0
	default:
		return 1
	}
}

// number returns the executor's number, which Spark puts at the end of its pod's name and never gives twice.
func number(pod string) int {
	n, err := strconv.Atoi(pod[strings.LastIndexByte(pod, '-')+1:])
	if err != nil {
		return 0 // a pod that Spark did not name, such as a set's: as good as the oldest
	}
	return n
}

// gone returns the state of an executor that is not there any more and was in state was when it last was.
func gone(was v1beta2.ExecutorState, app v1beta2.ApplicationStateType) v1beta2.ExecutorState {
	switch {
	case ended(was):
		return was
	case app == v1beta2.ApplicationStateCompleted:
		return v1beta2.ExecutorStateCompleted
	case app == v1beta2.ApplicationStateFailed:
		return v1beta2.ExecutorStateFailed
	default:
		// Whether the driver gave it back or lost it is not to be seen.
		return v1beta2.ExecutorStateUnknown
	}
}

// setConditions summarises status in conditions, from the state alone.
func setConditions(app *v1beta2.SparkApplication, seen Observation, now time.Time) {
	succeeded, running := metav1.ConditionUnknown, metav1.ConditionFalse
	reason, message := reasonOf(state(app)), app.Status.AppState.ErrorMessage
	switch state(app) {
	case v1beta2.ApplicationStateNew:
		return
	case v1beta2.ApplicationStateCompleted:
		succeeded = metav1.ConditionTrue
	case v1beta2.ApplicationStateFailed:
		succeeded = metav1.ConditionFalse
	case v1beta2.ApplicationStateRunning:
		running = metav1.ConditionTrue
	}
	setCondition(app, v1beta2.ConditionSucceeded, succeeded, reason, message)
	if state(app) == v1beta2.ApplicationStateSubmitted {
		if driver, ok := seen.Current(); ok && untilTold(driver, now) <= 0 {
			reason, message = driver.Waiting.Reason, driver.Waiting.Message
		}
	}
	setCondition(app, v1beta2.ConditionRunning, running, reason, message)
}

// untilTold returns how long it is until status has to say what driver waits for.
func untilTold(driver Driver, now time.Time) time.Duration {
	if driver.Waiting == nil || driver.Waiting.Reason == "" {
		return waitBeforeTold
	}
	return driver.Waiting.Since.Add(waitBeforeTold).Sub(now)
}

func setCondition(app *v1beta2.SparkApplication, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: app.Generation,
	})
}
