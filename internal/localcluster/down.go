package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"brazier.sh/brazier/internal/localcluster/cgroup"
	"brazier.sh/brazier/internal/localcluster/cri"
	"brazier.sh/brazier/internal/localcluster/leftovers"
	"brazier.sh/brazier/internal/localcluster/network"
	"brazier.sh/brazier/internal/localcluster/part"
	"brazier.sh/brazier/internal/localcluster/supervise"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// podGrace is how long, in seconds, containers may take to end by themselves.
	podGrace = 5
	// podsTimeout is when pods are no longer asked, but killed.
	podsTimeout = 30 * time.Second
)

// DownOptions are what Down can be told.
type DownOptions struct {
	// Purge removes the cluster's data too.
	Purge bool
}

// Down stops the cluster and removes all that it made on the machine, but for its home: the data of etcd, the registry,
// the object store and the volumes is there when Up is called again. It also clears away what a cluster that was
// killed, or is half there, has left.
func (c *Cluster) Down(ctx context.Context, opts DownOptions, streams terminal.Streams) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("you are user %d, and stopping the cluster needs root; run it with sudo", os.Geteuid())
	}
	if other, ok := c.otherHome(); ok {
		return fmt.Errorf("--home: the cluster that runs on this machine has its home in %s, not in %s; stop that one: brazier down --home %[1]s",
			other, c.Layout.Home)
	}
	d := &down{Cluster: c, streams: streams}
	actions := []Action{
		{"stopping the kubelet", d.stopKubelet},
		{"stopping pods", d.stopPods},
		{"stopping the cluster's parts", d.stopParts},
		{"removing mounts, networks and control groups", d.clear},
	}
	if opts.Purge {
		actions = append(actions, Action{"removing " + c.Layout.Home, d.purge})
	}
	for _, action := range actions {
		if err := perform(ctx, action, streams); err != nil {
			return err
		}
	}
	return nil
}

type down struct {
	*Cluster
	streams terminal.Streams
}

// stopKubelet keeps it from starting again the pods that are stopped next. Where no supervisor runs, there may still be
// parts.
func (d *down) stopKubelet(ctx context.Context) (string, error) {
	if _, err := d.supervisor().Report(ctx); err == nil {
		return "", d.supervisor().Stop(ctx, "kubelet")
	}
	return "no supervisor runs", leftovers.Kill(ctx, func(argv []string) bool {
		return d.owns(argv) && len(argv) > 1 && argv[1] == "kubelet"
	})
}

// stopPods asks containerd, which takes down what it has put up. If it cannot, clear does it the hard way.
func (d *down) stopPods(ctx context.Context) (string, error) {
	socket := d.Layout.ContainerdSocket()
	if _, err := os.Stat(socket); err != nil {
		return "containerd is not running", nil //nolint:nilerr // said to the user; nothing is lost
	}
	ctx, cancel := context.WithTimeout(ctx, podsTimeout)
	defer cancel()
	stopped, err := cri.StopPods(ctx, socket, podGrace)
	if err != nil {
		return fmt.Sprintf("killing them instead: %v", err), nil
	}
	return fmt.Sprintf("%d stopped", stopped), nil
}

// stopParts ends the supervisor first if it does not answer, lest it start again what is killed.
func (d *down) stopParts(ctx context.Context) (string, error) {
	if _, err := d.supervisor().Report(ctx); err == nil {
		if err := errors.Join(d.supervisor().Stop(ctx), d.supervisor().Leave(ctx)); err != nil {
			return "", err
		}
	}
	return "", errors.Join(
		leftovers.Kill(ctx, d.isSupervisor),
		leftovers.Kill(ctx, d.owns),
	)
}

func (d *down) isSupervisor(argv []string) bool {
	home, ok := supervise.HomeOf(argv)
	return ok && home == d.Layout.Home
}

func (d *down) clear(ctx context.Context) (string, error) {
	folders := []string{d.Layout.Home, d.Layout.Run}
	return "", errors.Join(
		leftovers.KillGroup(ctx, part.CgroupRoot),
		leftovers.RemoveNetworkNamespaces("brazier"),
		leftovers.RemoveShimSockets(d.Layout.Run),
		leftovers.Unmount(folders...),
		leftovers.RemoveLogLinks(d.Layout.Logs()),
		leftovers.RemoveEmptyFolders(),
		network.Remove(ctx, d.Layout.Run),
		cgroup.Remove(part.CgroupRoot),
		os.RemoveAll(d.Layout.Run),
	)
}

func (d *down) purge(context.Context) (string, error) {
	return "", os.RemoveAll(d.Layout.Home)
}
