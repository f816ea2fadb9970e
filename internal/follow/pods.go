package follow

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/applications"
)

// driver is what the driver's pod says.
type driver struct {
	uid types.UID
	pod string
	// container is the name of the container that Spark runs in.
	container string
	started   bool
	waiting   string
	exit      *applications.Exit
	// uiPort is the port that the web interface and the REST API listen on; 0 where the pod does not say.
	uiPort int
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

// seePods takes all pods that have the application's name on them. Those that are older than the application belonged
// to another of the same name.
func (m *model) seePods(pods []*corev1.Pod) {
	m.pods = pods
	m.executors = executors{seen: true}
	if !m.app.seen {
		return
	}
	var current *corev1.Pod
	for _, pod := range pods {
		if pod.CreationTimestamp.Time.Before(m.app.created) {
			continue
		}
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
	m.driver.uiPort = applications.PodUIPort(pod)
	m.driver.waiting = applications.Waits(pod, v1beta2.DriverContainerName)
	if status := applications.Container(pod, v1beta2.DriverContainerName); status != nil {
		m.driver.container = status.Name
		m.driver.started = status.State.Running != nil || status.State.Terminated != nil
	}
	if exit := applications.ExitOf(pod, v1beta2.DriverContainerName); exit != nil {
		// A driver that has ended never runs again. A watch can still bring what was before its end after that was asked for.
		m.driver.exit = exit
	}
}

func (e *executors) count(pod *corev1.Pod) {
	end := applications.ExitOf(pod, v1beta2.ExecutorContainerName)
	switch {
	case end != nil && end.Code != 0 && pod.DeletionTimestamp == nil:
		// The driver deletes executors that it no longer needs; those end with a signal and have not failed.
		e.failed = append(e.failed, failure{pod: pod.Name, why: end.String()})
	case end != nil || pod.DeletionTimestamp != nil:
	case pod.Status.Phase == corev1.PodRunning:
		e.running++
	case pod.Status.Phase == corev1.PodPending:
		e.pending++
		if e.waiting == "" {
			e.waiting = applications.Waits(pod, v1beta2.ExecutorContainerName)
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
