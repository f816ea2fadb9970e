package application

import (
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Cause is the class of what a run failed of. There are few, so that they can be counted by.
type Cause string

const (
	// CauseApplication is a driver that ended by itself, and not well.
	CauseApplication Cause = "application"
	// CauseOutOfMemory is a driver that needed more memory than it has.
	CauseOutOfMemory Cause = "out_of_memory"
	// CauseEvicted is a driver that kubelet evicted for taking more of the node than it had asked for or was allowed.
	CauseEvicted Cause = "evicted"
	// CauseDisrupted is a driver that the cluster ended for reasons of its own, or lost.
	CauseDisrupted Cause = "disrupted"
	// CauseRejected is a driver that its node did not take after all, for want of room.
	CauseRejected Cause = "rejected"
	// CauseConfiguration is a driver that no node can start as it is.
	CauseConfiguration Cause = "configuration"
	// CauseImage is a driver that did not start in time because its image could not be had.
	CauseImage Cause = "image"
	// CauseStartTimeout is a driver that did not start in time for any other reason.
	CauseStartTimeout Cause = "start_timeout"
	// CauseDeleted is a driver whose pod somebody deleted.
	CauseDeleted Cause = "deleted"
	// CauseQueue is a run that its queue did not let in.
	CauseQueue Cause = "queue"
	// CauseRunTime is a run that went on for longer than it had told its queue.
	CauseRunTime Cause = "run_time"
	// CauseSubmission is a run that was refused before its driver was made.
	CauseSubmission Cause = "submission"
)

// causes are all there are.
func causes() []Cause {
	return []Cause{
		CauseApplication, CauseOutOfMemory, CauseEvicted, CauseDisrupted, CauseRejected, CauseConfiguration, CauseImage,
		CauseStartTimeout, CauseDeleted, CauseQueue, CauseRunTime, CauseSubmission,
	}
}

// Blameless reports whether the infrastructure is at fault, so that a run that failed of it uses up no retry.
func (c Cause) Blameless() bool { return c == CauseDisrupted || c == CauseRejected }

// Reasons that kubelet and controllers give in a pod's status. File names are of Kubernetes 1.37's pkg/.
const (
	// podEvicted: eviction.Reason in kubelet/eviction/helpers.go.
	podEvicted = "Evicted"
	// nodeShutDown: nodeShutdownReason in kubelet/nodeshutdown/nodeshutdown_manager.go. The condition DisruptionTarget
	// comes with it since 1.26.
	nodeShutDown = "Terminated"
	// nodePreempted: events.PreemptContainer in kubelet/preemption/preemption.go, to make room for a critical pod.
	nodePreempted = "Preempting"
	// nodeLost: NodeUnreachablePodReason in util/node/node.go, on pods that are deleted from a node that does not answer.
	nodeLost = "NodeLost"
)

// What kubelet says of an eviction: the formats in kubelet/eviction/helpers.go.
const (
	nodeIsLow        = "The node was low on resource"
	nodeHasCondition = "The node had condition"
)

// overuse finds containers that used more than they had requested, where they had requested anything: Spark requests no
// ephemeral storage, and using some of it then is no fault. (Of a pod kubelet says so whether it was more or not.)
var overuse = regexp.MustCompile(`Container \S+ was using \S+, request is [^0,]`)

// How container runtimes and kubelet call an end that they did not see: ContainerReasonStatusUnknown in
// kubelet/container/runtime.go, and containerd's unknownContainerStatus after its shim or its node went down.
const (
	statusUnknown      = "ContainerStatusUnknown"
	runtimeUnknown     = "Unknown"
	runtimeUnknownCode = 255
)

const (
	// exitOutOfMemory is SparkExitCode.OOM.
	exitOutOfMemory = 52
	// A container that is told to go ends by SIGTERM, or by SIGKILL where it does not.
	exitKilled, exitTerminated = 128 + 9, 128 + 15
)

// causeOf returns what pod's driver failed of, if it has failed, or of what it fails if it was told to go.
func causeOf(pod *corev1.Pod) Cause {
	end := failedContainer(pod)
	switch {
	case pod.Status.Reason == podEvicted:
		return causeOfEviction(pod.Status.Message)
	case disrupted(pod):
		return CauseDisrupted
	case pod.Status.Phase == corev1.PodFailed && end == nil && pod.Status.Reason != "":
		return causeOfRejection(pod.Status.Reason)
	case !pod.DeletionTimestamp.IsZero() && (end == nil || killed(end)):
		return CauseDeleted
	case end != nil:
		return causeOfExit(end)
	}
	return CauseApplication
}

// disrupted reports whether the cluster ended pod: the scheduler, the taint manager, the collector of lost nodes' pods,
// the eviction API or kubelet, which all set the condition; or one of them that is too old to do so.
func disrupted(pod *corev1.Pod) bool {
	switch pod.Status.Reason {
	case nodeShutDown, nodePreempted, nodeLost:
		return true
	}
	target := condition(pod, corev1.DisruptionTarget)
	return target != nil && target.Status == corev1.ConditionTrue
}

// causeOfEviction tells by kubelet's words for whose sake a pod was evicted. Limits of containers, of the pod and of
// emptyDir volumes are the application's own; localStorageEviction in kubelet/eviction/eviction_manager.go sets no
// condition for them.
func causeOfEviction(message string) Cause {
	switch {
	case strings.Contains(message, nodeHasCondition):
		return CauseRejected // managerImpl.Admit: a node under pressure takes no new pods
	case strings.Contains(message, nodeIsLow) && !overuse.MatchString(message):
		return CauseDisrupted
	}
	return CauseEvicted
}

// causeOfRejection sorts the reasons for which kubelet does not admit a pod that was bound to its node. Most say that the
// scheduler knew the node otherwise than it is (OutOfcpu, OutOfpods, NodeAffinity, NodeShutdown, TopologyAffinityError,
// VolumeAttachmentLimitExceeded, UnexpectedAdmissionError of device plugins): another try finds another place.
func causeOfRejection(reason string) Cause {
	switch reason {
	case "DeadlineExceeded": // kubelet/active_deadline.go: a pod template's activeDeadlineSeconds, before anything ran
		return CauseStartTimeout
	// What the pod asks for and the node cannot do: kubelet/lifecycle/{predicate,handlers}.go, kubelet/sysctl/allowlist.go.
	case "AppArmor", "SysctlForbidden", "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch",
		"InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported", "PodLevelResourcesNotSupported",
		"PodFeatureUnsupported":
		return CauseConfiguration
	}
	return CauseRejected
}

// causeOfExit tells by how a container ended what it ended of.
func causeOfExit(end *corev1.ContainerStateTerminated) Cause {
	switch {
	case end.Reason == "OOMKilled", end.ExitCode == exitOutOfMemory:
		return CauseOutOfMemory
	case end.Reason == statusUnknown, end.Reason == runtimeUnknown && end.ExitCode == runtimeUnknownCode:
		return CauseDisrupted
	case end.Reason == "StartError", end.Reason == "ContainerCannotRun": // containerd's and Docker's names for it
		return CauseConfiguration
	}
	return CauseApplication
}

// causeOfDelay tells by what a driver waits for why it does not start: kubelet/images/types.go and
// kubelet/kuberuntime/kuberuntime_container.go.
func causeOfDelay(waiting *Waiting) Cause {
	if waiting == nil {
		return CauseStartTimeout
	}
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed":
		return CauseImage
	case "CreateContainerConfigError", "CreateContainerError", "PreCreateHookError", "RunContainerError":
		return CauseConfiguration
	}
	return CauseStartTimeout
}

// killed reports whether a container ended as one does that is told to go.
func killed(end *corev1.ContainerStateTerminated) bool {
	return end.ExitCode == exitKilled || end.ExitCode == exitTerminated
}

// failedContainer returns how the driver's container ended, or the init container that kept it from starting.
func failedContainer(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	if status := driverContainer(pod); status != nil && status.State.Terminated != nil {
		return status.State.Terminated
	}
	for _, status := range pod.Status.InitContainerStatuses {
		if end := status.State.Terminated; end != nil && end.ExitCode != 0 {
			return end
		}
	}
	return nil
}
