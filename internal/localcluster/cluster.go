// Package localcluster is `brazier up`, `down` and `status`: a Kubernetes of one node on this machine. It is the order
// in which things are done, and no more; what is done is in the packages below it.
//
// Everything of the cluster is in one folder, its home, and whatever it makes outside of that (a bridge, rules, control
// groups, processes) is removed by Down.
package localcluster

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

// Cluster is the embedded cluster of one home.
type Cluster struct {
	Layout layout.Layout
	// Program is the path of brazier itself, which the supervisor is a process of.
	Program string
}

// Open returns the cluster whose home is the given folder or, where that is empty, $BRAZIER_HOME or the default. It need
// not exist yet.
func Open(home string) (*Cluster, error) {
	home = cmp.Or(home, os.Getenv(kube.EnvHome), kube.DefaultHome)
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, fmt.Errorf("--home: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find brazier's own program: %w", err)
	}
	return &Cluster{Layout: layout.Layout{Home: home, Run: layout.DefaultRun}, Program: program}, nil
}

// Config returns the administrator's connection settings.
func (c *Cluster) Config() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Layout.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("load the cluster's kubeconfig: %w", err)
	}
	return config, nil
}

func (c *Cluster) supervisor() *supervise.Client {
	return supervise.NewClient(c.Layout.SupervisorSocket())
}

// otherHome returns the home of another cluster that runs on this machine, if one does.
func (c *Cluster) otherHome() (string, bool) {
	for _, running := range supervise.Find(func(argv []string) bool {
		home, ok := supervise.HomeOf(argv)
		return ok && home != c.Layout.Home
	}) {
		return supervise.HomeOf(running.Argv)
	}
	return "", false
}

// owns reports whether the command line is that of a process of this cluster: one of the few programs that it runs, with
// a path in its folders among the arguments. It takes the shims of its containers for its own, not what runs in them.
func (c *Cluster) owns(argv []string) bool {
	if len(argv) < 2 {
		return false
	}
	switch filepath.Base(argv[0]) {
	case "brazier-cluster", "containerd", "containerd-shim-runc-v2", "runc":
	default:
		return false
	}
	for _, arg := range argv[1:] {
		if strings.Contains(arg, c.Layout.Home+"/") || strings.Contains(arg, c.Layout.Run+"/") {
			return true
		}
	}
	return false
}
