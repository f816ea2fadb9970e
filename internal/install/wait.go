package install

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const pollInterval = 100 * time.Millisecond

// waitEstablished waits until the API server serves a definition's kind.
func (i *installer) waitEstablished(ctx context.Context, name string) error {
	definition := new(unstructured.Unstructured)
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	return wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
		if err := i.client.Get(ctx, client.ObjectKey{Name: name}, definition); err != nil {
			return false, fmt.Errorf("read definition %s: %w", name, err)
		}
		// An error says that there is no list of conditions yet.
		conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
		for _, condition := range conditions {
			c, ok := condition.(map[string]any)
			if ok && c["type"] == "Established" && c["status"] == string(metav1.ConditionTrue) {
				return true, nil
			}
		}
		return false, nil
	})
}

// waitForOperator waits until the Deployment has its replica, and says what keeps it from that if it never does.
func (i *installer) waitForOperator(ctx context.Context, _ Options) error {
	key := client.ObjectKey{Namespace: Namespace, Name: operatorName}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, startTimeout, true, func(ctx context.Context) (bool, error) {
		deployment := new(appsv1.Deployment)
		if err := i.client.Get(ctx, key, deployment); err != nil {
			return false, transient(err)
		}
		return rolledOut(deployment), nil
	})
	if err != nil {
		return errors.Join(err, i.whyNot(context.WithoutCancel(ctx)))
	}
	return nil
}

// rolledOut reports whether the newest version runs, and no older one is counted for it.
func rolledOut(d *appsv1.Deployment) bool {
	return d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas >= *d.Spec.Replicas &&
		d.Status.AvailableReplicas >= *d.Spec.Replicas && d.Status.Replicas == d.Status.UpdatedReplicas
}

// transient hides errors that pass by themselves, such as those of an API server that is being restarted.
func transient(err error) error {
	if _, fromServer := errors.AsType[*apierrors.StatusError](err); !fromServer || apierrors.IsServerTimeout(err) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err) {
		return nil
	}
	return err
}

// whyNot returns what the operator's pods wait for, as far as it can be told.
func (i *installer) whyNot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var pods corev1.PodList
	if err := i.client.List(ctx, &pods, client.InNamespace(Namespace), client.MatchingLabels(selector())); err != nil {
		return fmt.Errorf("list the operator's pods: %w", err)
	}
	if len(pods.Items) == 0 {
		return fmt.Errorf("no pod was made for it; see: kubectl describe deployment -n %s %s", Namespace, operatorName)
	}
	var reasons []error
	for _, pod := range pods.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
				reasons = append(reasons, fmt.Errorf("pod %s: %s: %s", pod.Name, condition.Reason, condition.Message))
			}
		}
		for _, status := range pod.Status.ContainerStatuses {
			if waiting := status.State.Waiting; waiting != nil {
				reasons = append(reasons, fmt.Errorf("pod %s: %s: %s", pod.Name, waiting.Reason, waiting.Message))
			}
			if ended := status.LastTerminationState.Terminated; ended != nil {
				reasons = append(reasons, fmt.Errorf("pod %s ended with exit code %d: %s", pod.Name, ended.ExitCode, ended.Message))
			}
		}
	}
	return errors.Join(reasons...)
}

// order puts first what is removed first.
func order(object runtime.Object) int {
	switch object.(type) {
	case *appsv1.Deployment:
		return 0
	case *corev1.Namespace:
		return 2
	default:
		return 1
	}
}
