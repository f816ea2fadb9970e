package connect_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/connect"
	"brazier.sh/brazier/internal/localcluster/controlplane" //nolint:depguard // these tests need a real API server, whoever's
	"brazier.sh/brazier/internal/spark"
)

// patience is how long a test waits for what has to happen. Nothing is measured by it: it only ends a test that hangs.
const patience = time.Minute

// plane is the API server of these tests; nil with -short.
var plane *rest.Config

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	os.Exit(withControlPlane(m.Run))
}

func withControlPlane(run func() int) int {
	if testing.Short() {
		return run()
	}
	started, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer started.Stop()
	plane = started.Config()
	plane.QPS = -1
	if _, err := envtest.InstallCRDs(plane, envtest.CRDInstallOptions{Paths: []string{"../../../api/crds"}, MaxTime: patience}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// world is a namespace with a controller and a kubelet of its own.
type world struct {
	t         *testing.T
	namespace string
	client    client.Client
	kubelet   *kubelet
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if plane == nil {
		t.Skip("this test needs an API server")
	}
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "connect-"}}
	if err := c.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.Name, Name: spark.DefaultServiceAccount}}
	if err := c.Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	return &world{t: t, namespace: namespace.Name, client: c, kubelet: startKubelet(t, namespace.Name)}
}

func reliably(c client.Client) client.Client { return c }

// operate runs the controller, with clients that wrap has changed, until the returned function is called or the test ends.
func (w *world) operate(wrap func(client.Client) client.Client) (stop func()) {
	w.t.Helper()
	namespaces := map[string]cache.Config{w.namespace: {}}
	mgr, err := ctrl.NewManager(plane, ctrl.Options{
		Scheme: w.client.Scheme(), Logger: logr.Discard(), Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:      cache.Options{DefaultNamespaces: namespaces},
		Controller: controllerconfig.Controller{SkipNameValidation: new(true)},
		NewClient: func(config *rest.Config, options client.Options) (client.Client, error) {
			c, err := client.New(config, options)
			return wrap(c), err
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	err = connect.Add(mgr, wrap(w.client), connect.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: namespaces, Workers: 2,
		Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := mgr.Start(ctx); err != nil {
			w.t.Errorf("operator: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(stop)
	return stop
}

func (w *world) create(change func(*v1alpha1.SparkConnect)) *v1alpha1.SparkConnect {
	w.t.Helper()
	c := &v1alpha1.SparkConnect{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "notebooks"}}
	c.Spec.SparkVersion = "4.3.0"
	if change != nil {
		change(c)
	}
	if err := w.client.Create(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) edit(c *v1alpha1.SparkConnect, change func(*v1alpha1.SparkConnect)) {
	w.t.Helper()
	before := c.DeepCopy()
	change(c)
	if err := w.client.Patch(w.t.Context(), c, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// await waits until status is as wanted, which holds tells.
func (w *world) await(c *v1alpha1.SparkConnect, what string, holds func(v1alpha1.SparkConnectStatus) bool) {
	w.t.Helper()
	w.eventually(what, func(ctx context.Context) (bool, error) {
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
			return false, err
		}
		return holds(c.Status), nil
	}, func() string { return fmt.Sprintf("%+v", c.Status) })
}

func (w *world) eventually(what string, is wait.ConditionWithContextFunc, said func() string) {
	w.t.Helper()
	if err := wait.PollUntilContextTimeout(w.t.Context(), 50*time.Millisecond, patience, true, is); err != nil {
		w.t.Fatalf("%s: %v\n%s", what, err, said())
	}
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

func (w *world) get(object client.Object, name string) {
	w.t.Helper()
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, object); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) server() *corev1.Pod {
	w.t.Helper()
	pod := new(corev1.Pod)
	w.get(pod, "notebooks-server")
	return pod
}

// addExecutors plays the server: it makes executors, as Spark's properties say, that belong to its pod.
func (w *world) addExecutors(number int) {
	w.t.Helper()
	server := w.server()
	for i := range number {
		executor := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				GenerateName: "exec-", Namespace: w.namespace,
				Labels: map[string]string{
					v1alpha1.LabelConnectName: server.Labels[v1alpha1.LabelConnectName], v1beta2.LabelRun: server.Labels[v1beta2.LabelRun],
					v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor, v1beta2.LabelSparkExecutorID: fmt.Sprint(i + 1),
				},
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(server, corev1.SchemeGroupVersion.WithKind("Pod"))},
			},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
		}
		if err := w.client.Create(w.t.Context(), executor); err != nil {
			w.t.Fatal(err)
		}
	}
}

// left returns the names of what there is in the namespace that was made for servers.
func (w *world) left(ctx context.Context) ([]string, error) {
	var names []string
	for _, list := range []client.ObjectList{&corev1.PodList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}} {
		if err := w.client.List(ctx, list, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelConnectName}); err != nil {
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
	w.operate(reliably)
	c := w.create(func(c *v1alpha1.SparkConnect) { c.Spec.Executor.Instances = new(int32(0)) })
	w.await(c, "the server is ready", readyInRun(1))
	if got := c.Status.Server; got.PodName != "notebooks-server" || got.ServiceName != "notebooks-server" || got.PodIP == "" {
		t.Errorf("clients do not find the server: %+v", got)
	}
	if c.Status.StartTime.IsZero() || c.Status.LastUpdateTime.IsZero() || c.Status.ObservedGeneration != c.Generation {
		t.Errorf("status does not say when it is of: %+v", c.Status)
	}
	w.get(new(corev1.ConfigMap), "notebooks-conf")
	service := new(corev1.Service)
	w.get(service, "notebooks-server")

	w.addExecutors(3)
	w.await(c, "executors are counted", func(s v1alpha1.SparkConnectStatus) bool { return s.Executors["running"] == 3 })
	w.kubelet.end(1)
	w.await(c, "the server comes back", readyInRun(2))
	w.await(c, "its executors are gone", func(s v1alpha1.SparkConnectStatus) bool { return len(s.Executors) == 0 })
	if c.Status.Restarts != 1 {
		t.Errorf("want one restart, got %d", c.Status.Restarts)
	}
	stays := new(corev1.Service)
	if w.get(stays, "notebooks-server"); stays.UID != service.UID || stays.Spec.ClusterIP != service.Spec.ClusterIP {
		t.Error("clients have lost the address of their server")
	}

	if err := w.client.Delete(t.Context(), w.server()); err != nil {
		t.Fatal(err)
	}
	w.await(c, "the server comes back after its pod was deleted", readyInRun(3))
	if c.Status.Restarts != 1 {
		t.Errorf("a pod that somebody deleted has not died by itself; got %d restarts", c.Status.Restarts)
	}
	w.addExecutors(1)
	if err := w.client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var left []string
	w.eventually("nothing is left", func(ctx context.Context) (_ bool, err error) {
		left, err = w.left(ctx)
		return len(left) == 0, err
	}, func() string { return strings.Join(left, " ") })
}

// TestEdits makes a server anew only for what it is made from.
func TestEdits(t *testing.T) {
	w := newWorld(t)
	w.operate(reliably)
	c := w.create(nil)
	w.await(c, "the server is ready", ready)
	first := w.server()

	w.edit(c, func(c *v1alpha1.SparkConnect) {
		c.Spec.Server.Service = &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort}}
	})
	w.eventually("the Service is of the other type", func(ctx context.Context) (bool, error) {
		service := new(corev1.Service)
		err := w.client.Get(ctx, types.NamespacedName{Namespace: w.namespace, Name: "notebooks-server"}, service)
		return service.Spec.Type == corev1.ServiceTypeNodePort, err
	}, func() string { return "" })

	w.edit(c, func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = map[string]string{"spark.driver.host": "elsewhere"} })
	w.await(c, "the edit is refused", refusedBecause(v1alpha1.ConditionValid, "spec.sparkConf[spark.driver.host]"))
	if !ready(c.Status) || w.server().UID != first.UID {
		t.Errorf("neither edit is a reason to end the server: %+v", c.Status)
	}

	w.edit(c, func(c *v1alpha1.SparkConnect) {
		c.Spec.SparkConf, c.Spec.Server.Memory = nil, new("2g")
		c.Spec.Server.Service.Name = "reports"
	})
	w.await(c, "the server is made anew", readyInRun(2))
	conf := new(corev1.ConfigMap)
	w.get(conf, "notebooks-conf")
	for _, want := range []string{"spark.driver.memory=2g", "spark.driver.host=reports."} {
		if !strings.Contains(conf.Data["spark.properties"], want) {
			t.Errorf("the new server does not read %s:\n%s", want, conf.Data["spark.properties"])
		}
	}
	if !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionValid) || c.Status.Restarts != 0 || c.Status.Server.ServiceName != "reports" {
		t.Errorf("status does not tell of the edit: %+v", c.Status)
	}
	if err := w.client.Get(t.Context(), types.NamespacedName{Namespace: w.namespace, Name: "notebooks-server"}, new(corev1.Service)); !apierrors.IsNotFound(err) {
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
		w.operate(reliably)
		c := w.create(func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = map[string]string{"spark.driver.host": "here"} })
		w.await(c, "it is refused", failed("spec.sparkConf[spark.driver.host]"))
		if left, err := w.left(t.Context()); len(left) > 0 || err != nil {
			t.Errorf("want nothing made, got %v, %v", left, err)
		}
		w.edit(c, func(c *v1alpha1.SparkConnect) { c.Spec.SparkConf = nil })
		w.await(c, "it is ready", ready)
	})
	t.Run("ByTheServer", func(t *testing.T) {
		w := newWorld(t)
		w.operate(reliably)
		c := w.create(func(c *v1alpha1.SparkConnect) {
			c.Spec.Server.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{DNSPolicy: "Perhaps"}}
		})
		w.await(c, "it is refused", failed("Perhaps"))
		w.edit(c, func(c *v1alpha1.SparkConnect) { c.Spec.Server.Template = nil })
		w.await(c, "it is ready", ready)
	})
	t.Run("NameTaken", func(t *testing.T) {
		w := newWorld(t)
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "notebooks-server"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "theirs", Image: "theirs"}}},
		}
		if err := w.client.Create(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
		w.operate(reliably)
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
	w.operate(reliably)
	c := w.create(nil)
	w.await(c, "the server is ready", ready)
	service := new(corev1.Service)
	w.get(service, "notebooks-server")
	if err := w.client.Delete(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	w.eventually("the Service is back", func(ctx context.Context) (bool, error) {
		err := w.client.Get(ctx, client.ObjectKeyFromObject(service), new(corev1.Service))
		return err == nil, client.IgnoreNotFound(err)
	}, func() string { return "" })
}
