// Command brazier-cluster is a whole Kubernetes in one binary: every part of the cluster that `brazier up` starts is a
// process of this program, named by its first argument. One binary keeps the download, the build and, because the
// processes share its pages, the memory small. It starts and supervises nothing: internal/localcluster of the product does.
package main

import (
	"os"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// parts are all that the binary can run. Each has a file of its own.
var parts = []dispatch.Part{
	etcd,
	kubeAPIServer,
	kubeControllerManager,
	kubeScheduler,
	kubelet,
	kubeProxy,
	coreDNS,
	ociRegistry,
	objectStore,
	metricsServer,
	storageProvisioner,
}

func main() {
	os.Exit(dispatch.Main(parts, os.Args, os.Stdout, os.Stderr))
}
