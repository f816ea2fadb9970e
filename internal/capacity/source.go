package capacity

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// page is how many pods are held at once where the API server cannot stream the first list.
const page = 500

// onNodes selects pods that have a node and have not ended: those are what its room goes to. One that ends does not match
// any more, which a watch tells as its deletion.
const onNodes = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"

func nodeSource(core kubernetes.Interface) cache.ListerWatcher {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return core.CoreV1().Nodes().List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return core.CoreV1().Nodes().Watch(ctx, options)
		},
	}
}

func podSource(core kubernetes.Interface) cache.ListerWatcher {
	pods := core.CoreV1().Pods(corev1.NamespaceAll)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return listPods(ctx, core, options, page)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = onNodes
			return pods.Watch(ctx, options)
		},
	}
}

// listPods reads all pages at the latest resource version, and keeps of each page what is looked at: from its watch cache
// an older API server gives everything at once.
func listPods(ctx context.Context, core kubernetes.Interface, options metav1.ListOptions, page int64) (*corev1.PodList, error) {
	options.ResourceVersion, options.ResourceVersionMatch, options.Limit = "", "", page
	options.FieldSelector = onNodes
	var all corev1.PodList
	for {
		next, err := core.CoreV1().Pods(corev1.NamespaceAll).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range next.Items {
			all.Items = append(all.Items, strip(&next.Items[i]))
		}
		if next.Continue == "" {
			all.ResourceVersion = next.ResourceVersion
			return &all, nil
		}
		options.Continue = next.Continue
	}
}

// strip keeps of a pod what findPod looks at.
func strip(pod *corev1.Pod) corev1.Pod {
	kept := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, Labels: pod.Labels},
		Spec:       corev1.PodSpec{NodeName: pod.Spec.NodeName, Resources: pod.Spec.Resources, Overhead: pod.Spec.Overhead},
		Status:     pod.Status,
	}
	kept.Spec.Containers, kept.Spec.InitContainers = sizes(pod.Spec.Containers), sizes(pod.Spec.InitContainers)
	kept.Status.Conditions, kept.Status.Message = nil, ""
	return kept
}

// sizes keep of containers what they request, and whether they stay.
func sizes(containers []corev1.Container) []corev1.Container {
	var kept []corev1.Container
	for i := range containers {
		kept = append(kept, corev1.Container{
			Name: containers[i].Name, Resources: containers[i].Resources, RestartPolicy: containers[i].RestartPolicy,
		})
	}
	return kept
}
