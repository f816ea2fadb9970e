package executors

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestWatch follows the executors of a real API server, in the ways that newer and older ones list them.
func TestWatch(t *testing.T) {
	server := apiserver.Start(t)
	client := corev1client.NewForConfigOrDie(server.Config())
	t.Run("Streamed", func(t *testing.T) {
		mgr, err := ctrl.NewManager(server.Config(), manager.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
		if err != nil {
			t.Fatal(err)
		}
		namespace := newNamespace(t, client, "streamed")
		w, err := Add(mgr, v1beta2.LabelAppName, []string{namespace, "default"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		follow(t, client.Pods(namespace), w, namespace, mgr.Start)
	})
	t.Run("ByPages", func(t *testing.T) {
		namespace := newNamespace(t, client, "pages")
		pods := client.Pods(namespace)
		w := &Watch{synced: make(chan struct{})}
		w.stores = []*store{newStore(v1beta2.LabelAppName, older(pods, nil), w.tell, nil)}
		follow(t, pods, w, namespace, w.Start)
	})
	t.Run("ByPagesObserved", func(t *testing.T) {
		observeFirstList(t, client.Pods(newNamespace(t, client, "observed")))
	})
}

// older is the source of an API server that does not stream its lists, read two pods at a time.
func older(pods corev1client.PodInterface, observer Observer) cache.ListerWatcher {
	newer := source(pods, v1beta2.LabelAppName, observer).(*cache.ListWatch)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = v1beta2.LabelSparkRole + "=" + v1beta2.SparkRoleExecutor
			return list(ctx, pods, options, 2, observer)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents != nil {
				return nil, errors.New("sendInitialEvents is not known")
			}
			return newer.WatchFuncWithContext(ctx, options)
		},
	}
}

// evictions is an observer that learns from pods that were evicted, and passes on what it sees of each.
type evictions chan corev1.Pod

func (evictions) Telling(pod *corev1.Pod) bool { return pod.Status.Reason == "Evicted" }

func (e evictions) Observe(_ types.NamespacedName, pod *corev1.Pod, _ bool) { e <- *pod }

// observeFirstList has the observer see a first list of several pages: whole what it finds telling, wherever it is in a page,
// and of everything else no more than what finds its owner.
func observeFirstList(t *testing.T, pods corev1client.PodInterface) {
	evicted := map[string]bool{"pi-2": true, "pi-3": true, "pi-5": true}
	want := make(map[string]corev1.Pod)
	for _, name := range []string{"pi-1", "pi-2", "pi-3", "pi-4", "pi-5"} {
		create(t, pods, name, v1beta2.SparkRoleExecutor)
		reason := "Healthy"
		if evicted[name] {
			reason = "Evicted"
		}
		patch := []byte(`{"status":{"phase":"Failed","reason":"` + reason + `","message":"so said the node"}}`)
		pod, err := pods.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
		if err != nil {
			t.Fatal(err)
		}
		want[name] = *pod
		if !evicted[name] {
			want[name] = corev1.Pod{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: pod.Namespace, Name: name, Labels: pod.Labels, CreationTimestamp: pod.CreationTimestamp,
				},
				Status: corev1.PodStatus{Phase: corev1.PodFailed},
			}
		}
	}
	seen := make(evictions, 100)
	w := &Watch{synced: make(chan struct{})}
	w.stores = []*store{newStore(v1beta2.LabelAppName, older(pods, seen), w.tell, seen)}
	apiserver.Operate(t, w.Start)
	if err := w.WaitForSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]corev1.Pod)
	for len(seen) > 0 {
		pod := <-seen
		got[pod.Name] = pod
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was observed of the first list\n-want +got:\n%s", diff)
	}
}

func newNamespace(t *testing.T, client *corev1client.CoreV1Client, name string) string {
	t.Helper()
	_, err := client.Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}} // which pods are admitted with
	if _, err := client.ServiceAccounts(name).Create(t.Context(), account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	return name
}

// follow starts a watch on executors that are there, and has one come, one change and one go.
func follow(t *testing.T, pods corev1client.PodInterface, w *Watch, namespace string, start func(context.Context) error) {
	owner := types.NamespacedName{Namespace: namespace, Name: "pi"}
	var want []Executor
	for _, name := range []string{"pi-1", "pi-2", "pi-3", "pi-4", "pi-5"} {
		create(t, pods, name, v1beta2.SparkRoleExecutor)
		want = append(want, Executor{Name: name, State: v1beta2.ExecutorStatePending})
	}
	create(t, pods, "pi-driver", v1beta2.SparkRoleDriver)
	made := createQueued(t, pods, "pi-7")
	waits := Executor{
		Name: "pi-7", State: v1beta2.ExecutorStatePending, Gated: true, Created: made.CreationTimestamp.Unix(),
		Queued: &Queued{Profile: "0", Size: amounts("2", "4Gi")},
	}
	want = append(want, waits)

	told := make(chan types.NamespacedName, 100)
	w.Notify(func(owner types.NamespacedName) { told <- owner })
	apiserver.Operate(t, start)
	if err := w.WaitForSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, w.Of(owner)); diff != "" {
		t.Errorf("executors that were there\n-want +got:\n%s", diff)
	}

	create(t, pods, "pi-6", v1beta2.SparkRoleExecutor)
	run(t, pods, "pi-1")
	lift(t, pods, "pi-7")
	if err := pods.Delete(t.Context(), "pi-2", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	waits.Gated, waits.Queued = false, &Queued{Profile: "0", Size: amounts("2", "4Gi"), NodeSelector: map[string]string{"pool": "spot"}}
	want = slices.Concat(want[:1], want[2:5], []Executor{{Name: "pi-6", State: v1beta2.ExecutorStatePending}, waits})
	want[0].State = v1beta2.ExecutorStateRunning
	var diff string
	apiserver.Eventually(t, "executors that came, changed and went are known", func(context.Context) (bool, error) {
		diff = cmp.Diff(want, w.Of(owner))
		return diff == "", nil
	}, func() string { return "-want +got:\n" + diff })
	for range 4 {
		if got := <-told; got != owner {
			t.Errorf("%s was told of, want %s", got, owner)
		}
	}
}

func create(t *testing.T, pods corev1client.PodInterface, name, role string) {
	t.Helper()
	_, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			v1beta2.LabelAppName: "pi", v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: role,
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "none", Image: "none"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// createQueued makes an executor as Spark does in a queue: with the queue's gate. Of its sidecar nothing but a limit is said.
func createQueued(t *testing.T, pods corev1client.PodInterface, name string) *corev1.Pod {
	t.Helper()
	pod, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			v1beta2.LabelAppName: "pi", v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor,
			v1beta2.LabelSparkProfileID: "0", brazierv1alpha1.LabelQueue: "etl",
		}},
		Spec: corev1.PodSpec{
			SchedulingGates: []corev1.PodSchedulingGate{{Name: brazierv1alpha1.SchedulingGate}},
			Containers: []corev1.Container{
				{Name: "none", Image: "none", Resources: corev1.ResourceRequirements{Requests: amounts("1500m", "3Gi")}},
				{Name: "sidecar", Image: "none", Resources: corev1.ResourceRequirements{Limits: amounts("500m", "1Gi")}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// lift takes the gate off a pod and binds it to nodes of a flavour.
func lift(t *testing.T, pods corev1client.PodInterface, name string) {
	t.Helper()
	patch := []byte(`[
		{"op": "test", "path": "/spec/schedulingGates/0/name", "value": "` + brazierv1alpha1.SchedulingGate + `"},
		{"op": "remove", "path": "/spec/schedulingGates/0"},
		{"op": "add", "path": "/spec/nodeSelector", "value": {"pool": "spot"}}
	]`)
	if _, err := pods.Patch(t.Context(), name, types.JSONPatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, pods corev1client.PodInterface, name string) {
	t.Helper()
	patch := []byte(`{"status":{"phase":"Running"}}`)
	if _, err := pods.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
}
