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
	// Queue is what the run asks of its queue; nil where it is in none.
	Queue *v1beta2.QueuePlace
	// Warnings are for the application's owner, in events.
	Warnings []string
}

// record writes into status what was seen and what step made of it. It is the only place that does.
func record(app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	from, status := state(app), &app.Status
	rehash(app)
	if step.State != from || step.Cause != "" { // a submission that is refused again stays where it was
		move(app, step, now)
	}
	status.AppState.State = step.State
	if step.Claimed != nil {
		claimRun(app, step.Claimed, now)
	}
	if step.Taken != nil {
		takeOver(app, step.Taken, now)
	}
	if step.Action == Release || step.Action == Stop {
		setCondition(app, v1beta2.ConditionReleased, metav1.ConditionTrue, "RunEnded", "nothing of the last run is left but its driver's pod", now)
	}
	if underWay(from) && !calledOff(step.State) {
		status.ExecutorState = executorStates(status.ExecutorState, ofRunNumber(seen.Executors, status.Run), endOfExecutors(step))
	}
	status.ObservedGeneration = app.Generation
	if status.SpecHash == "" && step.State != v1beta2.ApplicationStateNew {
		status.SpecHash = specHash(&app.Spec)
	}
	recordQueue(app, seen, step, now)
	setConditions(app, seen, now)
	recordDiagnosis(app, seen, step, now)
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
	if !step.Ended.IsZero() {
		status.Failures = failuresInARow(app, step)
	}
	if step.Cause.Blameless() {
		uncount(app)
	}
	switch step.State {
	case v1beta2.ApplicationStateFailedSubmission:
		if step.Action == Submit {
			uncount(app) // what the claim counted did not come about
		} else {
			// Refused before there was a run to claim.
			status.SubmissionAttempts++
			status.LastSubmissionAttemptTime = metav1.NewTime(now)
			status.SpecHash = specHash(&app.Spec)
		}
		status.TerminationTime = metav1.NewTime(now)
	case v1beta2.ApplicationStateCompleted:
		status.AppState.ErrorMessage = ""
	case v1beta2.ApplicationStateFailed:
		if status.TerminationTime.IsZero() { // another operator does not say when a submission failed
			status.TerminationTime = metav1.NewTime(now)
		}
	case v1beta2.ApplicationStatePendingRerun:
		if state(app) == v1beta2.ApplicationStateInvalidating { // another operator counts anew only here
			status.ExecutionAttempts = 0
		}
		if step.TakenBack {
			uncount(app)
		}
		status.SubmissionAttempts = 0
	case v1beta2.ApplicationStateInvalidating:
		// A new specification is a new beginning, but for the run counter.
		status.ExecutionAttempts = 0
		callOff(app, now)
	case v1beta2.ApplicationStateSuspending:
		if underWay(state(app)) {
			uncount(app) // whoever suspends it, as a queue may, uses up no retry
		}
		callOff(app, now)
	}
}

// uncount takes back that a run was counted as an attempt, so that it does not use up a retry.
func uncount(app *v1beta2.SparkApplication) {
	app.Status.ExecutionAttempts = max(0, app.Status.ExecutionAttempts-1)
}

// failuresInARow returns how many runs in a row have failed with the one that step ends.
func failuresInARow(app *v1beta2.SparkApplication, step Step) int32 {
	running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
	switch {
	case step.Failure == "":
		return 0
	case running != nil && running.Status == metav1.ConditionTrue && step.Ended.Sub(running.LastTransitionTime.Time) >= healthyRun:
		return 1
	default:
		return app.Status.Failures + 1
	}
}

// callOff forgets the last run: the next one is not a retry and does not wait.
func callOff(app *v1beta2.SparkApplication, now time.Time) {
	app.Status.TerminationTime = metav1.Time{}
	app.Status.AppState.ErrorMessage = ""
	app.Status.SubmissionAttempts, app.Status.Failures = 0, 0
	app.Status.ExecutorState, app.Status.DriverInfo = nil, v1beta2.DriverInfo{}
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionFalse, "CalledOff", "the run is being removed", now)
}

// claimRun begins a run in status.
func claimRun(app *v1beta2.SparkApplication, run *Claimed, now time.Time) {
	status := &app.Status
	status.Run = run.Run
	status.RunSubmitTime = metav1.NewTime(run.At)
	status.LastSubmissionAttemptTime = metav1.NewTime(run.At)
	status.TerminationTime = metav1.Time{}
	status.SparkApplicationID = run.ApplicationID
	status.SubmissionID = run.SubmissionID
	status.DriverInfo = run.Driver
	status.Queue = run.Queue
	status.AppState.ErrorMessage = ""
	status.ExecutorState = nil
	status.ExecutionAttempts++
	status.SubmissionAttempts++
	status.SpecHash = specHash(&app.Spec)
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionFalse, "RunClaimed", fmt.Sprintf("run %d is under way", run.Run), now)
}

// underWay reports whether an application in state s has a run of which executors may be seen.
func underWay(s v1beta2.ApplicationStateType) bool {
	return s == v1beta2.ApplicationStateSubmitted || s == v1beta2.ApplicationStateRunning
}

// calledOff reports whether an application in state s has a run that its user does not want any more.
func calledOff(s v1beta2.ApplicationStateType) bool {
	return s == v1beta2.ApplicationStateInvalidating || s == v1beta2.ApplicationStateSuspending
}

// ofRunNumber returns those executors that belong to a run: of an earlier one some may still be on their way out. A run
// that another operator has submitted, or told of, has no number.
func ofRunNumber(executors []Executor, run int64) []Executor {
	return slices.DeleteFunc(slices.Clone(executors), func(e Executor) bool { return run != 0 && e.Run != run })
}

// endOfExecutors returns the state in which step leaves executors that have not ended by themselves; "" if it leaves them
// be.
func endOfExecutors(step Step) v1beta2.ExecutorState {
	switch {
	case step.Ended.IsZero():
		return ""
	case step.Failure == "":
		return v1beta2.ExecutorStateCompleted
	default:
		return v1beta2.ExecutorStateFailed
	}
}

// executorStates returns the state of each executor: what is seen now, and how those ended that are gone. Of too many
// the latest are kept, and those that are there before those that were. At the end of the run all are in the state end.
func executorStates(
	before map[string]v1beta2.ExecutorState, seen []Executor, end v1beta2.ExecutorState,
) map[string]v1beta2.ExecutorState {
	if len(before) == 0 && len(seen) == 0 {
		return before
	}
	states := make(map[string]v1beta2.ExecutorState, len(before)+len(seen))
	for name, was := range before {
		states[name] = gone(was, end)
	}
	for _, executor := range seen {
		states[executor.Name] = executor.State
		if end != "" {
			states[executor.Name] = gone(executor.State, end)
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

// gone returns the state of an executor that is not there any more, or not for long, and was in state was when it last
// was; end is that of executors at the end of their run, "" before.
func gone(was, end v1beta2.ExecutorState) v1beta2.ExecutorState {
	switch {
	case was.Ended():
		return was
	case end != "":
		return end
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
	setCondition(app, v1beta2.ConditionSucceeded, succeeded, reason, message, now)
	switch {
	case waits(app):
		reason = "Queued"
	case state(app) == v1beta2.ApplicationStateSubmitted:
		if driver, ok := seen.Current(); ok && untilTold(driver, now) <= 0 {
			reason, message = driver.Waiting.Reason, driver.Waiting.Message
		}
	}
	setCondition(app, v1beta2.ConditionRunning, running, reason, message, now)
}

// untilTold returns how long it is until status has to say what driver waits for.
func untilTold(driver Driver, now time.Time) time.Duration {
	if driver.Waiting == nil || driver.Waiting.Reason == "" {
		return waitBeforeTold
	}
	return driver.Waiting.Since.Add(waitBeforeTold).Sub(now)
}

func setCondition(app *v1beta2.SparkApplication, kind string, status metav1.ConditionStatus, reason, message string, now time.Time) {
	meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: app.Generation,
		LastTransitionTime: metav1.NewTime(now),
	})
}
