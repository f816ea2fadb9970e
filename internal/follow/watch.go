package follow

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// backoff is shorter than the library's own, which waits up to half a minute: somebody is looking.
var backoff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 5, Cap: 4 * time.Second}

// watchApplication reports the application whenever it changes, and nil when it is gone.
func (f *follower) watchApplication(ctx context.Context) {
	source := cache.NewListWatchFromClient(f.applications, kube.ApplicationsResource, f.Namespace,
		fields.OneTermEqualSelector("metadata.name", f.Name))
	f.reflect(ctx, source, &v1beta2.SparkApplication{}, (*model).callApplication, func(objects []any) func(*model) {
		var app *v1beta2.SparkApplication
		for _, object := range objects {
			app = object.(*v1beta2.SparkApplication)
		}
		return func(m *model) { m.seeApplication(app) }
	})
}

// watchPods reports all pods of the application whenever one of them changes.
func (f *follower) watchPods(ctx context.Context) {
	selector := metav1.FormatLabelSelector(metav1.SetAsLabelSelector(map[string]string{v1beta2.LabelAppName: f.Name}))
	source := cache.NewFilteredListWatchFromClient(f.cluster.CoreV1().RESTClient(), "pods", f.Namespace,
		func(options *metav1.ListOptions) { options.LabelSelector = selector })
	f.reflect(ctx, source, &corev1.Pod{}, (*model).callPods, func(objects []any) func(*model) {
		pods := make([]*corev1.Pod, 0, len(objects))
		for _, object := range objects {
			pods = append(pods, object.(*corev1.Pod))
		}
		return func(m *model) { m.seePods(pods) }
	})
}

// reflect keeps up with what source lists until ctx ends: it lists, watches, and begins anew with growing pauses
// whenever that fails. went learns of every call; see turns the whole of what there is into an update of the model.
func (f *follower) reflect(ctx context.Context, source *cache.ListWatch, kind runtime.Object,
	went func(*model, error), see func([]any) func(*model),
) {
	store := cache.NewUndeltaStore(func(objects []any) { f.send(ctx, see(objects)) }, cache.MetaNamespaceKeyFunc)
	quiet := klog.FromContext(ctx)
	pause := backoff
	reflector := cache.NewReflectorWithOptions(f.observed(source, went), kind, store, cache.ReflectorOptions{Logger: &quiet, Backoff: &pause})
	reflector.RunWithContext(ctx)
}

// observed tells the model how the calls of source go.
func (f *follower) observed(source *cache.ListWatch, went func(*model, error)) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := source.ListWithContext(ctx, options)
			f.send(ctx, func(m *model) { went(m, err) })
			return list, err // The reflector looks at what kind of error it is.
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := source.WatchWithContext(ctx, options)
			f.send(ctx, func(m *model) { went(m, err) })
			return events, err // The reflector looks at what kind of error it is.
		},
	}
}
