package application

import (
	"fmt"
	"math"
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

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

func driverDeleted(driver Driver) string {
	if driver.Disruption != "" {
		return fmt.Sprintf("driver container failed: its pod %s was disrupted: %s", driver.Name, driver.Disruption)
	}
	return fmt.Sprintf("driver container failed: its pod %s was deleted", driver.Name)
}

// orNow returns at, or now where Kubernetes does not say when.
func orNow(at, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at
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

// seconds returns n seconds, or the most that a duration can hold.
func seconds(n int64) time.Duration {
	return time.Duration(min(n, int64(math.MaxInt64/time.Second))) * time.Second
}
