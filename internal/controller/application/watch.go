package application

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1beta2"
)

// indexApp indexes pods by the name of their application.
const indexApp = "application"

// coalesce is how long changes of executors are gathered before they are written down together.
const coalesce = time.Second

// CacheOptions returns what the controller needs cached, and no more of it than that: a large cluster's executors are
// many, and the operator's memory is not.
func CacheOptions() map[client.Object]cache.ByObject {
	return map[client.Object]cache.ByObject{
		&v1beta2.SparkApplication{}: {Transform: cache.TransformStripManagedFields()},
		&corev1.Pod{}: {
			Label:     labels.SelectorFromSet(labels.Set{v1beta2.LabelLaunchedByOperator: "true"}),
			Transform: stripPod,
		},
	}
}

// stripPod keeps of a pod what observe looks at.
func stripPod(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	kept := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:              pod.Name,
			Namespace:         pod.Namespace,
			UID:               pod.UID,
			ResourceVersion:   pod.ResourceVersion,
			CreationTimestamp: pod.CreationTimestamp,
			DeletionTimestamp: pod.DeletionTimestamp,
			Labels:            make(map[string]string, 4),
		},
		Status: corev1.PodStatus{Phase: pod.Status.Phase},
	}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelSparkRole, v1beta2.LabelRun, v1beta2.LabelSubmissionID} {
		if value, ok := pod.Labels[label]; ok {
			kept.Labels[label] = value
		}
	}
	if pod.Labels[v1beta2.LabelSparkRole] != v1beta2.SparkRoleDriver {
		return kept, nil
	}
	kept.OwnerReferences = pod.OwnerReferences
	kept.Spec.ActiveDeadlineSeconds = pod.Spec.ActiveDeadlineSeconds
	for _, container := range pod.Spec.Containers {
		kept.Spec.Containers = append(kept.Spec.Containers, corev1.Container{Name: container.Name})
	}
	kept.Status.StartTime = pod.Status.StartTime
	kept.Status.Reason, kept.Status.Message = pod.Status.Reason, pod.Status.Message
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.DisruptionTarget} {
		if condition := condition(pod, kind); condition != nil {
			kept.Status.Conditions = append(kept.Status.Conditions, *condition)
		}
	}
	if status := driverContainer(pod); status != nil {
		kept.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: status.Name, State: status.State}}
	}
	for _, status := range pod.Status.InitContainerStatuses {
		kept.Status.InitContainerStatuses = append(kept.Status.InitContainerStatuses,
			corev1.ContainerStatus{Name: status.Name, State: status.State})
	}
	return kept, nil
}

func index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &corev1.Pod{}, indexApp, func(object client.Object) []string {
		return []string{object.GetLabels()[v1beta2.LabelAppName]}
	})
	if err != nil {
		return fmt.Errorf("index pods by their application: %w", err)
	}
	return nil
}

func podKind() client.Object { return &corev1.Pod{} }

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// podHandler wakes a pod's application: at once for its driver, which decides what happens to it, and after a while for
// an executor, whose changes come in hundreds.
type podHandler struct{}

var _ handler.EventHandler = podHandler{}

// Create implements handler.EventHandler.
func (podHandler) Create(_ context.Context, e event.CreateEvent, q queue) { wake(e.Object, q) }

// Update implements handler.EventHandler.
func (podHandler) Update(_ context.Context, e event.UpdateEvent, q queue) {
	was, wasPod := e.ObjectOld.(*corev1.Pod)
	is, isPod := e.ObjectNew.(*corev1.Pod)
	if wasPod && isPod && !driver(is) && observeExecutor(was) == observeExecutor(is) {
		return
	}
	wake(e.ObjectNew, q)
}

// Delete implements handler.EventHandler.
func (podHandler) Delete(_ context.Context, e event.DeleteEvent, q queue) { wake(e.Object, q) }

// Generic implements handler.EventHandler.
func (podHandler) Generic(_ context.Context, e event.GenericEvent, q queue) { wake(e.Object, q) }

func wake(object client.Object, q queue) {
	app := object.GetLabels()[v1beta2.LabelAppName]
	if app == "" {
		return
	}
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: app}}
	if driver(object) {
		q.Add(request)
		return
	}
	q.AddAfter(request, coalesce)
}

func driver(object client.Object) bool {
	return object.GetLabels()[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver
}
