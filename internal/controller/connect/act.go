package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

const (
	// fieldManager is whom the API server knows the fields of Services and ConfigMaps by.
	fieldManager = "brazier"
	// lookAgain is when to look again for an object to be gone that stands in the way.
	lookAgain = 2 * time.Second
	// tryAgain is when to try again what the API server has refused: a quota may have been raised meanwhile, or a missing
	// account made.
	tryAgain = 30 * time.Second
)

var (
	// errInTheWay says that an object has to go before one of its name can be made.
	errInTheWay = errors.New("an object of the last server is not gone yet")
	// errNotOurs says that an object has a name that it should not have.
	errNotOurs = errors.New("exists already and does not belong to this SparkConnect; delete it or give the SparkConnect another name")
)

// act carries step out and returns it, or the step that it came to instead.
func (r *Reconciler) act(ctx context.Context, connect *v1alpha1.SparkConnect, seen Observation, step Step) (Step, error) {
	var err error
	switch step.Action {
	case Start:
		err = r.start(ctx, connect, seen.plan)
	case Keep:
		if err = r.put(ctx, connect, seen.plan.Service); refused(err) {
			step.Refused, step.After = err.Error(), tryAgain // the server itself goes on
			return step, nil
		}
	case Remove:
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: connect.Namespace, Name: connect.Name + "-server"}}
		err = client.IgnoreNotFound(r.cluster.Delete(ctx, pod, client.Preconditions{UID: &step.Pod}))
	case Clear:
		err = r.clear(ctx, connect, seen)
	}
	switch {
	case err == nil:
		return step, nil
	case errors.Is(err, errInTheWay):
		return Step{Action: Wait, State: step.State, Because: err.Error(), After: lookAgain}, nil
	case refused(err):
		return refusal(step, err), nil
	}
	return step, err
}

// start makes what the current run does not have yet. It can be interrupted anywhere and begun again.
func (r *Reconciler) start(ctx context.Context, connect *v1alpha1.SparkConnect, plan *spark.ConnectPlan) error {
	objects := []spark.Object{plan.Service}
	for _, policy := range plan.NetworkPolicies {
		objects = append(objects, policy)
	}
	for _, configMap := range plan.ConfigMaps {
		objects = append(objects, configMap)
	}
	for _, object := range objects {
		if err := r.put(ctx, connect, object); err != nil {
			return err
		}
	}
	if err := r.forgetServices(ctx, connect, plan.Service.Name); err != nil {
		return err
	}
	return r.create(ctx, connect, plan.Server)
}

// put makes object as it is planned, whatever there is of it.
func (r *Reconciler) put(ctx context.Context, connect *v1alpha1.SparkConnect, object spark.Object) error {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	there := new(metav1.PartialObjectMetadata)
	there.SetGroupVersionKind(object.GetObjectKind().GroupVersionKind())
	err := r.cluster.Get(ctx, client.ObjectKeyFromObject(object), there)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("read %s %s: %w", kind, object.GetName(), err)
	default:
		if err := mayReplace(connect, there); err != nil {
			return fmt.Errorf("%s %s: %w", kind, object.GetName(), err)
		}
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return fmt.Errorf("convert %s %s: %w", kind, object.GetName(), err)
	}
	delete(fields, "status")
	apply := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
	if err := r.cluster.Apply(ctx, apply, client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", kind, object.GetName(), err)
	}
	return nil
}

// create makes the server's pod, and adopts it if an interrupted attempt at the same run has made it already.
func (r *Reconciler) create(ctx context.Context, connect *v1alpha1.SparkConnect, pod *corev1.Pod) error {
	err := r.cluster.Create(ctx, pod)
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create Pod %s: %w", pod.Name, err)
	}
	there := new(corev1.Pod)
	if err := r.cluster.Get(ctx, client.ObjectKeyFromObject(pod), there); err != nil {
		if apierrors.IsNotFound(err) {
			return errInTheWay // it went away just now
		}
		return fmt.Errorf("read Pod %s, which exists already: %w", pod.Name, err)
	}
	if err := mayReplace(connect, there); err != nil {
		return fmt.Errorf("the server's pod, %s: %w", pod.Name, err)
	}
	if there.Labels[v1beta2.LabelRun] != pod.Labels[v1beta2.LabelRun] {
		return errInTheWay // the cache will show it
	}
	return nil
}

// mayReplace reports whether object is the server's own.
func mayReplace(connect *v1alpha1.SparkConnect, object client.Object) error {
	owner := metav1.GetControllerOf(object)
	namesake := owner != nil && owner.Kind == v1alpha1.SparkConnectKind && owner.Name == connect.Name && owner.UID != connect.UID
	switch {
	case !object.GetDeletionTimestamp().IsZero() || namesake: // the garbage collector is about to remove a namesake's
		return errInTheWay
	case !metav1.IsControlledBy(object, connect):
		return errNotOurs
	}
	return nil
}

// forgetServices removes the Services that the server had before it was given another name for it.
func (r *Reconciler) forgetServices(ctx context.Context, connect *v1alpha1.SparkConnect, but string) error {
	var services corev1.ServiceList
	err := r.seen.List(ctx, &services, client.InNamespace(connect.Namespace), client.MatchingLabels{v1alpha1.LabelConnectName: connect.Name})
	if err != nil {
		return fmt.Errorf("list Services of the server: %w", err)
	}
	for i := range services.Items {
		service := &services.Items[i]
		if service.Name == but || !metav1.IsControlledBy(service, connect) {
			continue
		}
		if err := client.IgnoreNotFound(r.cluster.Delete(ctx, service, client.Preconditions{UID: &service.UID})); err != nil {
			return fmt.Errorf("delete Service %s: %w", service.Name, err)
		}
	}
	return nil
}

// clear removes executors that have no server: all, or those of earlier runs where the current one's lives.
func (r *Reconciler) clear(ctx context.Context, connect *v1alpha1.SparkConnect, seen Observation) error {
	selector := labels.SelectorFromSet(labels.Set{
		v1alpha1.LabelConnectName: connect.Name, v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor,
	})
	if seen.Server.lives() {
		earlier, err := labels.NewRequirement(v1beta2.LabelRun, selection.NotEquals, []string{fmt.Sprint(connect.Status.Run)})
		if err != nil {
			return fmt.Errorf("select executors of earlier runs: %w", err)
		}
		selector = selector.Add(*earlier)
	}
	err := r.cluster.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(connect.Namespace), client.MatchingLabelsSelector{Selector: selector})
	if err != nil {
		return fmt.Errorf("delete executors: %w", err)
	}
	return nil
}

// refused tells an answer that says no from one that says not now.
func refused(err error) bool {
	if errors.Is(err, errNotOurs) {
		return true
	}
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return false
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// refusal is what a step comes to that was refused. What the API server calls invalid stays so until it is edited.
func refusal(step Step, err error) Step {
	refusal := Step{Action: Wait, State: step.State, Reason: reasonRefused, Message: err.Error(), Because: err.Error(), After: tryAgain}
	if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
		refusal.State, refusal.After = v1alpha1.SparkConnectStateFailed, 0
	}
	return refusal
}
