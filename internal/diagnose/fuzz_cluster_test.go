package diagnose

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// FuzzClusterCauses makes evidence of random parts: the words that the tables' rows have, in places where they do not belong, with
// a text of the fuzzer's own among them.
func FuzzClusterCauses(f *testing.F) {
	words := clusterWords(f)
	f.Add(uint64(1), "")
	f.Add(uint64(2), "0/3 nodes are available: 3 Insufficient cpu.")
	f.Add(uint64(3), strings.Repeat("exceeded quota: q, requested: cpu=1, used: cpu=1, limited: cpu=1 ", 100))
	for seed := range uint64(64) {
		f.Add(seed, words[int(seed)%len(words)])
	}
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		c := randomClusterCase(rand.New(rand.NewPCG(seed, 1)), append([]string{text}, words...))
		causes := Causes(c)
		at := make(map[string]int)
		for i, cause := range causes {
			at[cause.Code] = i + 1
			if cause.Follows != "" && at[cause.Follows] == 0 {
				t.Errorf("%s is told before %s, which it follows from", cause.Code, cause.Follows)
			}
			if len(cause.Evidence) > maxProofs*2+maxNodes {
				t.Errorf("%s: %d proofs", cause.Code, len(cause.Evidence))
			}
			for _, proof := range cause.Evidence {
				if len(proof.Text) > maxText || utf8.ValidString(text) && !utf8.ValidString(proof.Text) {
					t.Errorf("%s: evidence is too long, or no text: %q", cause.Code, proof.Text)
				}
			}
		}
	})
}

// FuzzSchedulerMessage reads what the scheduler says.
func FuzzSchedulerMessage(f *testing.F) {
	for _, word := range clusterWords(f) {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, message string) {
		verdict, ok := parseSchedulerMessage(message)
		if !ok && len(verdict.reasons) > 0 {
			t.Errorf("reasons of what was not read: %+v", verdict)
		}
		for _, reason := range verdict.reasons {
			if reason.text == "" || reason.nodes < 0 {
				t.Errorf("an empty reason: %+v", verdict)
			}
		}
	})
}

// clusterWords are all texts that the rows of the tables have.
func clusterWords(t testing.TB) []string {
	words := []string{
		"Evicted", "OOMKilled", "StartError", "ErrImagePull", "CrashLoopBackOff", "CreateContainerConfigError", "Unschedulable",
		"FailedScheduling", "FailedMount", "FailedCreatePodSandBox", "Started", "ProvisioningFailed", "Preempted", "False", "True",
		"PodScheduled", "DisruptionTarget", "suspend", "queue", "quota",
		"Initial job has not accepted any resources", "External scheduler cannot be instantiated", "No space left on device",
	}
	for _, file := range clusterTables(t) {
		for _, row := range readClusterTable(t, file) {
			words = append(words, row.Error)
			for _, refusal := range row.Evidence.Refusals {
				words = append(words, refusal.Message)
			}
			for _, e := range row.Evidence.Events {
				words = append(words, e.Reason, e.Message)
			}
			for _, pod := range row.Evidence.Pods {
				words = append(words, pod.Reason, pod.Message)
				for _, condition := range pod.Conditions {
					words = append(words, condition.Reason, condition.Message)
				}
				for _, container := range pod.Containers {
					if container.Waiting != nil {
						words = append(words, container.Waiting.Reason, container.Waiting.Message)
					}
				}
			}
		}
	}
	return words
}

// randomClusterCase is made of words without regard for where they belong.
func randomClusterCase(r *rand.Rand, words []string) *Case {
	word := func() string {
		if r.IntN(8) == 0 {
			return words[0]
		}
		return words[r.IntN(len(words))]
	}
	at := func() metav1.Time {
		if r.IntN(4) == 0 {
			return metav1.Time{}
		}
		return metav1.NewTime(clusterNoon.Add(time.Duration(r.IntN(1200)) * time.Second))
	}
	names := []string{"pi-driver", "pi-exec-1", "pi-exec-2", ""}
	name := func() string { return names[r.IntN(len(names))] }
	c := &Case{Namespace: "sales", Name: "pi", Ended: r.IntN(2) == 0, Now: clusterNoon.Add(10 * time.Minute)}
	if r.IntN(3) > 0 {
		states := []v1beta2.ApplicationStateType{"", "SUBMITTED", "RUNNING", "FAILED", "SUBMISSION_FAILED", "SUSPENDED", "COMPLETED"}
		c.Application = &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi", CreationTimestamp: at()}}
		c.Application.Spec.Suspend = r.IntN(4) == 0
		c.Application.Status.AppState = v1beta2.ApplicationState{State: states[r.IntN(len(states))], ErrorMessage: word()}
	}
	e := &c.Evidence
	for range r.IntN(3) {
		e.Refusals = append(e.Refusals, v1alpha1.Refusal{Message: word(), At: at()})
		e.Holds = append(e.Holds, v1alpha1.Hold{By: word(), Message: word(), Since: at()})
	}
	for range r.IntN(4) {
		e.Pods = append(e.Pods, randomClusterPod(r, name(), word, at))
	}
	for range r.IntN(5) {
		kinds := []string{"Pod/", "PersistentVolumeClaim/", "PodGroup/", ""}
		e.Events = append(e.Events, v1alpha1.Event{
			Object: kinds[r.IntN(len(kinds))] + name(), Type: "Warning", Reason: word(), Message: word(), Count: int32(r.IntN(5)), First: at(), Last: at(),
		})
	}
	for range r.IntN(4) {
		micro := metav1.NewMicroTime(at().Time)
		e.Logs = append(e.Logs, v1alpha1.Log{Pod: name(), Lines: []v1alpha1.LogLine{{Number: 1, At: &micro, Text: word() + word()}, {Number: 2, Text: word()}}})
	}
	c.Cluster = randomCluster(r, word, name)
	return c
}

func randomClusterPod(r *rand.Rand, name string, word func() string, at func() metav1.Time) v1alpha1.Pod {
	pod := v1alpha1.Pod{Name: name, Role: v1alpha1.RoleExecutor, Executor: "1", Created: at(), Reason: word(), Message: word()}
	if name == "pi-driver" {
		pod.Role = v1alpha1.RoleDriver
	}
	if r.IntN(2) == 0 {
		pod.Node = "worker-1"
	}
	if r.IntN(3) == 0 {
		deleted := at()
		pod.Deleted, pod.Phase = &deleted, "Failed"
	}
	if r.IntN(3) == 0 {
		pod.Gates, pod.Claims = []string{word()}, []string{word(), name}
	}
	pod.Conditions = []v1alpha1.Condition{{Type: "PodScheduled", Status: "False", Reason: "Unschedulable", Message: word(), At: at()}, {Type: word(), Status: "True", Reason: word(), Message: word()}}
	container := v1alpha1.Container{Name: []string{v1beta2.DriverContainerName, "proxy"}[r.IntN(2)], Image: word(), Init: r.IntN(3) == 0}
	switch r.IntN(4) {
	case 0:
		container.Waiting = &v1alpha1.ContainerWait{Reason: word(), Message: word()}
	case 1:
		codes := []int32{0, 1, 11, 53, 126, 127, 128, 137, 143, 255}
		container.Terminated = &v1alpha1.ContainerEnd{ExitCode: codes[r.IntN(len(codes))], Reason: word(), Message: word(), Finished: at()}
	case 2:
		container.Previous = &v1alpha1.ContainerEnd{ExitCode: 1, Reason: word(), Message: word()}
		container.Waiting = &v1alpha1.ContainerWait{Reason: word()}
	case 3:
		running := at()
		container.Running = &running
	}
	pod.Containers = []v1alpha1.Container{container}
	return pod
}

func randomCluster(r *rand.Rand, word, name func() string) Cluster {
	var cluster Cluster
	for range r.IntN(12) {
		list := corev1.ResourceList{}
		for _, resourceName := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods} {
			if r.IntN(4) > 0 {
				list[resourceName] = *resource.NewQuantity(r.Int64N(1<<40), resource.BinarySI)
			}
		}
		node := Node{Requested: list.DeepCopy()}
		node.Name, node.Status.Allocatable, node.Spec.Unschedulable = name(), list, r.IntN(4) == 0
		if r.IntN(3) == 0 {
			node.Spec.Taints = []corev1.Taint{{Key: word(), Value: word(), Effect: corev1.TaintEffectNoSchedule}}
		}
		cluster.Nodes = append(cluster.Nodes, node)
	}
	for range r.IntN(3) {
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name()}}
		pod.Spec.NodeSelector = map[string]string{word(): word()}
		pod.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU: *resource.NewQuantity(r.Int64N(1<<40), resource.DecimalSI), corev1.ResourceMemory: *resource.NewQuantity(r.Int64N(1<<40), resource.BinarySI),
		}}}}
		cluster.Waiting = append(cluster.Waiting, pod)
	}
	return cluster
}
