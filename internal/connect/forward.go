package connect

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/internal/forward"
)

// Forward prints an address of this machine and forwards what connects to it to the server, until ctx ends. Of a server
// that is replaced the address stays.
func (c *Client) Forward(ctx context.Context, port int) error {
	return forward.Forwarder{
		Config: c.Config, Cluster: c.cluster, Namespace: c.Namespace, Err: c.Streams.Err,
		Begun: c.introduce, Noun: "server",
		Again: "connected again; sessions of the server before are gone, new ones work",
		Gone:  "the server has gone; waiting for the next",
		Await: func(ctx context.Context) (forward.Target, error) {
			server, err := c.await(ctx)
			return forward.Target{
				Pod: server.pod, Port: server.port,
				Replaced: func(ctx context.Context) error { return c.replaced(ctx, server) },
			}, err
		},
	}.Run(ctx, port)
}

// introduce says where the server is found from now on.
func (c *Client) introduce(port int) {
	address := "sc://" + net.JoinHostPort(forward.Local, strconv.Itoa(port))
	fmt.Fprintln(c.Streams.Out, address)
	fmt.Fprintf(c.Streams.Err, "In Python:  spark = SparkSession.builder.remote(%q).getOrCreate()\n", address)
	fmt.Fprintln(c.Streams.Err, "Ctrl-C ends this connection, not the server.")
}

// replaced waits until server takes no connections any more.
func (c *Client) replaced(ctx context.Context, server server) error {
	return c.until(ctx, func(now *v1alpha1.SparkConnect) (bool, error) {
		return now == nil || !takesConnections(now) || now.Status.Run != server.run, nil
	})
}
