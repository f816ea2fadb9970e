package application_test

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// play says what a driver's container does next: keep running (nil) or end with an exit code. It is asked whenever the
// pod changes.
type play func(driver *corev1.Pod) *int32

func succeeds(*corev1.Pod) *int32 { return new(int32(0)) }

func fails(*corev1.Pod) *int32 { return new(int32(1)) }

func keepsRunning(*corev1.Pod) *int32 { return nil }

// noScheduler is a scheduler that does not exist: its pods wait for ever.
const noScheduler = "nobody"

// kubelet plays the node of one namespace: it binds pods, starts them, ends drivers as their play says, and lets go of
// pods that were told to go.
type kubelet struct {
	pods corev1client.PodInterface
	play play

	mu sync.Mutex
	// full tells for which pods there is no room, if there is any for which there is none.
	full func(*corev1.Pod) bool
	// drivers are all driver pods that there ever were, by UID.
	drivers map[types.UID]driverOf
	// most is the most drivers of one application that were there at once.
	live map[types.UID]string
	most int
}

// driverOf is whose driver a pod is, and of which run.
type driverOf struct{ app, run string }

func startKubelet(w *apiserver.World, play play) *kubelet {
	w.T.Helper()
	k := &kubelet{pods: w.Pods(), play: play, drivers: make(map[types.UID]driverOf), live: make(map[types.UID]string)}
	w.Watch(k.pods, k.see)
	return k
}

// see does what a kubelet does about a pod that was added or has changed.
func (k *kubelet) see(ctx context.Context, event watch.EventType, pod *corev1.Pod) (err error) {
	k.count(event, pod)
	switch {
	case event == watch.Deleted:
	case pod.DeletionTimestamp != nil:
		err = apiserver.LetGo(ctx, k.pods, pod)
	case pod.Spec.SchedulerName == noScheduler:
	case pod.Spec.NodeName == "":
		err = apiserver.Bind(ctx, k.pods, pod, playedNode)
	case pod.Status.Phase == corev1.PodPending && k.hasNoRoom(pod):
		_, err = k.pods.UpdateStatus(ctx, rejected(pod), metav1.UpdateOptions{})
	case pod.Status.Phase == corev1.PodPending:
		_, err = k.pods.UpdateStatus(ctx, started(pod), metav1.UpdateOptions{})
	case pod.Status.Phase == corev1.PodRunning && pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver:
		if code := k.play(pod); code != nil {
			_, err = k.pods.UpdateStatus(ctx, exited(pod, *code), metav1.UpdateOptions{})
		}
	}
	return err
}

// refuse has the node find no room for pods.
func (k *kubelet) refuse(full func(*corev1.Pod) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.full = full
}

func (k *kubelet) hasNoRoom(pod *corev1.Pod) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.full != nil && k.full(pod)
}

// count keeps the books of drivers. A driver that has ended is not live any more.
func (k *kubelet) count(event watch.EventType, pod *corev1.Pod) {
	if pod.Labels[v1beta2.LabelSparkRole] != v1beta2.SparkRoleDriver {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drivers[pod.UID] = driverOf{app: pod.Labels[v1beta2.LabelAppName], run: pod.Labels[v1beta2.LabelRun]}
	k.live[pod.UID] = pod.Labels[v1beta2.LabelAppName]
	if event == watch.Deleted || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		delete(k.live, pod.UID)
	}
	byApp := make(map[string]int)
	for _, app := range k.live {
		byApp[app]++
		k.most = max(k.most, byApp[app])
	}
}

// runs returns how many driver pods there ever were of each run, and the most of one application that were live at once.
func (k *kubelet) runs() (runs map[driverOf]int, mostAtOnce int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	runs = make(map[driverOf]int)
	for _, of := range k.drivers {
		runs[of]++
	}
	return runs, k.most
}

// rejected is what kubelet's rejectPod writes.
func rejected(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Status = corev1.PodStatus{
		QOSClass: pod.Status.QOSClass, Phase: corev1.PodFailed, Reason: "OutOfcpu",
		Message: "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 7500, capacity: 8000",
	}
	return pod
}

func started(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name:  container.Name,
			Image: container.Image,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		})
	}
	return pod
}

// exited ends the driver's container. Its pod ends only if there is no sidecar that goes on.
func exited(pod *corev1.Pod, code int32) *corev1.Pod {
	pod = pod.DeepCopy()
	if len(pod.Spec.Containers) == 1 {
		pod.Status.Phase = corev1.PodSucceeded
		if code != 0 {
			pod.Status.Phase = corev1.PodFailed
		}
	}
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name != v1beta2.DriverContainerName {
			continue
		}
		end := &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Completed", FinishedAt: metav1.NewTime(time.Now())}
		if code != 0 {
			end.Reason = "Error"
		}
		pod.Status.ContainerStatuses[i].State = corev1.ContainerState{Terminated: end}
	}
	return pod
}
