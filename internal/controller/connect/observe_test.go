package connect

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

func serverPod(change func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: "notebooks-server", UID: "u",
		Labels: map[string]string{
			v1alpha1.LabelConnectName: "notebooks", v1beta2.LabelSparkRole: v1alpha1.SparkRoleConnectServer, v1beta2.LabelRun: "3",
		},
		Annotations: map[string]string{v1alpha1.AnnotationSpecHash: spark.ConnectHash(&v1alpha1.SparkConnectSpec{})},
	}}
	pod.Status.Phase = corev1.PodRunning
	change(pod)
	return pod
}

func containerState(name string, state corev1.ContainerState) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: state}
}

func TestObserveServer(t *testing.T) {
	const ours = v1beta2.DriverContainerName
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	tests := map[string]struct {
		reason string
		pod    *corev1.Pod
		want   Server
	}{
		"Ready": {
			reason: "Kubernetes has asked the port.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.PodIP = "10.0.0.7"
				pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
			}),
			want: Server{UID: "u", Current: true, Ready: true, IP: "10.0.0.7"},
		},
		"Earlier": {
			reason: "It is told from the current run's by its label.",
			pod:    serverPod(func(pod *corev1.Pod) { pod.Labels[v1beta2.LabelRun] = "2" }),
			want:   Server{UID: "u"},
		},
		"Edited": {
			reason: "It was made from something else.",
			pod:    serverPod(func(pod *corev1.Pod) { pod.Annotations[v1alpha1.AnnotationSpecHash] = "other" }),
			want:   Server{UID: "u", Current: true, Edited: true},
		},
		"Unschedulable": {
			reason: "The scheduler says why.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.Phase = corev1.PodPending
				pod.Status.Conditions = []corev1.PodCondition{{
					Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "no node",
				}}
			}),
			want: Server{UID: "u", Current: true, Waiting: "Unschedulable: no node"},
		},
		"NoImage": {
			reason: "Kubelet says why.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.Phase = corev1.PodPending
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{containerState(ours, corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"},
				})}
			}),
			want: Server{UID: "u", Current: true, Waiting: "ImagePullBackOff"},
		},
		"Creating": {
			reason: "That is the way of all pods, and nothing to wait for.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.Phase = corev1.PodPending
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{containerState(ours, corev1.ContainerState{
					Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"},
				})}
			}),
			want: Server{UID: "u", Current: true},
		},
		"DiedBesideSidecar": {
			reason: "A sidecar keeps the pod running, and not the server.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{
					containerState("proxy", running),
					containerState(ours, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
						ExitCode: 1, Reason: "Error", Message: "no\nroom\n", StartedAt: metav1.NewTime(noon()), FinishedAt: metav1.NewTime(noon().Add(time.Minute)),
					}}),
				}
			}),
			want: Server{UID: "u", Current: true, Ended: &Ending{
				Message: "the server ended with exit code 1, Error; its last words were: no\nroom", Lasted: time.Minute,
			}},
		},
		"Evicted": {
			reason: "The node ended it before it began.",
			pod: serverPod(func(pod *corev1.Pod) {
				pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, "Evicted", "the node was low on memory"
			}),
			want: Server{UID: "u", Current: true, Ended: &Ending{
				Message: "the server's pod failed before the server started; Evicted; the node was low on memory",
			}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			connect := &v1alpha1.SparkConnect{Status: v1alpha1.SparkConnectStatus{Run: 3}}
			if diff := cmp.Diff(tt.want, *observeServer(connect, tt.pod)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			kept, err := strip(tt.pod)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, *observeServer(connect, kept.(*corev1.Pod))); diff != "" {
				t.Errorf("the cache does not keep what is looked at\n-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzTail(f *testing.F) {
	f.Add("one\ntwo", 4)
	f.Add("ä", 1)
	f.Fuzz(func(t *testing.T, text string, length int) {
		if length < 0 {
			return
		}
		got := tail(text, length)
		if len(got) > length && len(text) > length || !strings.Contains(text, got) && utf8.ValidString(text) {
			t.Errorf("tail(%q, %d) is %q", text, length, got)
		}
	})
}
