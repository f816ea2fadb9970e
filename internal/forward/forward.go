// Package forward forwards a port of this machine to a pod's, for as long as it is wanted, through the pod's restarts. It
// goes through the API server, so that nobody needs a way into the pod network. Which pod that is, and what is said of it,
// is for others to decide: internal/connect for servers, internal/ui for web interfaces.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// Local is the address that is forwarded from: nobody but this machine's users is let in.
const Local = "127.0.0.1"

// After a connection to the pod has failed it is tried again this soon, then less and less often.
const (
	minPause = 200 * time.Millisecond
	maxPause = 4 * time.Second
	// firstTries is how often it is tried where it never worked: whoever may not forward ports will not be let to.
	firstTries = 4
)

// Target is what is forwarded to.
type Target struct {
	// Pod is the pod's name, Port its port.
	Pod  string
	Port int32
	// Replaced returns nil once the pod is not what is wanted any more, or an error where that cannot be told.
	Replaced func(context.Context) error
}

// Forwarder forwards a port.
type Forwarder struct {
	// Config is the cluster, and Cluster a client of it.
	Config  *rest.Config
	Cluster kubernetes.Interface
	// Namespace is the pods'.
	Namespace string
	// Err gets what is to be said about the connection.
	Err io.Writer
	// Await waits until there is something to forward to. Its error ends forwarding.
	Await func(context.Context) (Target, error)
	// Begun is told the port when the first connection stands.
	Begun func(port int)
	// Noun is what is forwarded to, for messages: server, or driver.
	Noun string
	// Again is said when a later connection stands, and Gone when the pod is not what is wanted any more.
	Again, Gone string
}

// Run forwards port, or a free one where that is 0, until ctx ends or Await fails. Whatever takes the pod's place, the
// port stays.
func (f Forwarder) Run(ctx context.Context, port int) error {
	pause, begun := minPause, false
	for try := 1; ; try++ {
		target, err := f.Await(ctx)
		if err != nil {
			return err
		}
		if !begun {
			if port, err = freePort(port); err != nil {
				return err
			}
		}
		err = f.forward(ctx, target, port, func() {
			if pause = minPause; !begun {
				f.Begun(port)
			} else {
				fmt.Fprintln(f.Err, "✓ "+f.Again)
			}
			begun = true
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errReplaced):
			fmt.Fprintln(f.Err, "• "+f.Gone)
			continue
		case err != nil && !begun && try >= firstTries:
			return fmt.Errorf("forward a port to pod %s/%s: %w", f.Namespace, target.Pod, err)
		case err != nil && begun:
			fmt.Fprintf(f.Err, "• the connection to the %s is lost: %v; trying again\n", f.Noun, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// errReplaced says that a pod is not what is wanted any more.
var errReplaced = errors.New("the pod is not what is wanted any more")

// forward forwards port to target until ctx ends, the connection breaks off, or another pod takes its place. It calls
// begun when it listens.
func (f Forwarder) forward(ctx context.Context, target Target, port int, begun func()) error {
	// What the library would log of single connections that fail their clients see.
	ctx, stop := context.WithCancelCause(klog.NewContext(ctx, logr.Discard()))
	defer stop(nil)
	dialer, err := f.dialer(target.Pod)
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	ports := []string{fmt.Sprintf("%d:%d", port, target.Port)}
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{Local}, ports, ready, io.Discard, io.Discard)
	if err != nil {
		return fmt.Errorf("forward port %d: %w", port, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case err := <-ended:
		return err
	case <-ready:
		begun()
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		err := target.Replaced(ctx)
		if err == nil {
			err = errReplaced
		}
		stop(err)
	}()
	err = <-ended
	stop(nil)
	<-watched
	if cause := context.Cause(ctx); errors.Is(cause, errReplaced) {
		return cause
	}
	return err
}

// dialer reaches a pod's ports through the API server, by WebSocket where that knows how, as kubectl does.
func (f Forwarder) dialer(pod string) (httpstream.Dialer, error) {
	address := f.Cluster.CoreV1().RESTClient().Post().Namespace(f.Namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(f.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare to forward a port: %w", err)
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, f.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare to forward a port: %w", err)
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// freePort returns port if it can be listened on, and one that can be if port is 0.
func freePort(port int) (int, error) {
	listener, err := net.Listen("tcp4", net.JoinHostPort(Local, strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("--port: %d cannot be listened on; leave it out for one that is free: %w", port, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
