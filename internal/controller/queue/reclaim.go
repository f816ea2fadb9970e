package queue

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// take tells an executor to go, with so much time to hand over what it holds: kubelet runs its hook, which decommissions it.
// One that has not started needs none of it, and kubelet or the API server lets it go at once.
func (c *Controller) take(ctx context.Context, namespace, name string, grace time.Duration) error {
	seconds := max(1, int64(grace.Seconds()))
	object := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	err := c.cluster.Delete(ctx, object, client.GracePeriodSeconds(seconds))
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("tell executor %s to go: %w", name, err)
	}
	return nil
}
