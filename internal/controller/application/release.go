package application

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

// release removes what the application's runs left but for their driver pods.
func (r *Reconciler) release(ctx context.Context, app *v1beta2.SparkApplication) error {
	executors := []client.DeleteAllOfOption{
		client.InNamespace(app.Namespace), ownLabels(app, v1beta2.SparkRoleExecutor),
	}
	if spark.KeepsExecutors(app, r.platform) {
		executors = append(executors, client.MatchingFieldsSelector{Selector: fields.AndSelectors(
			fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
			fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)),
		)})
	}
	if err := r.releaseSets(ctx, app); err != nil {
		return err
	}
	if err := r.cluster.DeleteAllOf(ctx, &corev1.Pod{}, executors...); err != nil {
		return fmt.Errorf("delete executors: %w", err)
	}
	for _, kind := range r.leftKinds(app) {
		if err := r.cluster.DeleteAllOf(ctx, kind, client.InNamespace(app.Namespace), ownLabels(app, "")); err != nil && !meta.IsNoMatchError(err) {
			return fmt.Errorf("delete objects of kind %s: %w", r.kind(kind), err)
		}
	}
	if err := r.releaseSparks(ctx, app); err != nil {
		return err
	}
	if foreign(app) {
		if err := r.releaseForeign(ctx, app); err != nil {
			return err
		}
	}
	r.kinds.forget(client.ObjectKeyFromObject(app))
	return nil
}

// releaseSparks removes what has Spark's own labels only: the executors' ConfigMap (KubernetesClusterSchedulerBackend),
// which its driver removes itself only where it ends well, and claims (MountVolumesFeatureStep), of executors and driver.
// They belong to the driver's pod, which is kept.
func (r *Reconciler) releaseSparks(ctx context.Context, app *v1beta2.SparkApplication) error {
	id := app.Status.SparkApplicationID
	if id == "" {
		return nil
	}
	for object, labels := range map[client.Object]client.MatchingLabels{
		&corev1.ConfigMap{}:             {v1beta2.LabelSparkAppSelector: id, v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor},
		&corev1.PersistentVolumeClaim{}: {v1beta2.LabelSparkAppSelector: id},
	} {
		if err := r.cluster.DeleteAllOf(ctx, object, client.InNamespace(app.Namespace), labels); err != nil {
			return fmt.Errorf("delete the executors' objects of kind %s: %w", r.kind(object), err)
		}
	}
	return nil
}

// releaseSets removes the sets that make executors where the application has them made so. They belong to the driver's
// pod, which is kept, and would go on replacing executors.
func (r *Reconciler) releaseSets(ctx context.Context, app *v1beta2.SparkApplication) error {
	allocator := spark.AllocatorOf(app, r.platform)
	var sets client.ObjectList
	switch allocator {
	case spark.StatefulSetAllocator:
		sets = &appsv1.StatefulSetList{}
	case spark.DeploymentAllocator:
		sets = &appsv1.DeploymentList{}
	default:
		return nil
	}
	if err := r.cluster.List(ctx, sets, client.InNamespace(app.Namespace)); err != nil {
		return fmt.Errorf("list sets of executors: %w", err)
	}
	return meta.EachListItem(sets, func(item runtime.Object) error {
		set, ok := item.(client.Object)
		if !ok || !strings.HasPrefix(set.GetName(), allocator.SetPrefix(app.Status.SparkApplicationID)) {
			return nil
		}
		err := r.cluster.Delete(ctx, set, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if err := client.IgnoreNotFound(err); err != nil {
			return fmt.Errorf("delete %s %s: %w", r.kind(set), set.GetName(), err)
		}
		return nil
	})
}

// stop ends a run that was called off: its driver first, which would otherwise replace its executors.
func (r *Reconciler) stop(ctx context.Context, app *v1beta2.SparkApplication) error {
	err := r.cluster.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(app.Namespace), ownLabels(app, v1beta2.SparkRoleDriver))
	if err != nil {
		return fmt.Errorf("delete driver pods: %w", err)
	}
	return r.release(ctx, app)
}

// limit sets an end to a pod of which all that mattered has ended. Kubelet then ends its containers; the pod stays, with
// their logs and how each ended. The UID keeps it from meeting another pod of that name.
func (r *Reconciler) limit(ctx context.Context, app *v1beta2.SparkApplication, limited Limited) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: app.Namespace, Name: limited.Pod}}
	patch := fmt.Sprintf(`{"metadata":{"uid":%q},"spec":{"activeDeadlineSeconds":%d}}`, limited.UID, max(1, int64(limited.Active.Seconds())))
	err := r.cluster.Patch(ctx, pod, client.RawPatch(types.MergePatchType, []byte(patch)))
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return nil
	}
	return fmt.Errorf("limit pod %s: %w", limited.Pod, err)
}

// ownLabels select what was made for the application, of one Spark role or of any.
func ownLabels(app *v1beta2.SparkApplication, role string) client.MatchingLabels {
	labels := client.MatchingLabels{v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelAppName: app.Name}
	if role != "" {
		labels[v1beta2.LabelSparkRole] = role
	}
	return labels
}
