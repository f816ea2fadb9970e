package application

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"brazier.sh/brazier/api/v1beta2"
)

// sidecarGrace is how long sidecars may go on when their driver has ended, to hand on the last of its logs or metrics.
const sidecarGrace = 30 * time.Second

// leftovers decides what is to be cleared away after a run has ended: everything, if its driver may still run something,
// else all but the driver's pod, and what goes on in that.
func leftovers(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	driver, lingers := seen.Lingering()
	active := now.Sub(driver.Accepted) + sidecarGrace
	switch {
	case seen.Unended():
		return Step{Action: Stop, State: state(app), Because: "its run has ended without its driver"}, true
	case !released(app) || seen.ExecutorsLive():
		return Step{Action: Release, State: state(app), Because: "its run has ended"}, true
	case lingers && (driver.Active == 0 || driver.Active > active): // not limited yet, or by its template to longer than that
		return Step{
			Action: Limit, State: state(app), Because: "sidecars go on after its driver's end",
			Limited: Limited{Pod: driver.Name, UID: driver.UID, Active: active},
		}, true
	}
	return Step{}, false
}

// clear removes what is left of a run that was called off, waits until its drivers are gone, and moves on to next.
func clear(app *v1beta2.SparkApplication, seen Observation, next v1beta2.ApplicationStateType) Step {
	switch {
	case !released(app) || seen.DriversLive() || seen.ExecutorsLive():
		return Step{Action: Stop, State: state(app), Because: "its run was called off"}
	case len(seen.Drivers) > 0:
		return stay(app, "its driver is being deleted")
	case next == state(app):
		return stay(app, "its run is gone")
	default:
		return Step{Action: Wait, State: next, Because: "its run is gone"}
	}
}

// released reports whether everything of the last run but its driver pod was removed.
func released(app *v1beta2.SparkApplication) bool {
	return meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased)
}
