package application_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/localcluster/controlplane" //nolint:depguard // these tests need a real API server, whoever's
	"brazier.sh/brazier/internal/spark"
)

// patience is how long a test waits for what has to happen. Nothing is measured by it: it only ends a test that hangs.
const patience = time.Minute

// playedNode is the node that the played kubelets are of.
const playedNode = "played"

// plane is the API server that the tests of this package share; nil with -short. kubeconfig is the file to reach it by.
var (
	plane      *rest.Config
	kubeconfig string
)

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	if os.Getenv(envNamespace) != "" {
		os.Exit(operateHere())
	}
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
	plane, kubeconfig = started.Config(), started.Kubeconfig()
	plane.QPS = -1
	if _, err := envtest.InstallCRDs(plane, envtest.CRDInstallOptions{Paths: []string{"../../../api/crds"}, MaxTime: patience}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := addNode(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

// addNode makes the node that pods are bound to: pods of a node that does not exist are collected as garbage.
func addNode() error {
	c, err := client.New(plane, client.Options{})
	if err != nil {
		return err
	}
	return c.Create(context.Background(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: playedNode}})
}

// world is a namespace of the API server with an operator and a kubelet of its own.
type world struct {
	t         *testing.T
	namespace string
	client    client.Client
	kubelet   *kubelet
	// logger is where operators log.
	logger logr.Logger
	// metrics are the latest operator's.
	metrics *prometheus.Registry
}

// newWorld makes a namespace in which drivers do as play says, with no operator yet.
func newWorld(t *testing.T, play play) *world {
	t.Helper()
	if plane == nil {
		t.Skip("this test needs an API server")
	}
	t.Parallel()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(plane, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, client: c, logger: logr.Discard()}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "life-"}}
	w.create(namespace)
	w.namespace = namespace.Name
	w.create(&corev1.ServiceAccount{ObjectMeta: w.meta(spark.DefaultServiceAccount)})
	w.kubelet = startKubelet(t, w.namespace, play)
	return w
}

// operate runs an operator until the returned function is called, or the test ends. Its writes go through wrap.
func (w *world) operate(wrap func(client.Client) client.Client) (stop func()) {
	w.t.Helper()
	w.metrics = prometheus.NewRegistry()
	mgr, err := newManager(plane, w.namespace, wrap, w.metrics, w.logger)
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

// newManager returns a manager with the controller of one namespace in it, whose writes go through wrap.
func newManager(
	config *rest.Config, namespace string, wrap func(client.Client) client.Client, metrics prometheus.Registerer, logger logr.Logger,
) (ctrl.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Logger:  logger,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache: cache.Options{
			ByObject:          application.CacheOptions(),
			DefaultNamespaces: map[string]cache.Config{namespace: {}},
		},
		Client: client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: new(true)}},
		NewClient: func(config *rest.Config, options client.Options) (client.Client, error) {
			c, err := client.New(config, options)
			return wrap(c), err
		},
		Controller: controllerconfig.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return nil, err
	}
	uncached, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	return mgr, application.Add(mgr, wrap(uncached), application.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: []string{namespace}, Workers: 2, Metrics: metrics,
	})
}

// reliably is the wrapper of an operator that nothing befalls.
func reliably(c client.Client) client.Client { return c }

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

// submit creates an application after it was changed by the options.
func (w *world) submit(name string, options ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	w.t.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: w.meta(name),
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	for _, option := range options {
		option(app)
	}
	w.create(app)
	return app
}

func (w *world) create(object client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

// change patches the application's specification, as a user does.
func (w *world) change(app *v1beta2.SparkApplication, how func(*v1beta2.SparkApplication)) {
	w.t.Helper()
	before := app.DeepCopy()
	how(app)
	if err := w.client.Patch(w.t.Context(), app, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// await waits until the application is as it should be, and returns it as it is then.
func (w *world) await(app *v1beta2.SparkApplication, what string, is func(*v1beta2.SparkApplication) bool) *v1beta2.SparkApplication {
	w.t.Helper()
	got := new(v1beta2.SparkApplication)
	w.eventually(func(ctx context.Context) (bool, error) {
		err := w.client.Get(ctx, client.ObjectKeyFromObject(app), got)
		return err == nil && is(got), err
	}, func() string { return fmt.Sprintf("application is not %s; its status: %+v", what, got.Status) })
	return got
}

// awaitState waits until the application is in the state.
func (w *world) awaitState(app *v1beta2.SparkApplication, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	w.t.Helper()
	return w.await(app, string(state), func(app *v1beta2.SparkApplication) bool { return app.Status.AppState.State == state })
}

func (w *world) eventually(is wait.ConditionWithContextFunc, otherwise func() string) {
	w.t.Helper()
	if err := wait.PollUntilContextTimeout(w.t.Context(), 10*time.Millisecond, patience, true, is); err != nil {
		w.t.Fatalf("%v: %s", err, otherwise())
	}
}

// left returns what is in the namespace of an application: kind and name of each object.
func (w *world) left(ctx context.Context, app *v1beta2.SparkApplication) ([]string, error) {
	var found []string
	for _, list := range []client.ObjectList{
		&corev1.PodList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &corev1.PersistentVolumeClaimList{},
	} {
		err := w.client.List(ctx, list, client.InNamespace(w.namespace))
		if err != nil {
			return nil, err
		}
		items, err := metaItems(list)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			// What Spark makes for itself has its own label only. No test has two applications and looks at what is left.
			of, named := item.GetLabels()[v1beta2.LabelAppName]
			if _, sparks := item.GetLabels()[v1beta2.LabelSparkAppSelector]; of == app.Name || sparks && !named {
				found = append(found, fmt.Sprintf("%T %s", item, item.GetName()))
			}
		}
	}
	return found, nil
}

// awaitLeft waits until no more is left of the application than want.
func (w *world) awaitLeft(app *v1beta2.SparkApplication, want ...string) {
	w.t.Helper()
	var got []string
	w.eventually(func(ctx context.Context) (_ bool, err error) {
		got, err = w.left(ctx, app)
		return fmt.Sprint(got) == fmt.Sprint(want), err
	}, func() string { return fmt.Sprintf("left of %s are %v, want %v", app.Name, got, want) })
}

func metaItems(list client.ObjectList) ([]client.Object, error) {
	var objects []client.Object
	switch list := list.(type) {
	case *corev1.PodList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	case *corev1.ServiceList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	case *corev1.ConfigMapList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	case *corev1.PersistentVolumeClaimList:
		for i := range list.Items {
			objects = append(objects, &list.Items[i])
		}
	default:
		return nil, fmt.Errorf("%T is not known here", list)
	}
	return objects, nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1beta2.AddToScheme(scheme))
}
