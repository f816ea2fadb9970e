package connect_test

import (
	"context"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// kubelet plays the node of one namespace: it binds pods, starts them, has servers listen at once, ends the one that is told
// to, and lets go of pods that were told to go.
type kubelet struct {
	t         *testing.T
	client    kubernetes.Interface
	namespace string

	mu sync.Mutex
	// servers are the pods of servers that there ever were, and their runs.
	servers map[types.UID]string
}

func startKubelet(t *testing.T, namespace string) *kubelet {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(plane)
	if err != nil {
		t.Fatal(err)
	}
	k := &kubelet{t: t, client: clientset, namespace: namespace, servers: map[types.UID]string{}}
	pods, err := clientset.CoreV1().Pods(namespace).Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range pods.ResultChan() {
			if pod, ok := event.Object.(*corev1.Pod); ok && event.Type != watch.Deleted {
				k.see(pod)
			}
		}
	}()
	t.Cleanup(func() {
		pods.Stop()
		<-done
	})
	return k
}

// see does what a kubelet does about a pod that was added or has changed.
func (k *kubelet) see(pod *corev1.Pod) {
	if pod.Labels[v1beta2.LabelSparkRole] == v1alpha1.SparkRoleConnectServer {
		k.mu.Lock()
		k.servers[pod.UID] = pod.Labels[v1beta2.LabelRun]
		k.mu.Unlock()
	}
	var err error
	ctx, pods := context.Background(), k.client.CoreV1().Pods(k.namespace)
	switch {
	case pod.DeletionTimestamp != nil:
		err = pods.Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: new(int64(0)), Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
		})
	case pod.Spec.NodeName == "":
		err = pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: "node"},
		}, metav1.CreateOptions{})
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
		_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	}
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		k.t.Errorf("kubelet: %v", err)
	}
}

// end ends the server that runs.
func (k *kubelet) end(code int32) {
	k.t.Helper()
	pods := k.client.CoreV1().Pods(k.namespace)
	pod, err := pods.Get(k.t.Context(), "notebooks-server", metav1.GetOptions{})
	if err != nil {
		k.t.Fatal(err)
	}
	pod.Status.Phase, pod.Status.Conditions = corev1.PodFailed, nil
	for i := range pod.Status.ContainerStatuses {
		pod.Status.ContainerStatuses[i].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: "Error", Message: "it could not go on", FinishedAt: metav1.Now(),
		}}
	}
	if _, err := pods.UpdateStatus(k.t.Context(), pod, metav1.UpdateOptions{}); err != nil {
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
