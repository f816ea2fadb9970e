package application

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// Action is what act carries out in one step.
type Action string

const (
	// Wait does nothing but move the application to the step's state.
	Wait Action = "Wait"
	// Claim takes the next run number and writes it down, before anything is made for that run.
	Claim Action = "Claim"
	// Submit makes what the claimed run does not have yet; its driver pod comes last.
	Submit Action = "Submit"
	// Release removes what the run left, but for its driver pod, whose log people want to read.
	Release Action = "Release"
	// Stop removes what the run left and its driver pod too.
	Stop Action = "Stop"
	// Limit has kubelet end what goes on in a driver's pod beside the driver, which has ended.
	Limit Action = "Limit"
	// Delete removes the application itself.
	Delete Action = "Delete"
)

const (
	// defaultRetryInterval applies where the restart policy names none.
	defaultRetryInterval = 5 * time.Second
	// maxRetryWait bounds interval × attempts; an interval that is longer in itself is kept.
	maxRetryWait = 10 * time.Minute
	// healthyRun is how long a run has to last for its end not to count as one in a row of failures.
	healthyRun = time.Hour
)

// Step is what is to be done next. A step either changes the application's state or acts on the cluster, never both:
// what is about to be done is written down first, so that a crash in between leaves it to be done again.
type Step struct {
	Action Action
	// State is the state that the application is in after the step.
	State v1beta2.ApplicationStateType
	// Because says why, for logs and events.
	Because string
	// Failure is what status.applicationState.errorMessage says; "" keeps what is there.
	Failure string
	// Ended is when the run ended, set by the step that ends it.
	Ended time.Time
	// Cause is what the run failed of, where the step ends one that failed. What is the cluster's fault uses up no retry.
	Cause Cause
	// After is when to look again, if nothing happens before.
	After time.Duration
	// Limited is the pod that Limit is about.
	Limited Limited
	// Claimed is the run that act claimed, with everything that status tells of it.
	Claimed *Claimed
	// Taken is the driver of another operator whose run is taken over.
	Taken *Driver
}

// Limited is a driver's pod and how long it may be active, counted from when its node accepted it.
type Limited struct {
	Pod    string
	UID    types.UID
	Active time.Duration
}

type rule func(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool)

// rules are tried in order; the first that applies decides.
var rules = [...]rule{
	deleted,   // owner references take the run along
	suspended, // the user's word comes before the application's life
	edited,    // a specification that changed invalidates the run
	expired,   // its time to live is over
	stopping,  // a run that was called off has to be gone first
	taken,     // another operator has submitted it already
	due,       // new, or its retry time has come
	running,   // a run is under way
	over,      // nothing but what was left behind
}

// Decide returns the next step for app, given what was seen of it at now. It has no side effects, so that every
// transition of the state machine is a row in a table test.
func Decide(app *v1beta2.SparkApplication, seen Observation, now time.Time) Step {
	for _, rule := range rules {
		if step, ok := rule(app, seen, now); ok {
			return step
		}
	}
	return stay(app, "nothing has changed")
}

func deleted(app *v1beta2.SparkApplication, _ Observation, _ time.Time) (Step, bool) {
	if app.DeletionTimestamp.IsZero() {
		return Step{}, false
	}
	return stay(app, "it is being deleted"), true
}

func expired(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	left, limited := timeToLive(app, seen, now)
	if !limited || left > 0 {
		return Step{}, false
	}
	return Step{
		Action: Delete, State: state(app),
		Because: "it ended longer ago than its time to live",
	}, true
}

func suspended(app *v1beta2.SparkApplication, seen Observation, _ time.Time) (Step, bool) {
	if !app.Spec.Suspend || state(app).Ended() {
		return Step{}, false
	}
	switch state(app) {
	case v1beta2.ApplicationStateSuspended:
		if seen.Unended() || seen.ExecutorsLive() { // made by a request that was long on its way
			return clear(app, seen, state(app)), true
		}
		return stay(app, "it is suspended"), true
	case v1beta2.ApplicationStateNew:
		return Step{Action: Wait, State: v1beta2.ApplicationStateSuspended, Because: "spec.suspend is true"}, true
	case v1beta2.ApplicationStateSuspending:
		return clear(app, seen, v1beta2.ApplicationStateSuspended), true
	default:
		return Step{Action: Wait, State: v1beta2.ApplicationStateSuspending, Because: "spec.suspend is true"}, true
	}
}

func edited(app *v1beta2.SparkApplication, _ Observation, _ time.Time) (Step, bool) {
	switch state(app) {
	case v1beta2.ApplicationStateNew, v1beta2.ApplicationStateInvalidating,
		v1beta2.ApplicationStateSuspending, v1beta2.ApplicationStateSuspended, v1beta2.ApplicationStateResuming:
		// No run is under way; the next one reads the specification as it is then.
		return Step{}, false
	}
	// Only an edit raises the generation. Without that the hash is not looked at, so that a change of what is hashed
	// restarts nothing when the operator is upgraded.
	if app.Generation == app.Status.ObservedGeneration || app.Status.SpecHash == "" {
		return Step{}, false
	}
	if app.Status.SpecHash == specHash(&app.Spec) {
		return Step{}, false
	}
	return Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating, Because: "its specification was edited"}, true
}

func stopping(app *v1beta2.SparkApplication, seen Observation, _ time.Time) (Step, bool) {
	switch state(app) {
	case v1beta2.ApplicationStateInvalidating:
		return clear(app, seen, v1beta2.ApplicationStatePendingRerun), true
	case v1beta2.ApplicationStateSuspending: // suspend was taken back before all was gone
		return clear(app, seen, v1beta2.ApplicationStateResuming), true
	}
	return Step{}, false
}

func due(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	switch state(app) {
	case v1beta2.ApplicationStateNew:
		return claim("it is new"), true
	case v1beta2.ApplicationStateSuspended:
		return Step{Action: Wait, State: v1beta2.ApplicationStateResuming, Because: "spec.suspend is false"}, true
	case v1beta2.ApplicationStateFailedSubmission:
		if !mayResubmit(app) {
			return Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Because: "its restart policy allows no further submission",
			}, true
		}
	case v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateResuming:
	default:
		return Step{}, false
	}
	if step, left := leftovers(app, seen, now); left {
		return step, true
	}
	if left := retryWait(app, now); left > 0 {
		// The driver pod of the last run is kept until then: its log says why there is another.
		step := stay(app, "its next run is not due yet")
		step.After = left
		return step, true
	}
	if len(seen.Drivers) > 0 {
		return clear(app, seen, state(app)), true
	}
	return claim("its next run is due"), true
}

func running(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	switch state(app) {
	case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateSucceeding,
		v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateUnknown:
	default:
		return Step{}, false
	}
	driver, found := seen.Current()
	if !found {
		return driverMissing(app, seen, now), true
	}
	switch {
	case driver.Ended != nil && driver.Ended.Success:
		return completed(app, orNow(driver.Ended.At, now)), true
	case driver.Ended != nil:
		return failed(app, driver.Ended.Message, orNow(driver.Ended.At, now), driver.Cause), true
	case driver.Deleting:
		return failed(app, driverDeleted(driver), now, driver.Cause), true
	case driver.Running:
		return Step{Action: Wait, State: v1beta2.ApplicationStateRunning, Because: "its driver is running"}, true
	default:
		return starting(app, driver, seen.StartLimit, now), true
	}
}

func over(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	if !state(app).Ended() {
		return Step{}, false
	}
	if step, left := leftovers(app, seen, now); left {
		return step, true
	}
	step := stay(app, "it has ended")
	if left, limited := timeToLive(app, seen, now); limited {
		step.After = left
	}
	return step, true
}

// driverMissing decides for a run whose driver pod is not to be seen.
func driverMissing(app *v1beta2.SparkApplication, seen Observation, now time.Time) Step {
	gone := fmt.Sprintf("driver container failed: its pod %s is gone", app.Status.DriverInfo.PodName)
	switch state(app) {
	case v1beta2.ApplicationStateSubmitted:
		if seen.DriverGone || foreign(app) {
			return failed(app, gone, now, CauseDeleted)
		}
		// Nothing of the run has ever been seen to start, so that making what is missing runs nothing twice.
		return Step{Action: Submit, State: state(app), Because: "its run is claimed and has no driver yet"}
	case v1beta2.ApplicationStateSucceeding:
		return completed(app, now)
	case v1beta2.ApplicationStateFailing:
		return failed(app, app.Status.AppState.ErrorMessage, now, CauseApplication)
	default:
		return failed(app, gone, now, CauseDeleted)
	}
}

// completed ends a run that did what it was asked.
func completed(app *v1beta2.SparkApplication, at time.Time) Step {
	step := Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Because: "its driver ended well", Ended: at}
	if app.Spec.RestartPolicy.Type == v1beta2.RestartPolicyAlways {
		step.State = v1beta2.ApplicationStatePendingRerun
	}
	return step
}

// failed ends a run that did not.
func failed(app *v1beta2.SparkApplication, message string, at time.Time, cause Cause) Step {
	step := Step{
		Action: Wait, State: v1beta2.ApplicationStateFailed, Because: "its driver failed",
		Failure: message, Ended: at, Cause: cause,
	}
	if mayRunAgain(app, cause) {
		step.State = v1beta2.ApplicationStatePendingRerun
	}
	return step
}

func claim(because string) Step {
	return Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted, Because: because}
}

func stay(app *v1beta2.SparkApplication, because string) Step {
	return Step{Action: Wait, State: state(app), Because: because}
}

func state(app *v1beta2.SparkApplication) v1beta2.ApplicationStateType {
	return app.Status.AppState.State
}

// seconds returns n seconds, or the most that a duration can hold.
func seconds(n int64) time.Duration {
	return time.Duration(min(n, int64(math.MaxInt64/time.Second))) * time.Second
}

// orNow returns at, or now where Kubernetes does not say when.
func orNow(at, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at
}

func driverDeleted(driver Driver) string {
	if driver.Disruption != "" {
		return fmt.Sprintf("driver container failed: its pod %s was disrupted: %s", driver.Name, driver.Disruption)
	}
	return fmt.Sprintf("driver container failed: its pod %s was deleted", driver.Name)
}

// timeToLive returns how long an application that has ended is still to be kept, if that is limited.
func timeToLive(app *v1beta2.SparkApplication, seen Observation, now time.Time) (time.Duration, bool) {
	live := app.Spec.TimeToLiveSeconds
	if live == nil {
		live = seen.TimeToLive
	}
	if !state(app).Ended() || live == nil || app.Status.TerminationTime.IsZero() {
		return 0, false
	}
	return app.Status.TerminationTime.Add(seconds(*live)).Sub(now), true
}
