// Package controlplane runs etcd, the API server and the controller manager without a node, for tests that need a real
// API server: service accounts, owner references and garbage collection work, but no pod ever starts. It needs no root,
// listens on free loopback ports, keeps its state in a folder that Stop removes, and dies with the process that
// started it.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"brazier.sh/brazier/internal/localcluster/health"
	"brazier.sh/brazier/internal/localcluster/kubeconfig"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
	"brazier.sh/brazier/internal/localcluster/pki"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

const (
	// startTimeout is how long the control plane may take, also on a machine that is busy with other tests.
	startTimeout  = 90 * time.Second
	probeInterval = 20 * time.Millisecond
)

// Options are what Start can be told.
type Options struct {
	// Bin is the folder of brazier-cluster; where it is empty, it is looked for.
	Bin string
	// APIServerFlags are added to the API server's command line, for tests of clusters that are set up otherwise.
	APIServerFlags []string
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	config part.Config
	client *rest.Config
	group  *group
	// flags are further flags of the API server, and server is its process.
	flags  []string
	server *process
	stop   sync.Once
}

// Start starts a control plane and returns when it is ready. It ends with Stop, or with this process.
func Start(ctx context.Context, opts Options) (*ControlPlane, error) {
	if opts.Bin == "" {
		bin, err := layout.FindBin()
		if err != nil {
			return nil, err
		}
		opts.Bin = bin
	}
	home, err := os.MkdirTemp("", "brazier-controlplane-")
	if err != nil {
		return nil, fmt.Errorf("make the control plane's folder: %w", err)
	}
	c := &ControlPlane{
		config: part.Config{
			Layout:    layout.Layout{Home: home, Run: filepath.Join(home, "run"), Bin: opts.Bin},
			Address:   layout.Loopback,
			Ephemeral: true,
		},
		group: newGroup(),
		flags: opts.APIServerFlags,
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.start(ctx); err != nil {
		err = fmt.Errorf("start control plane: %w", err)
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) error {
	ports, err := freePorts()
	if err != nil {
		return err
	}
	c.config.Ports = ports
	store := pki.New(c.config.Layout.PKI(), time.Now())
	if err := store.Ensure(part.ControlPlaneAuthorities(c.config)); err != nil {
		return err
	}
	if err := store.EnsureKey(part.ServiceAccountKey()); err != nil {
		return err
	}
	if err := kubeconfig.WriteAdmin(c.config.Layout, c.config.APIServerURL()); err != nil {
		return err
	}
	for _, p := range part.ControlPlane(c.config) {
		if err := c.run(ctx, p); err != nil {
			return err
		}
	}
	c.client, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return fmt.Errorf("load the control plane's kubeconfig: %w", err)
	}
	return c.serviceAccountsReady(ctx)
}

// run starts one part and waits until it is healthy.
func (c *ControlPlane) run(ctx context.Context, p part.Part) error {
	if isAPIServer(p) {
		p.Argv = append(p.Argv, c.flags...)
	}
	if err := supervise.Prepare(p); err != nil {
		return err
	}
	process, err := c.group.start(p, c.config.Layout.Log(p.Name))
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	if isAPIServer(p) {
		c.server = process
	}
	for {
		err := health.Probe(ctx, p.Healthy)
		if err == nil {
			return nil
		}
		select {
		case <-process.done:
			return fmt.Errorf("%s ended: %w\n%s", p.Name, process.err, lastLines(c.config.Layout.Log(p.Name)))
		case <-ctx.Done():
			return fmt.Errorf("%s is not healthy: %w\n%s", p.Name, errors.Join(context.Cause(ctx), err), lastLines(c.config.Layout.Log(p.Name)))
		case <-time.After(probeInterval):
		}
	}
}

// Config returns the administrator's connection settings; each call a new copy.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.client) }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (c *ControlPlane) Kubeconfig() string { return c.config.Layout.Kubeconfig() }

// Stop ends the control plane and removes what it kept. There is nothing to save, so nothing is asked to end nicely.
func (c *ControlPlane) Stop() {
	c.stop.Do(func() {
		c.group.kill()
		if err := os.RemoveAll(c.config.Layout.Home); err != nil {
			fmt.Fprintf(os.Stderr, "controlplane: remove %s: %v\n", c.config.Layout.Home, err)
		}
	})
}

// freePorts asks the system for ports that nobody uses. All are held until all are known, lest one come twice.
func freePorts() (part.Ports, error) {
	var ports part.Ports
	for _, port := range []*int{&ports.Etcd, &ports.EtcdPeer, &ports.API, &ports.ControllerManager} {
		listener, err := net.Listen("tcp", layout.Loopback+":0")
		if err != nil {
			return ports, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = listener.Close() }()
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

func lastLines(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
