package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// noon is when everything happens.
func noon() metav1.Time { return metav1.NewTime(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)) }

// executor is an executor's pod with a container in state, after changes.
func executor(state corev1.ContainerState, changes ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "pi-exec-1", UID: "u1", CreationTimestamp: noon(),
			Labels: map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor, v1beta2.LabelSparkExecutorID: "1"},
		},
		Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{
			Name: v1beta2.ExecutorContainerName, Image: "spark:4",
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}},
		}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			ContainerStatuses: []corev1.ContainerStatus{{Name: v1beta2.ExecutorContainerName, State: state}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

func ended(code int32, reason string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}
}

func waits(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func phase(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Status.Phase = phase }
}

func deleted(pod *corev1.Pod) { pod.DeletionTimestamp = new(noon()) }

func conditioned(kind corev1.PodConditionType, status corev1.ConditionStatus) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: status})
	}
}

func TestNotable(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	sidecar := corev1.ContainerStatus{Name: "sidecar", State: ended(137, "Error")}
	tests := map[string]struct {
		reason string
		pod    *corev1.Pod
		want   bool
		bad    bool
	}{
		"Running":   {"A pod that runs is well.", executor(running), false, false},
		"Starting":  {"A pod that is being started is well.", executor(waits("ContainerCreating"), phase(corev1.PodPending)), false, false},
		"ImagePull": {"An image that cannot be had keeps it waiting.", executor(waits("ErrImagePull"), phase(corev1.PodPending)), true, false},
		"Done":      {"It ended well.", executor(ended(0, "Completed"), phase(corev1.PodSucceeded)), false, false},
		"Killed":    {"The kernel ended it.", executor(ended(137, "OOMKilled"), phase(corev1.PodFailed)), true, true},
		"KilledWhileGoing": {
			"That it was told to go as well, as Spark does with an executor it has lost, changes nothing.",
			executor(ended(137, "OOMKilled"), phase(corev1.PodFailed), deleted), true, true,
		},
		"ToldToGo": {"One that is scaled down ends by a signal.", executor(ended(143, "Error"), phase(corev1.PodFailed), deleted), false, false},
		"FailedThenDeleted": {
			"Spark deletes an executor that has failed.", executor(ended(52, "Error"), phase(corev1.PodFailed), deleted), true, true,
		},
		"Restarted": {"A container was restarted.", executor(running, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].RestartCount = 1
		}), true, false},
		"PreviousKilled": {"The container before it ended badly.", executor(running, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses[0].LastTerminationState = ended(1, "Error")
		}), true, false},
		"Unschedulable": {"No node takes it.", executor(waits(""), phase(corev1.PodPending), conditioned(corev1.PodScheduled, corev1.ConditionFalse)), true, false},
		"Scheduled":     {"A node has it.", executor(running, conditioned(corev1.PodScheduled, corev1.ConditionTrue)), false, false},
		"Disrupted": {
			"The cluster ended it.",
			executor(ended(143, "Error"), phase(corev1.PodFailed), deleted, conditioned(corev1.DisruptionTarget, corev1.ConditionTrue)), true, true,
		},
		"Evicted": {"Kubelet evicted it.", executor(corev1.ContainerState{}, phase(corev1.PodFailed), func(pod *corev1.Pod) {
			pod.Status.Reason = "Evicted"
		}), true, true},
		"HeldByItsQueue": {"A queue of ours lets it go when it is its turn.", executor(corev1.ContainerState{}, phase(corev1.PodPending), func(pod *corev1.Pod) {
			pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: v1alpha1.SchedulingGate}}
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "SchedulingGated"}}
		}), false, false},
		"Gated": {"It is held before a scheduler looks at it.", executor(corev1.ContainerState{}, phase(corev1.PodPending), func(pod *corev1.Pod) {
			pod.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "kueue.x-k8s.io/admission"}}
		}), true, false},
		"SidecarAfterwards": {"A sidecar is killed when Spark is done.", executor(ended(0, "Completed"), func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, sidecar)
		}), false, false},
		"SidecarBefore": {"A sidecar is killed while Spark runs.", executor(running, func(pod *corev1.Pod) {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, sidecar)
		}), true, false},
		"InitContainer": {"What has to be done before Spark failed.", executor(waits("PodInitializing"), phase(corev1.PodFailed), func(pod *corev1.Pod) {
			pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "fetch", State: ended(1, "Error")}}
		}), true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Notable(tt.pod); got != tt.want {
				t.Errorf("%s\nnotable: want %t, got %t", tt.reason, tt.want, got)
			}
			if got := Bad(tt.pod); got != tt.bad {
				t.Errorf("%s\nbad: want %t, got %t", tt.reason, tt.bad, got)
			}
		})
	}
}

func TestOfPod(t *testing.T) {
	pod := executor(ended(1, "Error"), phase(corev1.PodFailed), deleted, conditioned(corev1.DisruptionTarget, corev1.ConditionTrue),
		conditioned(corev1.PodScheduled, corev1.ConditionTrue))
	pod.Status.ContainerStatuses[0].State.Terminated.Message = "password=hunter2\nvalue is wrong"
	pod.Status.Message = "token: hunter2"
	pod.Spec.Volumes = []corev1.Volume{
		{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "sales"}}},
		{Name: "spark-local-dir-1", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
		{Name: "conf"},
	}
	want := v1alpha1.Pod{
		Name: "pi-exec-1", UID: "u1", Role: v1alpha1.RoleExecutor, Executor: "1", Node: "node-1", Phase: "Failed",
		Message: "token: " + Blot, Created: noon(), Deleted: new(noon()), Claims: []string{"sales", "pi-exec-1-spark-local-dir-1"},
		Containers: []v1alpha1.Container{{
			Name: v1beta2.ExecutorContainerName, Image: "spark:4", MemoryLimit: new(resource.MustParse("1Gi")),
			Terminated: &v1alpha1.ContainerEnd{ExitCode: 1, Reason: "Error", Message: "password=" + Blot + "\nvalue is wrong"},
		}},
		Conditions: []v1alpha1.Condition{{Type: "DisruptionTarget", Status: "True"}},
	}
	if diff := cmp.Diff(want, OfPod(pod)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestOfPodFallback is about a termination message that kubelet has cut out of a log, perhaps behind the key of a secret.
func TestOfPodFallback(t *testing.T) {
	pod := executor(ended(1, "Error"))
	pod.Status.ContainerStatuses[0].State.Terminated.Message = "hunter2 of a secret\n" + strings.Repeat("x", 2028)
	if got := OfPod(pod).Containers[0].Terminated.Message; strings.Contains(got, "hunter2") || len(got) > maxMessage {
		t.Errorf("the line that lacks its beginning was kept: %.60s", got)
	}
}
