// Package connect brings a client to a Spark Connect server: it waits until the server takes connections, and forwards a
// local port to it for as long as it is wanted, through the server's restarts. It reads the cluster and changes nothing.
package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
)

// Options say which server to connect to, and where to tell of it.
type Options struct {
	// Config is the cluster.
	Config *rest.Config
	// Namespace and Name are the SparkConnect's.
	Namespace, Name string
	// Streams get the address on Out and all else on Err.
	Streams terminal.Streams
}

// Client reaches one server.
type Client struct {
	Options
	connects rest.Interface
	cluster  kubernetes.Interface
}

// New returns a client of the server that options name.
func New(options Options) (*Client, error) {
	config := rest.CopyConfig(options.Config)
	config.WarningHandler = rest.NoWarnings{}
	connects, err := kube.Connects(config)
	if err != nil {
		return nil, err
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return &Client{Options: options, connects: connects, cluster: cluster}, nil
}

// server is one that takes connections.
type server struct {
	run     int64
	pod     string
	service string
	port    int32
}

// Address waits until the server takes connections and returns the address that it has within the cluster.
func (c *Client) Address(ctx context.Context) (string, error) {
	server, err := c.await(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("sc://%s.%s.svc:%d", server.service, c.Namespace, server.port), nil
}

// await waits until the server takes connections, and says what it waits for.
func (c *Client) await(ctx context.Context) (server, error) {
	connect := new(v1alpha1.SparkConnect)
	err := c.connects.Get().Namespace(c.Namespace).Resource(kube.ConnectsResource).Name(c.Name).Do(ctx).Into(connect)
	if apierrors.IsNotFound(err) {
		return server{}, c.noSuch(ctx)
	}
	if err != nil {
		return server{}, fmt.Errorf("read SparkConnect %s/%s: %w", c.Namespace, c.Name, err)
	}
	if !takesConnections(connect) {
		if connect, err = c.watch(ctx, connect); err != nil {
			return server{}, err
		}
	}
	return c.serverOf(ctx, connect)
}

// watch waits for connect to take connections.
func (c *Client) watch(ctx context.Context, connect *v1alpha1.SparkConnect) (*v1alpha1.SparkConnect, error) {
	said := waitsFor(connect)
	step := c.Streams.Step("waiting for SparkConnect %s: %s", c.Name, said)
	err := c.until(ctx, func(now *v1alpha1.SparkConnect) (bool, error) {
		connect = now
		switch {
		case now == nil:
			return false, fmt.Errorf("SparkConnect %s/%s was deleted", c.Namespace, c.Name)
		case takesConnections(now):
			return true, nil
		case hasFailed(now):
			return false, fmt.Errorf("SparkConnect %s/%s cannot run: %s", c.Namespace, c.Name, waitsFor(now))
		}
		if is := waitsFor(now); is != said {
			step.Done("")
			said, step = is, c.Streams.Step("waiting for SparkConnect %s: %s", c.Name, is)
		}
		return false, nil
	})
	switch {
	case ctx.Err() != nil:
		step.Fail(errors.New("interrupted"))
	case err != nil:
		step.Fail(err)
	default:
		step.Done("")
	}
	return connect, err
}

// until follows the SparkConnect until holds says so. It is nil when it is gone.
func (c *Client) until(ctx context.Context, holds func(*v1alpha1.SparkConnect) (bool, error)) error {
	// A connection that breaks off is taken up again, and nobody need be told.
	ctx = klog.NewContext(ctx, logr.Discard())
	source := cache.NewListWatchFromClient(c.connects, kube.ConnectsResource, c.Namespace, fields.OneTermEqualSelector("metadata.name", c.Name))
	gone := func(store cache.Store) (bool, error) {
		if len(store.List()) > 0 {
			return false, nil
		}
		return holds(nil)
	}
	_, err := watchtools.UntilWithSync(ctx, source, &v1alpha1.SparkConnect{}, gone, func(event watch.Event) (bool, error) {
		connect, ok := event.Object.(*v1alpha1.SparkConnect)
		if !ok {
			return false, fmt.Errorf("the API server sent a %T", event.Object)
		}
		if event.Type == watch.Deleted {
			connect = nil
		}
		return holds(connect)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// noSuch is the error for a name that no SparkConnect has, with those that there are.
func (c *Client) noSuch(ctx context.Context) error {
	var all v1alpha1.SparkConnectList
	err := c.connects.Get().Namespace(c.Namespace).Resource(kube.ConnectsResource).Do(ctx).Into(&all)
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster at %s does not know SparkConnects; \"brazier install\" puts Brazier on it: %w", c.Config.Host, err)
	case err != nil:
		return fmt.Errorf("there is no SparkConnect %q in namespace %s, and those that there are cannot be listed: %w", c.Name, c.Namespace, err)
	case len(all.Items) == 0:
		return fmt.Errorf("there is no SparkConnect %q in namespace %s, nor any other; --namespace looks elsewhere", c.Name, c.Namespace)
	}
	var names []string
	for _, connect := range all.Items {
		names = append(names, connect.Name)
	}
	return fmt.Errorf("there is no SparkConnect %q in namespace %s; there are %s", c.Name, c.Namespace, strings.Join(names, ", "))
}

// serverOf asks the server's Service for the port that clients connect to: properties, and those of the platform, say it.
func (c *Client) serverOf(ctx context.Context, connect *v1alpha1.SparkConnect) (server, error) {
	is := connect.Status.Server
	service, err := c.cluster.CoreV1().Services(c.Namespace).Get(ctx, is.ServiceName, metav1.GetOptions{})
	if err != nil {
		return server{}, fmt.Errorf("read the server's Service %s/%s: %w", c.Namespace, is.ServiceName, err)
	}
	for _, port := range service.Spec.Ports {
		if port.Name == portName {
			return server{run: connect.Status.Run, pod: is.PodName, service: is.ServiceName, port: port.Port}, nil
		}
	}
	return server{}, fmt.Errorf("the Service %s/%s has no port %s; is the operator older than this command?", c.Namespace, is.ServiceName, portName)
}

// portName is the name of the port that clients connect to, in Spark and in the server's Service.
const portName = "spark-connect"

func takesConnections(connect *v1alpha1.SparkConnect) bool {
	return connect.Status.State == v1alpha1.SparkConnectStateReady && connect.DeletionTimestamp.IsZero()
}

// hasFailed reports whether the specification, as it is now, cannot be followed.
func hasFailed(connect *v1alpha1.SparkConnect) bool {
	return connect.Status.State == v1alpha1.SparkConnectStateFailed && connect.Status.ObservedGeneration == connect.Generation
}

// waitsFor says in the operator's words what there is to wait for.
func waitsFor(connect *v1alpha1.SparkConnect) string {
	condition := meta.FindStatusCondition(connect.Status.Conditions, v1alpha1.ConditionServerPodReady)
	switch {
	case !connect.DeletionTimestamp.IsZero():
		return "it is being deleted"
	case condition == nil:
		return "the operator has not seen it yet"
	}
	return condition.Message
}
