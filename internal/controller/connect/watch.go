package connect

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// coalesce is how long changes of executors are gathered before they are written down together.
const coalesce = time.Second

// ownCache makes a cache of what belongs to servers. The manager's has the pods of applications, which are other pods and
// kept in another form.
func ownCache(mgr ctrl.Manager, namespaces map[string]cache.Config) (cache.Cache, error) {
	ofServer, err := labels.NewRequirement(v1alpha1.LabelConnectName, selection.Exists, nil)
	if err != nil {
		return nil, fmt.Errorf("select what belongs to servers: %w", err)
	}
	selector := labels.NewSelector().Add(*ofServer)
	own, err := cluster.New(mgr.GetConfig(), func(options *cluster.Options) {
		options.Scheme = mgr.GetScheme()
		options.HTTPClient = mgr.GetHTTPClient()
		options.MapperProvider = func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return mgr.GetRESTMapper(), nil }
		options.Cache = cache.Options{DefaultNamespaces: namespaces, ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:     {Label: selector, Transform: strip},
			&corev1.Service{}: {Label: selector, Transform: cache.TransformStripManagedFields()},
		}}
	})
	if err != nil {
		return nil, fmt.Errorf("make a cache of what belongs to servers: %w", err)
	}
	return own.GetCache(), mgr.Add(own)
}

// strip keeps of a pod what observe looks at: of an executor, of which there may be many, little.
func strip(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	kept := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			DeletionTimestamp: pod.DeletionTimestamp, Labels: map[string]string{},
		},
		Status: corev1.PodStatus{Phase: pod.Status.Phase},
	}
	for _, label := range []string{v1alpha1.LabelConnectName, v1beta2.LabelSparkRole, v1beta2.LabelRun} {
		kept.Labels[label] = pod.Labels[label]
	}
	if !isServer(pod) {
		return kept, nil
	}
	kept.CreationTimestamp, kept.OwnerReferences = pod.CreationTimestamp, pod.OwnerReferences
	kept.Annotations = map[string]string{v1alpha1.AnnotationSpecHash: pod.Annotations[v1alpha1.AnnotationSpecHash]}
	kept.Status = *pod.Status.DeepCopy()
	return kept, nil
}

func isServer(object client.Object) bool {
	return object.GetLabels()[v1beta2.LabelSparkRole] == v1alpha1.SparkRoleConnectServer
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// podHandler wakes a pod's SparkConnect: at once for its server, and after a while for an executor, whose changes come in
// numbers.
func podHandler() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { wake(e.Object, q) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { wake(e.Object, q) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			was, wasPod := e.ObjectOld.(*corev1.Pod)
			is, isPod := e.ObjectNew.(*corev1.Pod)
			if wasPod && isPod && !isServer(is) && phaseOf(was) == phaseOf(is) && was.DeletionTimestamp.IsZero() == is.DeletionTimestamp.IsZero() {
				return
			}
			wake(e.ObjectNew, q)
		},
	}
}

// serviceHandler wakes a Service's SparkConnect when the Service goes away: it is the address that clients have.
func serviceHandler() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { q.Add(requestOf(e.Object)) }}
}

func wake(object client.Object, q queue) {
	if isServer(object) {
		q.Add(requestOf(object))
		return
	}
	q.AddAfter(requestOf(object), coalesce)
}

func requestOf(object client.Object) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{
		Namespace: object.GetNamespace(), Name: object.GetLabels()[v1alpha1.LabelConnectName],
	}}
}
