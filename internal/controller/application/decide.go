package application

import (
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

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
	queued,    // its queue has not let it in yet
	takenBack, // its queue wants it back
	overrun,   // it goes on for longer than it told its queue
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
	if step, vain := inVain(app, seen, now); vain {
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
		return inTime(app, Step{Action: Wait, State: v1beta2.ApplicationStateRunning, Because: "its driver is running"}, now), true
	default:
		return inTime(app, starting(app, driver, seen.StartLimit, now), now), true
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

func state(app *v1beta2.SparkApplication) v1beta2.ApplicationStateType {
	return app.Status.AppState.State
}
