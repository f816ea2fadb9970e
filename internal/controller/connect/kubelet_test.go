package connect_test

import (
	"context"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// kubelet plays the node of one namespace: it binds pods, starts them, has servers listen at once, ends the one that is told
// to, and lets go of pods that were told to go.
type kubelet struct {
	t    *testing.T
	pods corev1client.PodInterface

	mu sync.Mutex
	// servers are the pods of servers that there ever were, and their runs.
	servers map[types.UID]string
}

func startKubelet(w *apiserver.World) *kubelet {
	w.T.Helper()
	k := &kubelet{t: w.T, pods: w.Pods(), servers: map[types.UID]string{}}
	w.Watch(k.pods, k.see)
	return k
}

// see does what a kubelet does about a pod that was added or has changed.
func (k *kubelet) see(ctx context.Context, event watch.EventType, pod *corev1.Pod) (err error) {
	if event == watch.Deleted {
		return nil
	}
	if pod.Labels[v1beta2.LabelSparkRole] == v1alpha1.SparkRoleConnectServer {
		k.mu.Lock()
		k.servers[pod.UID] = pod.Labels[v1beta2.LabelRun]
		k.mu.Unlock()
	}
	switch {
	case pod.DeletionTimestamp != nil:
		err = apiserver.LetGo(ctx, k.pods, pod)
	case pod.Spec.NodeName == "":
		err = apiserver.Bind(ctx, k.pods, pod, "node")
	case pod.Status.Phase == corev1.PodPending:
		pod.Status.Phase, pod.Status.PodIP = corev1.PodRunning, "10.0.0.7"
		pod.Status.PodIPs = []corev1.PodIP{{IP: pod.Status.PodIP}}
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		for _, container := range pod.Spec.Containers {
			pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
				Name: container.Name, Image: container.Image, Ready: true,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
			})
		}
		_, err = k.pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	}
	return err
}

// end ends the server that runs.
func (k *kubelet) end(code int32) {
	k.t.Helper()
	pod, err := k.pods.Get(k.t.Context(), "notebooks-server", metav1.GetOptions{})
	if err != nil {
		k.t.Fatal(err)
	}
	pod.Status.Phase, pod.Status.Conditions = corev1.PodFailed, nil
	for i := range pod.Status.ContainerStatuses {
		pod.Status.ContainerStatuses[i].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: "Error", Message: "it could not go on", FinishedAt: metav1.Now(),
		}}
	}
	if _, err := k.pods.UpdateStatus(k.t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		k.t.Fatal(err)
	}
}

// runs returns how many pods of servers there ever were of each run.
func (k *kubelet) runs() map[string]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	runs := map[string]int{}
	for _, run := range k.servers {
		runs[run]++
	}
	return runs
}
