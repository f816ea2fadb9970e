package evidence

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

const (
	// evicted is kubelet's reason for a pod that it evicted: eviction.Reason in kubelet/eviction/helpers.go.
	evicted = "Evicted"
	// outOfMemory is the container runtimes' reason for a container that the kernel ended.
	outOfMemory = "OOMKilled"
	// A container that is told to go ends by SIGTERM, or by SIGKILL where it does not.
	exitKilled, exitTerminated = 128 + 9, 128 + 15
)

// OfPod returns what is kept of pod.
func OfPod(pod *corev1.Pod) v1alpha1.Pod {
	kept := v1alpha1.Pod{
		Name: pod.Name, UID: pod.UID, Role: roleOf(pod), Executor: pod.Labels[v1beta2.LabelSparkExecutorID], Node: pod.Spec.NodeName,
		Phase: string(pod.Status.Phase), Reason: say(pod.Status.Reason, maxLine), Message: say(pod.Status.Message, maxMessage),
		Created: pod.CreationTimestamp, Started: pod.Status.StartTime.DeepCopy(), Deleted: pod.DeletionTimestamp.DeepCopy(),
	}
	for _, gate := range pod.Spec.SchedulingGates {
		kept.Gates = append(kept.Gates, gate.Name)
	}
	for i := range pod.Spec.Volumes {
		if claim := claimOf(pod, &pod.Spec.Volumes[i]); claim != "" {
			kept.Claims = append(kept.Claims, claim)
		}
	}
	for i := range pod.Status.Conditions {
		if condition := &pod.Status.Conditions[i]; tells(pod, condition) {
			kept.Conditions = append(kept.Conditions, v1alpha1.Condition{
				Type: string(condition.Type), Status: string(condition.Status), Reason: say(condition.Reason, maxLine),
				Message: say(condition.Message, maxMessage), At: condition.LastTransitionTime,
			})
		}
	}
	kept.Containers = slices.Concat(
		containers(pod.Spec.InitContainers, pod.Status.InitContainerStatuses, true),
		containers(pod.Spec.Containers, pod.Status.ContainerStatuses, false),
	)
	return kept
}

func roleOf(pod *corev1.Pod) v1alpha1.Role {
	if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleExecutor {
		return v1alpha1.RoleExecutor
	}
	return v1alpha1.RoleDriver
}

// claimOf returns the claim that is behind a volume. That of a generic ephemeral volume is called after pod and volume:
// VolumeClaimName in k8s.io/component-helpers/storage/ephemeral.
func claimOf(pod *corev1.Pod, volume *corev1.Volume) string {
	switch {
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	case volume.Ephemeral != nil:
		return pod.Name + "-" + volume.Name
	}
	return ""
}

// tells reports whether there is something to learn from a condition.
func tells(pod *corev1.Pod, condition *corev1.PodCondition) bool {
	switch condition.Type {
	case corev1.PodScheduled:
		return condition.Status == corev1.ConditionFalse
	case corev1.DisruptionTarget:
		return condition.Status == corev1.ConditionTrue
	case corev1.PodReadyToStartContainers: // no sandbox, no network, no volumes
		return condition.Status == corev1.ConditionFalse && pod.Status.Phase == corev1.PodPending && pod.Spec.NodeName != ""
	case corev1.PodReady: // its node does not answer, or its probe fails
		return condition.Status == corev1.ConditionFalse && pod.Status.Phase == corev1.PodRunning && condition.Reason != "ContainersNotReady"
	}
	return false
}

func containers(specs []corev1.Container, statuses []corev1.ContainerStatus, init bool) []v1alpha1.Container {
	var kept []v1alpha1.Container
	for i := range specs {
		container := v1alpha1.Container{Name: specs[i].Name, Init: init, Image: specs[i].Image}
		if limit, ok := specs[i].Resources.Limits[corev1.ResourceMemory]; ok {
			container.MemoryLimit = &limit
		}
		for j := range statuses {
			if statuses[j].Name == specs[i].Name {
				observe(&container, &statuses[j])
			}
		}
		kept = append(kept, container)
	}
	return kept
}

func observe(container *v1alpha1.Container, status *corev1.ContainerStatus) {
	container.Restarts = status.RestartCount
	if status.Image != "" && container.Image == "" {
		container.Image = status.Image
	}
	if waiting := status.State.Waiting; waiting != nil {
		container.Waiting = &v1alpha1.ContainerWait{Reason: say(waiting.Reason, maxLine), Message: say(waiting.Message, maxMessage)}
	}
	if running := status.State.Running; running != nil {
		container.Running = running.StartedAt.DeepCopy()
	}
	container.Terminated = endOf(status.State.Terminated)
	container.Previous = endOf(status.LastTerminationState.Terminated)
}

func endOf(end *corev1.ContainerStateTerminated) *v1alpha1.ContainerEnd {
	if end == nil {
		return nil
	}
	return &v1alpha1.ContainerEnd{
		ExitCode: end.ExitCode, Signal: end.Signal, Reason: say(end.Reason, maxLine), Message: endMessage(end.Message),
		Started: end.StartedAt, Finished: end.FinishedAt,
	}
}

// fallback is how much of a log kubelet makes a termination message of at most: MaxPodTerminationMessageLogLength in
// kubelet/container/runtime.go.
const fallback = 2048

// endMessage is a termination message. Where it is the end of a log, its first line may lack its beginning, which may be
// what tells that the rest of it is a secret.
func endMessage(message string) string {
	if len(message) >= fallback-4 {
		if _, rest, ok := cutLine(message); ok {
			message = rest
		}
	}
	return say(message, maxMessage)
}

// Notable reports whether there is something to tell of pod: that it ended badly, was restarted, does not start, or was
// held or ended by the cluster. That a queue of ours holds executors back is how it shares, and nothing to tell.
func Notable(pod *corev1.Pod) bool {
	gates := pod.Spec.SchedulingGates
	if len(gates) == 1 && gates[0].Name == v1alpha1.SchedulingGate {
		return false
	}
	if len(gates) > 0 || pod.Status.Reason != "" && pod.Status.Phase != corev1.PodSucceeded {
		return true // evicted, rejected by its node, lost, past its deadline
	}
	for i := range pod.Status.Conditions {
		switch condition := &pod.Status.Conditions[i]; condition.Type {
		case corev1.PodScheduled, corev1.DisruptionTarget:
			if tells(pod, condition) {
				return true
			}
		}
	}
	if finished(pod) {
		return false // sidecars are ended when Spark is done
	}
	return slices.ContainsFunc(pod.Status.InitContainerStatuses, notable(pod)) ||
		slices.ContainsFunc(pod.Status.ContainerStatuses, notable(pod)) || pod.Status.Phase == corev1.PodFailed && !told(pod)
}

// Bad reports whether pod has ended, and not well: what is counted as a failed executor.
func Bad(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed && (!told(pod) || pod.Status.Reason == evicted || Notable(pod)) && !finished(pod)
}

func notable(pod *corev1.Pod) func(corev1.ContainerStatus) bool {
	return func(status corev1.ContainerStatus) bool {
		if waiting := status.State.Waiting; waiting != nil && !onItsWay(waiting.Reason) {
			return true
		}
		return status.RestartCount > 0 || badEnd(pod, status.State.Terminated) || badEnd(pod, status.LastTerminationState.Terminated)
	}
}

// badEnd reports whether a container ended badly. One that ends by a signal in a pod that was told to go has only obeyed.
func badEnd(pod *corev1.Pod, end *corev1.ContainerStateTerminated) bool {
	switch {
	case end == nil || end.ExitCode == 0 && end.Reason != outOfMemory:
		return false
	case end.Reason == outOfMemory:
		return true
	}
	return !told(pod) || end.ExitCode != exitKilled && end.ExitCode != exitTerminated
}

func told(pod *corev1.Pod) bool { return !pod.DeletionTimestamp.IsZero() }

// onItsWay reports whether kubelet's reason for a container that waits is that it is being started.
func onItsWay(reason string) bool {
	return reason == "" || reason == "ContainerCreating" || reason == "PodInitializing"
}

// finished reports whether Spark's container in pod has ended well.
func finished(pod *corev1.Pod) bool {
	if pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	for i := range pod.Status.ContainerStatuses {
		status := &pod.Status.ContainerStatuses[i]
		if status.Name != v1beta2.DriverContainerName && status.Name != v1beta2.ExecutorContainerName {
			continue
		}
		if end := status.State.Terminated; end != nil && end.ExitCode == 0 {
			return true
		}
	}
	return false
}
