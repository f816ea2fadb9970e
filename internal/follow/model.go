package follow

import (
	"cmp"
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
)

// model is all that is known of an application at one moment. It is plain data: the watchers fill it, the narrator and
// the frame read it.
type model struct {
	app       application
	driver    driver
	executors executors
	spark     spark
	contact   contact
	// cause is what the operator says that the application failed of.
	cause string

	pods []*corev1.Pod
}

// application is what the SparkApplication itself says.
type application struct {
	seen, gone bool
	uid        types.UID
	created    time.Time
	state      v1beta2.ApplicationStateType
	message    string
	waiting    string
	attempt    int
	driverPod  string
	uiPort     int
	// instances is how many executors the specification asks for; dynamic says that Spark decides as it goes.
	instances int
	dynamic   bool
}

// contact says how it stands with the API server.
type contact struct {
	// lost is why the server cannot be reached at the moment.
	lost string
	// refused is why following is of no use at all.
	refused error
	// blind is why pods are not shown.
	blind string
}

// callApplication takes note of how a call for the application went. A server that begins anew may refuse for a moment
// what it granted before, so that only what it never granted is final.
func (m *model) callApplication(err error) {
	switch {
	case err == nil:
		m.contact.lost = ""
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || errors.Is(err, context.Canceled):
		// The watch begins anew; nothing is wrong with the server.
	case !m.app.seen && (apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err)):
		m.contact.refused = err
	default:
		m.contact.lost = err.Error()
	}
}

// callPods takes note of how a call for the pods went. What is shown of them is a convenience: an application can be
// followed without the right to see its pods.
func (m *model) callPods(err error) {
	if apierrors.IsForbidden(err) && !m.executors.seen {
		m.contact.blind = err.Error()
	}
}

func (m *model) seeApplication(app *v1beta2.SparkApplication) {
	if app == nil || m.app.seen && app.UID != m.app.uid {
		m.app.gone = true
		return
	}
	if !m.executors.seen {
		m.executors.guess(app.Status.ExecutorState)
	}
	seen := application{
		seen:      true,
		uid:       app.UID,
		created:   app.CreationTimestamp.Time,
		state:     app.Status.AppState.State,
		message:   app.Status.AppState.ErrorMessage,
		attempt:   int(app.Status.ExecutionAttempts),
		driverPod: app.Status.DriverInfo.PodName,
		uiPort:    applications.UIPort(app, nil),
	}
	for _, condition := range app.Status.Conditions {
		if condition.Type == v1beta2.ConditionRunning && condition.Status != "True" {
			seen.waiting = condition.Message
		}
	}
	seen.instances, seen.dynamic = applications.Asked(app)
	m.app = seen
	if m.executors.seen {
		m.seePods(m.pods)
	}
}

// uiPort is the port of the driver's web interface and REST API: the pod's word comes before the specification's, since the
// platform may have set it.
func (m *model) uiPort() int { return cmp.Or(m.driver.uiPort, m.app.uiPort) }

// running reports whether the application runs and its driver has not ended yet, so that what Spark said last holds.
func (m *model) running() bool {
	return m.app.state == v1beta2.ApplicationStateRunning && m.driver.exit == nil
}

// over reports whether there is nothing more to follow.
func (m *model) over() bool {
	return m.app.gone || m.app.seen && m.app.state.Ended() || m.contact.refused != nil
}

// driverName is the name of the driver's pod, whether or not the pod has been seen.
func (m *model) driverName(app string) string {
	return cmp.Or(m.driver.pod, m.app.driverPod, app+"-driver")
}

// outcome is how the application ended. The driver's own exit code counts, where there is one.
func (m *model) outcome() Outcome {
	outcome := Outcome{State: m.app.state, Message: m.app.message, Attempts: m.app.attempt}
	switch {
	case m.app.state == v1beta2.ApplicationStateCompleted:
	case m.driver.exit != nil && m.driver.exit.Code != 0:
		outcome.ExitCode = m.driver.exit.Code
	case m.app.state == v1beta2.ApplicationStateFailed:
		outcome.ExitCode = 1
	}
	return outcome
}
