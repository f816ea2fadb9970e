package application_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// playedNode is the node that the played kubelets are of.
const playedNode = "played"

// server is the API server that the tests of this package share; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	if os.Getenv(envNamespace) != "" {
		os.Exit(operateHere())
	}
	os.Exit(apiserver.Run(m, func(s *apiserver.Server) error {
		server = s
		return addNode(s)
	}))
}

// addNode makes the node that pods are bound to: pods of a node that does not exist are collected as garbage.
func addNode(s *apiserver.Server) error {
	c, err := client.New(s.Config(), client.Options{})
	if err != nil {
		return err
	}
	return c.Create(context.Background(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: playedNode}})
}

// world is a namespace of the API server with an operator and a kubelet of its own.
type world struct {
	*apiserver.World
	kubelet *kubelet
	// logger is where operators log.
	logger logr.Logger
	// metrics are the latest operator's.
	metrics *prometheus.Registry
}

// newWorld makes a namespace in which drivers do as play says, with no operator yet.
func newWorld(t *testing.T, play play) *world {
	t.Helper()
	t.Parallel()
	w := &world{World: server.World(t, "life-", nil), logger: logr.Discard()}
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(spark.DefaultServiceAccount)})
	w.kubelet = startKubelet(w.World, play)
	return w
}

// operate runs an operator until the returned function is called, or the test ends. Its writes go through wrap.
func (w *world) operate(wrap apiserver.Wrap) (stop func()) {
	w.T.Helper()
	w.metrics = prometheus.NewRegistry()
	mgr, err := newManager(w.Server.Config(), w.Namespace, wrap, w.metrics, w.logger)
	if err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start)
}

// newManager returns a manager with the controller of one namespace in it, whose writes go through wrap.
func newManager(
	config *rest.Config, namespace string, wrap apiserver.Wrap, metrics prometheus.Registerer, logger logr.Logger,
) (ctrl.Manager, error) {
	mgr, err := apiserver.NewManager(config, namespace, wrap, func(options *ctrl.Options) {
		options.Logger, options.Cache.ByObject = logger, application.CacheOptions()
	})
	if err != nil {
		return nil, err
	}
	uncached, err := client.NewWithWatch(config, client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return nil, err
	}
	return mgr, application.Add(mgr, wrap(uncached), application.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: []string{namespace}, Workers: 2, Metrics: metrics,
		Admissions: &gatekeeper{applied: make(map[types.UID]bool), asked: make(map[types.UID]bool)},
	})
}

// submit creates an application after it was changed by the options.
func (w *world) submit(name string, options ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	w.T.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: w.Meta(name),
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	for _, option := range options {
		option(app)
	}
	w.Create(app)
	return app
}

// await waits until the application is as it should be, and returns it as it is then.
func (w *world) await(app *v1beta2.SparkApplication, what string, is func(*v1beta2.SparkApplication) bool) *v1beta2.SparkApplication {
	w.T.Helper()
	got := new(v1beta2.SparkApplication)
	w.Eventually(app.Name+" is "+what, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), got)
		return err == nil && is(got), err
	}, func() string { return fmt.Sprintf("its status: %+v", got.Status) })
	return got
}

// awaitState waits until the application is in the state.
func (w *world) awaitState(app *v1beta2.SparkApplication, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	w.T.Helper()
	return w.await(app, string(state), func(app *v1beta2.SparkApplication) bool { return app.Status.AppState.State == state })
}

// left returns what is in the namespace of an application: kind and name of each object.
func (w *world) left(ctx context.Context, app *v1beta2.SparkApplication) ([]string, error) {
	var found []string
	for _, list := range []client.ObjectList{
		&corev1.PodList{}, &corev1.ServiceList{}, &corev1.ConfigMapList{}, &corev1.PersistentVolumeClaimList{},
	} {
		err := w.Client.List(ctx, list, client.InNamespace(w.Namespace))
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
	w.T.Helper()
	var got []string
	w.Eventually("nothing else is left of "+app.Name, func(ctx context.Context) (_ bool, err error) {
		got, err = w.left(ctx, app)
		return fmt.Sprint(got) == fmt.Sprint(want), err
	}, func() string { return fmt.Sprintf("left are %v, want %v", got, want) })
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
