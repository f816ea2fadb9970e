package follow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

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
	m.driver.waiting = podWaits(pod, v1beta2.DriverContainerName)
	if status := container(pod, v1beta2.DriverContainerName); status != nil {
		m.driver.container = status.Name
		m.driver.started = status.State.Running != nil || status.State.Terminated != nil
	}
	if exit := podExit(pod, v1beta2.DriverContainerName); exit != nil {
		// A driver that has ended never runs again. A watch can still bring what was before its end after that was asked for.
		m.driver.exit = exit
	}
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
