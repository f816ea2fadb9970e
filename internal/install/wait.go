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
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const pollInterval = 100 * time.Millisecond

// waitForDefinitions waits until the API server serves the kinds that were defined.
func (i *Installer) waitForDefinitions(ctx context.Context, p *plan) error {
	for _, change := range p.changes {
		if change.After == nil || change.After.GetKind() != "CustomResourceDefinition" {
			continue
		}
		if err := i.waitEstablished(ctx, change.After); err != nil {
			return err
		}
	}
	return nil
}

func (i *Installer) waitEstablished(ctx context.Context, definition *unstructured.Unstructured) error {
	return wait.PollUntilContextTimeout(ctx, pollInterval, time.Minute, true, func(ctx context.Context) (bool, error) {
		live, err := i.live(ctx, definition)
		if err != nil || live == nil {
			return false, transient(err)
		}
		// An error says that there is no list of conditions yet.
		conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
		for _, condition := range conditions {
			c, ok := condition.(map[string]any)
			if ok && c["type"] == "Established" && c["status"] == string(metav1.ConditionTrue) {
				return true, nil
			}
		}
		return false, nil
	})
}

// waitForOperator waits until the Deployment has all its replicas, and says what keeps it from that if it never does.
func (i *Installer) waitForOperator(ctx context.Context, timeout time.Duration) error {
	key := client.ObjectKey{Namespace: i.namespace, Name: operatorName}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, timeout, true, func(ctx context.Context) (bool, error) {
		deployment := new(appsv1.Deployment)
		if err := i.client.Get(ctx, key, deployment); err != nil {
			return false, transient(err)
		}
		return rolledOut(deployment), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		err = fmt.Errorf("not ready after %s", timeout)
	}
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

// selector finds the operator's pods.
func selector() client.MatchingLabels {
	return client.MatchingLabels{"app.kubernetes.io/name": "brazier", "app.kubernetes.io/component": "operator"}
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
func (i *Installer) whyNot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var pods corev1.PodList
	if err := i.client.List(ctx, &pods, client.InNamespace(i.namespace), selector()); err != nil {
		return fmt.Errorf("list the operator's pods: %w", err)
	}
	if len(pods.Items) == 0 {
		return fmt.Errorf("no pod was made for it; see: kubectl describe deployment -n %s %s", i.namespace, operatorName)
	}
	var reasons []error
	for _, pod := range pods.Items {
		if pod.Status.Phase != corev1.PodRunning {
			reasons = append(reasons, fmt.Errorf("pod %s is %s", pod.Name, pod.Status.Phase))
		}
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
