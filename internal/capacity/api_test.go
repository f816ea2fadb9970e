package capacity

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/test/apiserver"
)

// TestWatch follows nodes and pods of a real API server, in the ways that newer and older ones list them.
func TestWatch(t *testing.T) {
	server := apiserver.Start(t)
	for name, older := range map[string]bool{"Streamed": false, "ByPages": true} {
		t.Run(name, func(t *testing.T) { follow(t, server.World(t, "capacity-", nil), older) })
	}
}

func follow(t *testing.T, w *apiserver.World, older bool) {
	node := w.Namespace
	addNode(t, w, node)
	core := kubernetes.NewForConfigOrDie(w.Server.Config())
	account := &corev1.ServiceAccount{ObjectMeta: w.Meta("default")} // which pods are admitted with
	if err := client.IgnoreAlreadyExists(w.Client.Create(t.Context(), account)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		create(t, w, core, node, on("", name, "cpu", "1"))
	}
	create(t, w, core, "", on("", "unbound", "cpu", "1"))

	watched := newWatch(core)
	start := watched.Start
	if older {
		start = func(ctx context.Context) error { return startOlder(ctx, watched, core) }
	}
	apiserver.Operate(t, start)
	want := Node{Name: node, Labels: map[string]string{"kind": "stable"}, Allocatable: Amounts{"cpu": 8000}, Queued: Amounts{}, Others: Amounts{"cpu": 3000}}
	see(t, watched, "what was there", want)

	create(t, w, core, node, inQueue(on("", "exec-1", "cpu", "500m")))
	end(t, w, core, "a")
	if err := core.CoreV1().Pods(w.Namespace).Delete(t.Context(), "b", metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	want.Queued, want.Others = Amounts{"cpu": 500}, Amounts{"cpu": 1000}
	see(t, watched, "pods that came, ended and went", want)

	if err := core.CoreV1().Nodes().Delete(t.Context(), node, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	apiserver.Eventually(t, "the node is gone", func(context.Context) (bool, error) {
		nodes, _ := watched.Nodes()
		return find(nodes, node) == nil, nil
	})
}

// startOlder follows what an API server has that does not stream its lists, read two pods at a time.
func startOlder(ctx context.Context, w *Watch, core kubernetes.Interface) error {
	<-w.wanted
	newer := podSource(core).(*cache.ListWatch)
	pods := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return listPods(ctx, core, options, 2)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents != nil {
				return nil, errors.New("sendInitialEvents is not known")
			}
			return newer.WatchFuncWithContext(ctx, options)
		},
	}
	go cache.NewReflectorWithOptions(nodeSource(core), new(corev1.Node), w.nodes, cache.ReflectorOptions{}).RunWithContext(ctx)
	go func() {
		<-w.pods.filled
		<-w.nodes.filled
		close(w.filled)
	}()
	cache.NewReflectorWithOptions(pods, new(corev1.Pod), w.pods, cache.ReflectorOptions{}).RunWithContext(ctx)
	return nil
}

// see waits until a node is as it should be.
func see(t *testing.T, w *Watch, what string, want Node) {
	t.Helper()
	var diff string
	apiserver.Eventually(t, what, func(context.Context) (bool, error) {
		nodes, known := w.Nodes()
		got := find(nodes, want.Name)
		if !known || got == nil {
			return false, nil
		}
		diff = cmp.Diff(want, *got, cmpopts.IgnoreFields(Node{}, "Taints"))
		return diff == "", nil
	}, func() string { return "-want +got:\n" + diff })
}

func find(nodes []Node, name string) *Node {
	for i := range nodes {
		if nodes[i].Name == name {
			return &nodes[i]
		}
	}
	return nil
}

func addNode(t *testing.T, w *apiserver.World, name string) {
	t.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kind": "stable"}}}
	w.Create(node)
	before := node.DeepCopy()
	node.Status.Allocatable = corev1.ResourceList{"cpu": resource.MustParse("8")}
	node.Status.Capacity = node.Status.Allocatable
	if err := w.Client.Status().Patch(t.Context(), node, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, w *apiserver.World, core kubernetes.Interface, node string, pod *corev1.Pod) {
	t.Helper()
	pod.Namespace, pod.Spec.NodeName, pod.Spec.Containers[0].Image = w.Namespace, node, "none"
	if _, err := core.CoreV1().Pods(w.Namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func end(t *testing.T, w *apiserver.World, core kubernetes.Interface, name string) {
	t.Helper()
	patch := []byte(`{"status":{"phase":"Succeeded"}}`)
	if _, err := core.CoreV1().Pods(w.Namespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}
