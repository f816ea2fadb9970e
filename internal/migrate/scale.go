package migrate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// annotationReplicas on a Deployment is how many replicas it had before it was stopped.
const annotationReplicas = "brazier.sh/replicas-before-migration"

// poll is how often the cluster is asked what has become of what was changed.
const poll = 200 * time.Millisecond

// stop scales a Deployment to 0, remembers its replicas in the same write, and waits until its pods are gone: an operator
// that is being ended still acts.
func (m *Migration) stop(ctx context.Context, key client.ObjectKey) error {
	deployment := new(appsv1.Deployment)
	if err := m.Client.Get(ctx, key, deployment); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("read Deployment %s: %w", key, err)
	}
	before := deployment.DeepCopy()
	if _, stopped := deployment.Annotations[annotationReplicas]; !stopped {
		metav1.SetMetaDataAnnotation(&deployment.ObjectMeta, annotationReplicas, strconv.Itoa(int(replicas(deployment))))
	}
	deployment.Spec.Replicas = new(int32(0))
	if err := m.Client.Patch(ctx, deployment, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("scale Deployment %s to 0: %w", key, err)
	}
	selector, err := metav1.LabelSelectorAsSelector(deployment.Spec.Selector)
	if err != nil {
		return fmt.Errorf("read the selector of Deployment %s: %w", key, err)
	}
	var pods corev1.PodList
	err = wait.PollUntilContextTimeout(ctx, poll, m.Patience, true, func(ctx context.Context) (bool, error) {
		err := m.Client.List(ctx, &pods, client.InNamespace(key.Namespace), client.MatchingLabelsSelector{Selector: selector})
		return len(pods.Items) == 0, err
	})
	if err != nil {
		return fmt.Errorf("wait for the pods of Deployment %s to go (%d are left): %w", key, len(pods.Items), err)
	}
	return nil
}

// start gives a Deployment back the replicas that it had before it was stopped. One that was not stopped by us is left.
func (m *Migration) start(ctx context.Context, key client.ObjectKey) error {
	deployment := new(appsv1.Deployment)
	if err := m.Client.Get(ctx, key, deployment); err != nil {
		return fmt.Errorf("read Deployment %s: %w", key, err)
	}
	text, stopped := deployment.Annotations[annotationReplicas]
	if !stopped {
		return nil
	}
	count, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return fmt.Errorf("annotation %s of Deployment %s: %q is no number; correct it", annotationReplicas, key, text)
	}
	before := deployment.DeepCopy()
	deployment.Spec.Replicas = new(int32(count))
	delete(deployment.Annotations, annotationReplicas)
	if err := m.Client.Patch(ctx, deployment, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("scale Deployment %s to %d: %w", key, count, err)
	}
	return nil
}

// available waits until a Deployment that is to have replicas has them.
func (m *Migration) available(ctx context.Context, key client.ObjectKey) error {
	deployment := new(appsv1.Deployment)
	err := wait.PollUntilContextTimeout(ctx, poll, m.Patience, true, func(ctx context.Context) (bool, error) {
		if err := m.Client.Get(ctx, key, deployment); err != nil {
			return false, err
		}
		return deployment.Status.ObservedGeneration >= deployment.Generation && deployment.Status.AvailableReplicas >= replicas(deployment), nil
	})
	if err != nil {
		return fmt.Errorf("wait for Deployment %s (%d of %d replicas are available): %w", key, deployment.Status.AvailableReplicas, replicas(deployment), err)
	}
	return nil
}
