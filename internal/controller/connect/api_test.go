package connect_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/connect"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// server is the API server of these tests; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return nil
	}))
}

// world is a namespace with a controller and a kubelet of its own.
type world struct {
	*apiserver.World
	kubelet *kubelet
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := server.World(t, "connect-", nil)
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(spark.DefaultServiceAccount)})
	return &world{World: w, kubelet: startKubelet(w)}
}

// operate runs the controller, with clients that wrap has changed, until the returned function is called or the test ends.
func (w *world) operate(wrap apiserver.Wrap) (stop func()) {
	w.T.Helper()
	mgr, err := apiserver.NewManager(w.Server.Config(), w.Namespace, wrap, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	err = connect.Add(mgr, wrap(w.Client), connect.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: map[string]cache.Config{w.Namespace: {}}, Workers: 2,
		Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start)
}

func (w *world) create(change func(*v1alpha1.SparkConnect)) *v1alpha1.SparkConnect {
	w.T.Helper()
	c := &v1alpha1.SparkConnect{ObjectMeta: w.Meta("notebooks")}
	c.Spec.SparkVersion = "4.3.0"
	if change != nil {
		change(c)
	}
	w.Create(c)
	return c
}

// await waits until status is as wanted, which holds tells.
func (w *world) await(c *v1alpha1.SparkConnect, what string, holds func(v1alpha1.SparkConnectStatus) bool) {
	w.T.Helper()
	w.Eventually(what, func(ctx context.Context) (bool, error) {
		if err := w.Client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return false, err
		}
		return holds(c.Status), nil
	}, func() string { return fmt.Sprintf("%+v", c.Status) })
}

func ready(status v1alpha1.SparkConnectStatus) bool {
	return status.State == v1alpha1.SparkConnectStateReady && meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionServerPodReady)
}

func readyInRun(run int64) func(v1alpha1.SparkConnectStatus) bool {
	return func(status v1alpha1.SparkConnectStatus) bool { return ready(status) && status.Run == run }
}

func refusedBecause(kind string, words string) func(v1alpha1.SparkConnectStatus) bool {
	return func(status v1alpha1.SparkConnectStatus) bool {
		condition := meta.FindStatusCondition(status.Conditions, kind)
		return condition != nil && condition.Status == metav1.ConditionFalse && strings.Contains(condition.Message, words)
	}
}

func (w *world) server() *corev1.Pod {
	w.T.Helper()
	pod := new(corev1.Pod)
	w.Get(pod, "notebooks-server")
	return pod
}

// addExecutors plays the server: it makes executors, as Spark's properties say, that belong to its pod.
func (w *world) addExecutors(number int) {
	w.T.Helper()
	server := w.server()
	for i := range number {
		executor := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName: "exec-", Namespace: w.Namespace,
				Labels: map[string]string{
					v1alpha1.LabelConnectName: server.Labels[v1alpha1.LabelConnectName], v1beta2.LabelRun: server.Labels[v1beta2.LabelRun],
					v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor, v1beta2.LabelSparkExecutorID: fmt.Sprint(i + 1),
				},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(server, corev1.SchemeGroupVersion.WithKind("Pod"))},
			},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
		}
		if err := w.Client.Create(w.T.Context(), executor); err != nil {
			w.T.Fatal(err)
		}
	}
}

// left returns the names of what there is in the namespace that was made for servers.
func (w *world) left(ctx context.Context) ([]string, error) {
	var names []string
	for _, list := range []client.ObjectList{&corev1.PodList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}} {
		if err := w.Client.List(ctx, list, client.InNamespace(w.Namespace), client.HasLabels{v1alpha1.LabelConnectName}); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			names = append(names, item.(client.Object).GetName())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// TestWholeLife has a server come, die, come back, and go.
func TestWholeLife(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	c := w.create(func(c *v1alpha1.SparkConnect) { c.Spec.Executor.Instances = new(int32(0)) })
	w.await(c, "the server is ready", readyInRun(1))
	if got := c.Status.Server; got.PodName != "notebooks-server" || got.ServiceName != "notebooks-server" || got.PodIP == "" {
		t.Errorf("clients do not find the server: %+v", got)
	}
	if c.Status.StartTime.IsZero() || c.Status.LastUpdateTime.IsZero() || c.Status.ObservedGeneration != c.Generation {
		t.Errorf("status does not say when it is of: %+v", c.Status)
	}
	w.Get(new(corev1.ConfigMap), "notebooks-conf")
	service := new(corev1.Service)
	w.Get(service, "notebooks-server")

	w.addExecutors(3)
	w.await(c, "executors are counted", func(s v1alpha1.SparkConnectStatus) bool { return s.Executors["running"] == 3 })
	w.kubelet.end(1)
	w.await(c, "the server comes back", readyInRun(2))
	w.await(c, "its executors are gone", func(s v1alpha1.SparkConnectStatus) bool { return len(s.Executors) == 0 })
	if c.Status.Restarts != 1 {
		t.Errorf("want one restart, got %d", c.Status.Restarts)
	}
	stays := new(corev1.Service)
	if w.Get(stays, "notebooks-server"); stays.UID != service.UID || stays.Spec.ClusterIP != service.Spec.ClusterIP {
		t.Error("clients have lost the address of their server")
	}

	if err := w.Client.Delete(t.Context(), w.server()); err != nil {
		t.Fatal(err)
	}
	w.await(c, "the server comes back after its pod was deleted", readyInRun(3))
	if c.Status.Restarts != 1 {
		t.Errorf("a pod that somebody deleted has not died by itself; got %d restarts", c.Status.Restarts)
	}
	w.addExecutors(1)
	if err := w.Client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var left []string
	w.Eventually("nothing is left", func(ctx context.Context) (_ bool, err error) {
		left, err = w.left(ctx)
		return len(left) == 0, err
	}, func() string { return strings.Join(left, " ") })
}

// TestEdits makes a server anew only for what it is made from.
func TestEdits(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	c := w.create(nil)
	w.await(c, "the server is ready", ready)
	first := w.server()

	apiserver.Edit(w.World, c, func(c *v1alpha1.SparkConnect) {
		c.Spec.Server.Service = &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}}
	})
	w.Eventually("the Service is of the other type", func(ctx context.Context) (bool, error) {
		service := new(corev1.Service)
		err := w.Client.Get(ctx, types.NamespacedName{Namespace: w.Namespace, Name: "notebooks-server"}, service)
		return service.Spec.Type == corev1.ServiceTypeNodePort, err
	}, func() string { return "" })

	apiserver.Edit(w.World, c, func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = map[string]string{"spark.driver.host": "elsewhere"} })
	w.await(c, "the edit is refused", refusedBecause(v1alpha1.ConditionValid, "spec.sparkConf[spark.driver.host]"))
	if !ready(c.Status) || w.server().UID != first.UID {
		t.Errorf("neither edit is a reason to end the server: %+v", c.Status)
	}

	apiserver.Edit(w.World, c, func(c *v1alpha1.SparkConnect) {
		c.Spec.SparkConf, c.Spec.Server.Memory = nil, new("2g")
		c.Spec.Server.Service.Name = "reports"
	})
	w.await(c, "the server is made anew", readyInRun(2))
	conf := new(corev1.ConfigMap)
	w.Get(conf, "notebooks-conf")
	for _, want := range []string{"spark.driver.memory=2g", "spark.driver.host=reports."} {
		if !strings.Contains(conf.Data["spark.properties"], want) {
			t.Errorf("the new server does not read %s:\n%s", want, conf.Data["spark.properties"])
		}
	}
	if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionValid) || c.Status.Restarts != 0 || c.Status.Server.ServiceName != "reports" {
		t.Errorf("status does not tell of the edit: %+v", c.Status)
	}
	if err := w.Client.Get(t.Context(), types.NamespacedName{Namespace: w.Namespace, Name: "notebooks-server"}, new(corev1.Service)); !apierrors.IsNotFound(err) {
		t.Errorf("the Service of the earlier name is left: %v", err)
	}
}

// TestRefused says what is wrong, and works once that is mended.
func TestRefused(t *testing.T) {
	failed := func(words string) func(v1alpha1.SparkConnectStatus) bool {
		return func(s v1alpha1.SparkConnectStatus) bool {
			return s.State == v1alpha1.SparkConnectStateFailed && refusedBecause(v1alpha1.ConditionServerPodReady, words)(s)
		}
	}
	t.Run("ByUs", func(t *testing.T) {
		w := newWorld(t)
		w.operate(apiserver.Reliably)
		c := w.create(func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = map[string]string{"spark.driver.host": "here"} })
		w.await(c, "it is refused", failed("spec.sparkConf[spark.driver.host]"))
		if left, err := w.left(t.Context()); len(left) > 0 || err != nil {
			t.Errorf("want nothing made, got %v, %v", left, err)
		}
		apiserver.Edit(w.World, c, func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = nil })
		w.await(c, "it is ready", ready)
	})
	t.Run("ByTheServer", func(t *testing.T) {
		w := newWorld(t)
		w.operate(apiserver.Reliably)
		c := w.create(func(c *v1alpha1.SparkConnect) {
			c.Spec.Server.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{DNSPolicy: "Perhaps"}}
		})
		w.await(c, "it is refused", failed("Perhaps"))
		apiserver.Edit(w.World, c, func(c *v1alpha1.SparkConnect) { c.Spec.Server.Template = nil })
		w.await(c, "it is ready", ready)
	})
	t.Run("NameTaken", func(t *testing.T) {
		w := newWorld(t)
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: "notebooks-server"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "theirs", Image: "theirs"}}},
		}
		if err := w.Client.Create(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
		w.operate(apiserver.Reliably)
		c := w.create(nil)
		w.await(c, "it is told", refusedBecause(v1alpha1.ConditionServerPodReady, "notebooks-server: exists already and does not belong to this SparkConnect"))
		if w.server().UID != pod.UID {
			t.Error("somebody else's pod was replaced")
		}
	})
}

// TestServiceComesBack keeps the address that clients have.
func TestServiceComesBack(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	c := w.create(nil)
	w.await(c, "the server is ready", ready)
	service := new(corev1.Service)
	w.Get(service, "notebooks-server")
	if err := w.Client.Delete(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the Service is back", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(service), new(corev1.Service))
		return err == nil, client.IgnoreNotFound(err)
	}, func() string { return "" })
}
