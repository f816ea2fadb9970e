package apiserver

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
)

// Pods is a client of the namespace's pods, for those who play their node: pods are bound by a subresource of their own.
func (w *World) Pods() corev1client.PodInterface {
	w.T.Helper()
	clientset, err := kubernetes.NewForConfig(w.Server.Config())
	if err != nil {
		w.T.Fatal(err)
	}
	return clientset.CoreV1().Pods(w.Namespace)
}

// Watch has see play the node of the namespace's pods: it is told of each that is added, changes or goes, one after the
// other, until the test ends. It may come too late, as a node may.
func (w *World) Watch(pods corev1client.PodInterface, see func(context.Context, watch.EventType, *corev1.Pod) error) {
	w.T.Helper()
	ctx := context.Background() // what the test made is still played while the test ends
	events, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		w.T.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range events.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				continue
			}
			if err := see(ctx, event.Type, pod); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				w.T.Errorf("play a node: %v", err)
			}
		}
	}()
	w.T.Cleanup(func() {
		events.Stop()
		<-done
	})
}

// Bind does what a scheduler does about a pod.
func Bind(ctx context.Context, pods corev1client.PodInterface, pod *corev1.Pod, node string) error {
	return pods.Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: node},
	}, metav1.CreateOptions{})
}

// LetGo does what a kubelet does about a pod that was told to go and has ended.
func LetGo(ctx context.Context, pods corev1client.PodInterface, pod *corev1.Pod) error {
	return pods.Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64(0)), Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	})
}
