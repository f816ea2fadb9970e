package application

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

type podOption func(*corev1.Pod)

func failedPod(reason, message string) podOption {
	return func(pod *corev1.Pod) {
		pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, message
	}
}

func endedBy(code int32, reason string) podOption {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  v1beta2.DriverContainerName,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}},
		}}
	}
}

func initEndedBy(code int32, reason string) podOption {
	return func(pod *corev1.Pod) {
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{
			Name:  "fetch",
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}},
		}}
	}
}

func targeted(status corev1.ConditionStatus, reason string) podOption {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: status, Reason: reason}}
	}
}

func toldToGo(pod *corev1.Pod) { pod.DeletionTimestamp = new(metav1.NewTime(noon)) }

func TestCauseOf(t *testing.T) {
	const (
		low      = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. "
		lowDisk  = "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. "
		overMem  = "Container spark-kubernetes-driver was using 3Gi, request is 1408Mi, has larger consumption of memory. "
		someDisk = "Container spark-kubernetes-driver was using 40Ki, request is 0, has larger consumption of ephemeral-storage. "
	)
	tests := map[string]struct {
		reason string
		pod    []podOption
		want   Cause
	}{
		"Exit1": {
			reason: "The program ended badly by itself.",
			pod:    []podOption{failedPod("", ""), endedBy(1, "Error")}, want: CauseApplication,
		},
		"Exit1BesideSidecars": {
			reason: "A pod whose sidecars go on has not failed, but its driver has.",
			pod:    []podOption{endedBy(1, "Error")}, want: CauseApplication,
		},
		"KilledByNobodyKnown": {
			reason: "A SIGKILL without a word of whose it was is the application's: nothing says otherwise.",
			pod:    []podOption{failedPod("", ""), endedBy(137, "Error")}, want: CauseApplication,
		},
		"ContainerOutOfMemory": {
			reason: "The kernel enforces the container's own limit.",
			pod:    []podOption{failedPod("", ""), endedBy(137, "OOMKilled")}, want: CauseOutOfMemory,
		},
		"HeapOutOfMemory": {
			reason: "SparkExitCode.OOM.",
			pod:    []podOption{failedPod("", ""), endedBy(52, "Error")}, want: CauseOutOfMemory,
		},
		"InitContainerOutOfMemory": {
			reason: "What runs before the driver has limits as well.",
			pod:    []podOption{failedPod("", ""), initEndedBy(137, "OOMKilled")}, want: CauseOutOfMemory,
		},
		"CannotBeExecuted": {
			reason: "Another run would not find a command that the image lacks.",
			pod:    []podOption{failedPod("", ""), endedBy(128, "StartError")}, want: CauseConfiguration,
		},
		"Preempted": {
			reason: "The scheduler marks whom it preempts, and the driver then ends by its signal.",
			pod:    []podOption{failedPod("", ""), endedBy(143, "Error"), targeted("True", "PreemptionByScheduler"), toldToGo},
			want:   CauseDisrupted,
		},
		"Drained":        {reason: "Eviction by the API.", pod: []podOption{targeted("True", "EvictionByEvictionAPI"), toldToGo}, want: CauseDisrupted},
		"Tainted":        {reason: "The taint manager.", pod: []podOption{targeted("True", "DeletionByTaintManager"), toldToGo}, want: CauseDisrupted},
		"NodeIsGone":     {reason: "Collection of pods whose node is gone.", pod: []podOption{failedPod("", ""), targeted("True", "DeletionByPodGC"), toldToGo}, want: CauseDisrupted},
		"NodeUnanswered": {reason: "A node that does not answer is not the driver's fault.", pod: []podOption{func(p *corev1.Pod) { p.Status.Reason = "NodeLost" }, toldToGo}, want: CauseDisrupted},
		"DisruptionCalledOff": {
			reason: "The disruption controller takes a mark back that nothing came of.",
			pod:    []podOption{failedPod("", ""), endedBy(1, "Error"), targeted("False", "EvictionByEvictionAPI")}, want: CauseApplication,
		},
		"NodeShutDown": {
			reason: "Graceful shutdown of the node.",
			pod: []podOption{
				failedPod("Terminated", "Pod was terminated in response to imminent node shutdown."), endedBy(143, "Error"),
				targeted("True", "TerminationByKubelet"),
			},
			want: CauseDisrupted,
		},
		"NodeShutDownWithoutCondition": {
			reason: "The same of a kubelet that knows no conditions.",
			pod:    []podOption{failedPod("Terminated", "Pod was terminated in response to imminent node shutdown."), endedBy(143, "Error")},
			want:   CauseDisrupted,
		},
		"PreemptedByKubelet": {
			reason: "A critical pod takes the room.",
			pod:    []podOption{failedPod("Preempting", "Preempted in order to admit critical pod"), endedBy(137, "Error")}, want: CauseDisrupted,
		},
		"NodeRestarted": {
			reason: "The runtime has forgotten what it ran.",
			pod:    []podOption{failedPod("", ""), endedBy(137, "ContainerStatusUnknown")}, want: CauseDisrupted,
		},
		"RuntimeRestarted": {
			reason: "containerd does not know how it ended.",
			pod:    []podOption{failedPod("", ""), endedBy(255, "Unknown")}, want: CauseDisrupted,
		},
		"NodeLowOnMemory": {
			reason: "Within its request, it pays for what others use.",
			pod:    []podOption{failedPod("Evicted", low), endedBy(137, "Error"), targeted("True", "TerminationByKubelet")}, want: CauseDisrupted,
		},
		"NodeLowOnMemoryByDriver": {
			reason: "It used what it had not asked for, and would again.",
			pod:    []podOption{failedPod("Evicted", low+overMem), endedBy(137, "Error"), targeted("True", "TerminationByKubelet")}, want: CauseEvicted,
		},
		"NodeLowOnDisk": {
			reason: "Spark asks for no ephemeral storage, so that every driver uses more than that.",
			pod:    []podOption{failedPod("Evicted", lowDisk+someDisk), endedBy(137, "Error"), targeted("True", "TerminationByKubelet")}, want: CauseDisrupted,
		},
		"OwnVolumeFull": {
			reason: "A size that the application gave its volume.",
			pod:    []podOption{failedPod("Evicted", `Usage of EmptyDir volume "spark-local-dir-1" exceeds the limit "1Gi". `), endedBy(137, "Error")},
			want:   CauseEvicted,
		},
		"OwnStorageLimit": {
			reason: "A limit that the application gave its container.",
			pod:    []podOption{failedPod("Evicted", `Container spark-kubernetes-driver exceeded its local ephemeral storage limit "2Gi". `), endedBy(137, "Error")},
			want:   CauseEvicted,
		},
		"OutOfCPU": {
			reason: "The scheduler and the node disagreed about what is free.",
			pod:    []podOption{failedPod("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 7500, capacity: 8000")},
			want:   CauseRejected,
		},
		"OutOfDevices": {reason: "Extended resources too.", pod: []podOption{failedPod("OutOfnvidia.com/gpu", "")}, want: CauseRejected},
		"DevicePlugin": {
			reason: "Its plugin was not there yet after the node's restart.",
			pod:    []podOption{failedPod("UnexpectedAdmissionError", "Pod was rejected: Allocate failed due to no healthy devices present")}, want: CauseRejected,
		},
		"NodeChanged": {reason: "Its labels changed meanwhile.", pod: []podOption{failedPod("NodeAffinity", "")}, want: CauseRejected},
		"NodeGoesDown": {
			reason: "It takes no one in any more.",
			pod:    []podOption{failedPod("NodeShutdown", "Pod was rejected as the node is shutting down.")}, want: CauseRejected,
		},
		"NodeUnderPressure": {
			reason: "Kubelet calls this an eviction, though nothing ran.",
			pod:    []podOption{failedPod("Evicted", "Pod was rejected: The node had condition: [MemoryPressure]. ")}, want: CauseRejected,
		},
		"ForbiddenSysctl": {
			reason: "The same pod is forbidden again.",
			pod:    []podOption{failedPod("SysctlForbidden", "forbidden sysctl: kernel.msgmax")}, want: CauseConfiguration,
		},
		"Deleted":             {reason: "Somebody wanted it gone.", pod: []podOption{toldToGo}, want: CauseDeleted},
		"DeletedAndObeyed":    {reason: "It ended because it was told to.", pod: []podOption{toldToGo, endedBy(143, "Error")}, want: CauseDeleted},
		"DeletedAfterFailing": {reason: "It had failed before it was told to go.", pod: []podOption{toldToGo, endedBy(1, "Error")}, want: CauseApplication},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pod := new(corev1.Pod)
			for _, option := range tt.pod {
				option(pod)
			}
			kept, err := stripPod(withRole(pod))
			if err != nil {
				t.Fatal(err)
			}
			if got := causeOf(kept.(*corev1.Pod)); got != tt.want {
				t.Errorf("%s\nwant %s, got %s", tt.reason, tt.want, got)
			}
		})
	}
}

// withRole makes pod a driver, so that what the cache keeps of it is what is kept of drivers.
func withRole(pod *corev1.Pod) *corev1.Pod {
	pod.Labels = map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver}
	return pod
}

func TestCauseOfDelay(t *testing.T) {
	tests := map[string]Cause{
		"ImagePullBackOff":           CauseImage,
		"InvalidImageName":           CauseImage,
		"CreateContainerConfigError": CauseConfiguration,
		"Unschedulable":              CauseStartTimeout,
		"ContainerCreating":          CauseStartTimeout,
	}
	for reason, want := range tests {
		if got := causeOfDelay(&Waiting{Reason: reason}); got != want {
			t.Errorf("%s: want %s, got %s", reason, want, got)
		}
	}
	if got := causeOfDelay(nil); got != CauseStartTimeout {
		t.Errorf("for nothing that is known: want %s, got %s", CauseStartTimeout, got)
	}
}

func TestCausesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cause := range causes() {
		if !strings.Contains(string(page), "\n| `"+string(cause)+"` |") {
			t.Errorf("docs/states.md has no row for cause %s", cause)
		}
	}
}
