package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// model is all that is known of an application at one moment. It is plain data: the watchers fill it, the narrator and
// the frame read it.
type model struct {
	app       application
	driver    driver
	executors executors
	spark     spark
	contact   contact
}

// application is what the SparkApplication itself says.
type application struct {
	seen, gone bool
	uid        types.UID
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

// driver is what the driver's pod says.
type driver struct {
	uid types.UID
	pod string
	// container is the name of the container that Spark runs in.
	container string
	started   bool
	waiting   string
	exit      *exit
}

// exit is how a container ended.
type exit struct {
	code   int
	reason string
}

func (e exit) String() string {
	text := fmt.Sprintf("exit code %d", e.code)
	if e.reason != "" && e.reason != "Error" && e.reason != "Completed" {
		text += ", " + e.reason
	}
	return text
}

// executors are counts of the executors' pods, and how those ended that failed.
type executors struct {
	// seen says that pods have been listed.
	seen             bool
	running, pending int
	waiting          string
	failed           []failure
}

// failure is the end of an executor.
type failure struct {
	pod, why string
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
		state:     app.Status.AppState.State,
		message:   app.Status.AppState.ErrorMessage,
		attempt:   int(app.Status.ExecutionAttempts),
		driverPod: app.Status.DriverInfo.PodName,
		uiPort:    uiPort(app),
		instances: 1,
	}
	for _, condition := range app.Status.Conditions {
		if condition.Type == v1beta2.ConditionRunning && condition.Status != "True" {
			seen.waiting = condition.Message
		}
	}
	if n, err := strconv.Atoi(app.Spec.SparkConf["spark.executor.instances"]); err == nil {
		seen.instances = n
	}
	if app.Spec.Executor.Instances != nil {
		seen.instances = int(*app.Spec.Executor.Instances)
	}
	seen.dynamic = app.Spec.SparkConf["spark.dynamicAllocation.enabled"] == "true" ||
		app.Spec.DynamicAllocation != nil && app.Spec.DynamicAllocation.Enabled
	m.app = seen
}

// uiPort is the port of the driver's web interface and REST API.
func uiPort(app *v1beta2.SparkApplication) int {
	if port, err := strconv.Atoi(app.Spec.SparkConf["spark.ui.port"]); err == nil && port > 0 {
		return port
	}
	return 4040 // spark.ui.port's default.
}

func (m *model) seePods(pods []*corev1.Pod) {
	m.executors = executors{seen: true}
	var current *corev1.Pod
	for _, pod := range pods {
		switch pod.Labels[v1beta2.LabelSparkRole] {
		case v1beta2.SparkRoleDriver:
			if current == nil || pod.CreationTimestamp.After(current.CreationTimestamp.Time) {
				current = pod
			}
		case v1beta2.SparkRoleExecutor:
			m.executors.count(pod)
		}
	}
	// The failures are kept in one order, since a watch that begins anew lists pods in another.
	slices.SortFunc(m.executors.failed, func(a, b failure) int { return cmp.Compare(a.pod, b.pod) })
	// A driver whose pod is gone keeps its last word.
	if current != nil {
		m.seeDriver(current)
	}
}

func (m *model) seeDriver(pod *corev1.Pod) {
	if m.driver.uid != pod.UID {
		m.driver = driver{uid: pod.UID, pod: pod.Name, container: v1beta2.DriverContainerName}
		m.spark = spark{}
	}
	m.driver.waiting = podWaits(pod, v1beta2.DriverContainerName)
	if status := container(pod, v1beta2.DriverContainerName); status != nil {
		m.driver.container = status.Name
		m.driver.started = status.State.Running != nil || status.State.Terminated != nil
	}
	m.driver.exit = podExit(pod, v1beta2.DriverContainerName)
}

func (e *executors) count(pod *corev1.Pod) {
	end := podExit(pod, v1beta2.ExecutorContainerName)
	switch {
	case end != nil && end.code != 0 && pod.DeletionTimestamp == nil:
		// The driver deletes executors that it no longer needs; those end with a signal and have not failed.
		e.failed = append(e.failed, failure{pod: pod.Name, why: end.String()})
	case end != nil || pod.DeletionTimestamp != nil:
	case pod.Status.Phase == corev1.PodRunning:
		e.running++
	case pod.Status.Phase == corev1.PodPending:
		e.pending++
		if e.waiting == "" {
			e.waiting = podWaits(pod, v1beta2.ExecutorContainerName)
		}
	}
}

// guess counts executors by what the application's status says of them: later, and less, than pods say.
func (e *executors) guess(states map[string]v1beta2.ExecutorState) {
	*e = executors{}
	for _, state := range states {
		switch state {
		case v1beta2.ExecutorStateRunning:
			e.running++
		case v1beta2.ExecutorStatePending:
			e.pending++
		}
	}
}

// wanted is how many executors there are to be.
func (m *model) wanted() int {
	have := m.executors.running + m.executors.pending
	if m.app.dynamic {
		return have
	}
	return max(m.app.instances, have)
}

// container returns the status of Spark's own container of a pod, whatever sidecars run beside it.
func container(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if status := &pod.Status.ContainerStatuses[i]; status.Name == name || len(pod.Status.ContainerStatuses) == 1 {
			return status
		}
	}
	return nil
}

func podExit(pod *corev1.Pod, name string) *exit {
	if status := container(pod, name); status != nil && status.State.Terminated != nil {
		return &exit{code: int(status.State.Terminated.ExitCode), reason: status.State.Terminated.Reason}
	}
	if pod.Status.Phase == corev1.PodFailed {
		// The kubelet or the node's loss ended the pod as a whole: Evicted, NodeLost, Shutdown.
		return &exit{code: 1, reason: strings.TrimSpace(pod.Status.Reason + " " + pod.Status.Message)}
	}
	return nil
}

// podWaits says in Kubernetes' own words what a pod that does not run yet waits for; empty while all goes its way.
func podWaits(pod *corev1.Pod, name string) string {
	if pod.Status.Phase != corev1.PodPending {
		return ""
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return reasonAndMessage(condition.Reason, condition.Message)
		}
	}
	statuses := pod.Status.InitContainerStatuses
	if status := container(pod, name); status != nil {
		statuses = append(slices.Clone(statuses), *status)
	}
	for _, status := range statuses {
		waiting := status.State.Waiting
		if waiting != nil && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing" {
			return reasonAndMessage(waiting.Reason, waiting.Message)
		}
	}
	return ""
}

func reasonAndMessage(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ": " + message
}

// spark is what the driver's REST API says.
type spark struct {
	polled bool
	at     time.Time
	jobs   []job
	stages []stage
	active int
	done   int
	failed int
}

type job struct {
	id           int
	name         string
	stages, done int
}

type stage struct {
	id, attempt int
	name        string
	tasks, done int
	failed      int
	active      int
	// since and before are a moment and how many tasks were done then: what the rate is measured from.
	since  time.Time
	before int
}

// seeSpark takes what was polled at a moment. A stage that was not there at the poll before began at that poll at the
// earliest, with nothing done; only the first poll of all cannot tell.
func (m *model) seeSpark(next spark, at time.Time) {
	for i := range next.stages {
		s := &next.stages[i]
		s.since, s.before = at, s.done
		if m.spark.polled {
			s.since, s.before = m.spark.at, 0
		}
		for _, old := range m.spark.stages {
			if old.id == s.id && old.attempt == s.attempt {
				s.since, s.before = old.since, old.before
			}
		}
	}
	next.polled, next.at = true, at
	m.spark = next
}

// rate returns the tasks per second that the stage does, and how long the rest will take; both are 0 while unknown.
func (s stage) rate(now time.Time) (float64, time.Duration) {
	elapsed := now.Sub(s.since).Seconds()
	if elapsed < 1 || s.done <= s.before {
		return 0, 0
	}
	rate := float64(s.done-s.before) / elapsed
	return rate, time.Duration(float64(s.tasks-s.done) / rate * float64(time.Second))
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
	case m.driver.exit != nil && m.driver.exit.code != 0:
		outcome.ExitCode = m.driver.exit.code
	case m.app.state == v1beta2.ApplicationStateFailed:
		outcome.ExitCode = 1
	}
	return outcome
}
