package application

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/executors"
)

// indexApp indexes pods by the name of their application.
const indexApp = "application"

// coalesce is how long changes of executors are gathered before they are written down together.
const coalesce = time.Second

// CacheOptions returns what the controller needs cached, and no more of it than that. Executors are not in it: they are
// many, and internal/executors knows them in less room.
func CacheOptions() map[client.Object]cache.ByObject {
	return map[client.Object]cache.ByObject{
		&v1beta2.SparkApplication{}: {Transform: stripApplication},
		&corev1.Pod{}: {
			Label:     cachedPods(),
			Transform: stripPod,
		},
	}
}

// cachedPods selects the pods that are made by this operator, but for executors.
func cachedPods() labels.Selector {
	launched, err := labels.NewRequirement(v1beta2.LabelLaunchedByOperator, selection.Equals, []string{"true"})
	if err != nil {
		panic(fmt.Sprintf("select the pods to cache: %v", err)) // it is made of constants
	}
	others, err := labels.NewRequirement(v1beta2.LabelSparkRole, selection.NotEquals, []string{v1beta2.SparkRoleExecutor})
	if err != nil {
		panic(fmt.Sprintf("select the pods to cache: %v", err))
	}
	return labels.NewSelector().Add(*launched, *others)
}

// stripApplication takes from an application what is a copy of the rest of it.
func stripApplication(object any) (any, error) {
	app, ok := object.(*v1beta2.SparkApplication)
	if !ok {
		return object, nil
	}
	app.ManagedFields = nil
	delete(app.Annotations, corev1.LastAppliedConfigAnnotation)
	return app, nil
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
			OwnerReferences:   pod.OwnerReferences,
		},
		Spec: corev1.PodSpec{ActiveDeadlineSeconds: pod.Spec.ActiveDeadlineSeconds},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, StartTime: pod.Status.StartTime, Reason: pod.Status.Reason, Message: pod.Status.Message,
		},
	}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelSparkRole, v1beta2.LabelRun, v1beta2.LabelSubmissionID} {
		if value, ok := pod.Labels[label]; ok {
			kept.Labels[label] = value
		}
	}
	for _, container := range pod.Spec.Containers {
		kept.Spec.Containers = append(kept.Spec.Containers, corev1.Container{Name: container.Name})
	}
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

// podHandler wakes a pod's application at once: its driver decides what happens to it.
type podHandler struct{}

var _ handler.EventHandler = podHandler{}

// Create implements handler.EventHandler.
func (podHandler) Create(_ context.Context, e event.CreateEvent, q queue) { wake(e.Object, q) }

// Update implements handler.EventHandler.
func (podHandler) Update(_ context.Context, e event.UpdateEvent, q queue) { wake(e.ObjectNew, q) }

// Delete implements handler.EventHandler.
func (podHandler) Delete(_ context.Context, e event.DeleteEvent, q queue) { wake(e.Object, q) }

// Generic implements handler.EventHandler.
func (podHandler) Generic(_ context.Context, e event.GenericEvent, q queue) { wake(e.Object, q) }

func wake(object client.Object, q queue) {
	if app := object.GetLabels()[v1beta2.LabelAppName]; app != "" {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: app}})
	}
}

// executorSource wakes an application a while after its executors change, which come in hundreds.
type executorSource struct{ executors *executors.Watch }

var _ source.SyncingSource = executorSource{}

// Start implements source.Source.
func (s executorSource) Start(_ context.Context, q queue) error {
	s.executors.Notify(func(app types.NamespacedName) { q.AddAfter(reconcile.Request{NamespacedName: app}, coalesce) })
	return nil
}

// WaitForSync implements source.SyncingSource.
func (s executorSource) WaitForSync(ctx context.Context) error { return s.executors.WaitForSync(ctx) }
