package applications

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// Watch reports the applications that a label selector chooses, until ctx ends or see says that it is done.
func (c *Client) Watch(ctx context.Context, selector string, see func(kube.Change[*v1beta2.SparkApplication]) (bool, error)) error {
	source := cache.NewFilteredListWatchFromClient(c.apps, kube.ApplicationsResource, c.Namespace, func(options *metav1.ListOptions) {
		options.LabelSelector = selector
	})
	return kube.Watch(ctx, source, &v1beta2.SparkApplication{}, see)
}

// WatchOne reports one application whenever it changes, and nil once it is gone.
func (c *Client) WatchOne(ctx context.Context, name string, see func(*v1beta2.SparkApplication) (bool, error)) error {
	source := cache.NewListWatchFromClient(c.apps, kube.ApplicationsResource, c.Namespace, fields.OneTermEqualSelector("metadata.name", name))
	return kube.Watch(ctx, source, &v1beta2.SparkApplication{}, func(change kube.Change[*v1beta2.SparkApplication]) (bool, error) {
		if change.Gone || change.None {
			return see(nil)
		}
		return see(change.Object)
	})
}

// WatchPods reports the pods that have the application's name on them whenever one changes.
func (c *Client) WatchPods(ctx context.Context, app *v1beta2.SparkApplication, see func(kube.Change[*corev1.Pod]) (bool, error)) error {
	source := cache.NewFilteredListWatchFromClient(c.Cluster.CoreV1().RESTClient(), "pods", app.Namespace, func(options *metav1.ListOptions) {
		options.LabelSelector = v1beta2.LabelAppName + "=" + app.Name
	})
	return kube.Watch(ctx, source, &corev1.Pod{}, see)
}
