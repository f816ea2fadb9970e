package executors

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"

	"brazier.sh/brazier/api/v1beta2"
)

// page is how many pods are held at once where the API server cannot stream the first list.
const page = 500

// source returns where the executors that have label are listed and watched. An API server that can streams the first
// list as a watch; from an older one it is read page by page, and of each page only what is looked at is kept.
func source(pods corev1client.PodInterface, label string, observer Observer) cache.ListerWatcher {
	selector := labels.SelectorFromSet(labels.Set{
		v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor,
	})
	owned, err := labels.NewRequirement(label, selection.Exists, nil)
	if err != nil {
		panic(fmt.Sprintf("the label of owners: %v", err)) // a constant of ours
	}
	selects := selector.Add(*owned).String()
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = selects
			return list(ctx, pods, options, page, observer)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selects
			return pods.Watch(ctx, options)
		},
	}
}

// list reads all pages at the latest resource version: from its watch cache an older API server gives everything at once.
func list(
	ctx context.Context, pods corev1client.PodInterface, options metav1.ListOptions, page int64, observer Observer,
) (*corev1.PodList, error) {
	options.ResourceVersion, options.ResourceVersionMatch, options.Limit = "", "", page
	var all corev1.PodList
	for {
		next, err := pods.List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range next.Items {
			if observer != nil && observer.Telling(&next.Items[i]) {
				all.Items = append(all.Items, next.Items[i])
				continue
			}
			all.Items = append(all.Items, strip(&next.Items[i]))
		}
		if next.Continue == "" {
			all.ResourceVersion = next.ResourceVersion
			return &all, nil
		}
		options.Continue = next.Continue
	}
}

// strip keeps of a pod what find looks at. One container stands for all that a pod in a queue has.
func strip(pod *corev1.Pod) corev1.Pod {
	stripped := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name, Labels: pod.Labels, DeletionTimestamp: pod.DeletionTimestamp,
			CreationTimestamp: pod.CreationTimestamp,
		},
		Spec:   corev1.PodSpec{SchedulingGates: pod.Spec.SchedulingGates},
		Status: corev1.PodStatus{Phase: pod.Status.Phase},
	}
	if inQueue(pod) {
		stripped.Spec.NodeSelector = pod.Spec.NodeSelector
		stripped.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: podRequests(pod)}}}
	}
	return stripped
}
