package applications

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Exit is how a container ended.
type Exit struct {
	// Code is the exit code, and Reason what Kubernetes calls the end.
	Code   int
	Reason string
}

func (e Exit) String() string {
	text := fmt.Sprintf("exit code %d", e.Code)
	if e.Reason != "" && e.Reason != "Error" && e.Reason != "Completed" {
		text += ", " + e.Reason
	}
	return text
}

// Container returns the status of Spark's own container of a pod, whatever sidecars run beside it.
func Container(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if status := &pod.Status.ContainerStatuses[i]; status.Name == name || len(pod.Status.ContainerStatuses) == 1 {
			return status
		}
	}
	return nil
}

// ExitOf is how Spark's own container of a pod, called name, ended; nil while it has not.
func ExitOf(pod *corev1.Pod, name string) *Exit {
	if status := Container(pod, name); status != nil && status.State.Terminated != nil {
		return &Exit{Code: int(status.State.Terminated.ExitCode), Reason: status.State.Terminated.Reason}
	}
	if pod.Status.Phase == corev1.PodFailed {
		// The kubelet or the node's loss ended the pod as a whole: Evicted, NodeLost, Shutdown.
		return &Exit{Code: 1, Reason: strings.TrimSpace(pod.Status.Reason + " " + pod.Status.Message)}
	}
	return nil
}

// Waits says in Kubernetes' own words what a pod that does not run yet waits for; empty while all goes its way.
func Waits(pod *corev1.Pod, name string) string {
	if pod.Status.Phase != corev1.PodPending {
		return ""
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return join(condition.Reason, condition.Message)
		}
	}
	statuses := pod.Status.InitContainerStatuses
	if status := Container(pod, name); status != nil {
		statuses = append(slices.Clone(statuses), *status)
	}
	for _, status := range statuses {
		waiting := status.State.Waiting
		if waiting != nil && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing" {
			return join(waiting.Reason, waiting.Message)
		}
	}
	return ""
}

func join(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ": " + message
}
