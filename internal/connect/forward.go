package connect

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
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"

	"brazier.sh/brazier/api/v1alpha1"
)

// local is the address that is forwarded from: nobody but this machine's users is let in.
const local = "127.0.0.1"

// After a connection to the pod has failed it is tried again this soon, then less and less often.
const (
	minPause = 200 * time.Millisecond
	maxPause = 4 * time.Second
	// firstTries is how often it is tried where it never worked: whoever may not forward ports will not be let to.
	firstTries = 4
)

// Forward prints an address of this machine and forwards what connects to it to the server, until ctx ends. Of a server
// that is replaced the address stays.
func (c *Client) Forward(ctx context.Context, port int) error {
	pause, begun := minPause, false
	for try := 1; ; try++ {
		server, err := c.await(ctx)
		if err != nil {
			return err
		}
		if !begun {
			if port, err = freePort(port); err != nil {
				return err
			}
		}
		err = c.forward(ctx, server, port, func() {
			if pause = minPause; !begun {
				c.introduce(port)
			} else {
				fmt.Fprintln(c.Streams.Err, "✓ connected again; sessions of the server before are gone, new ones work")
			}
			begun = true
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errReplaced):
			fmt.Fprintln(c.Streams.Err, "• the server has gone; waiting for the next")
			continue
		case err != nil && !begun && try >= firstTries:
			return fmt.Errorf("forward a port to pod %s/%s: %w", c.Namespace, server.pod, err)
		case err != nil && begun:
			fmt.Fprintf(c.Streams.Err, "• the connection to the server is lost: %v; trying again\n", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// introduce says where the server is found from now on.
func (c *Client) introduce(port int) {
	address := "sc://" + net.JoinHostPort(local, strconv.Itoa(port))
	fmt.Fprintln(c.Streams.Out, address)
	fmt.Fprintf(c.Streams.Err, "In Python:  spark = SparkSession.builder.remote(%q).getOrCreate()\n", address)
	fmt.Fprintln(c.Streams.Err, "Ctrl-C ends this connection, not the server.")
}

// errReplaced says that a server takes no connections any more.
var errReplaced = errors.New("the server takes no connections any more")

// forward forwards port to server until ctx ends, the connection breaks off, or another server takes its place. It calls
// begun when it listens.
func (c *Client) forward(ctx context.Context, server server, port int, begun func()) error {
	// What the library would log of single connections that fail their clients see.
	ctx, stop := context.WithCancelCause(klog.NewContext(ctx, logr.Discard()))
	defer stop(nil)
	dialer, err := c.dialer(server.pod)
	if err != nil {
		return err
	}
	ready := make(chan struct{})
	ports := []string{fmt.Sprintf("%d:%d", port, server.port)}
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{local}, ports, ready, io.Discard, io.Discard)
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
		stop(c.replaced(ctx, server))
	}()
	err = <-ended
	stop(nil)
	<-watched
	if cause := context.Cause(ctx); errors.Is(cause, errReplaced) {
		return cause
	}
	return err
}

// replaced waits until server takes no connections any more.
func (c *Client) replaced(ctx context.Context, server server) error {
	err := c.until(ctx, func(now *v1alpha1.SparkConnect) (bool, error) {
		return now == nil || !takesConnections(now) || now.Status.Run != server.run, nil
	})
	if err != nil {
		return err
	}
	return errReplaced
}

// dialer reaches a pod's ports through the API server, by WebSocket where that knows how, as kubectl does.
func (c *Client) dialer(pod string) (httpstream.Dialer, error) {
	address := c.cluster.CoreV1().RESTClient().Post().Namespace(c.Namespace).Resource("pods").Name(pod).SubResource("portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare to forward a port: %w", err)
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, c.Config)
	if err != nil {
		return nil, fmt.Errorf("prepare to forward a port: %w", err)
	}
	return portforward.NewFallbackDialerForStreaming(tunnel, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

// freePort returns port if it can be listened on, and one that can be if port is 0.
func freePort(port int) (int, error) {
	listener, err := net.Listen("tcp4", net.JoinHostPort(local, strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("--port: %d cannot be listened on; leave it out for one that is free: %w", port, err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
