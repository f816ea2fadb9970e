// Package operated runs the operator as its Deployment does, as a process of its own that can be stopped, killed and
// measured, beside a control plane without a node. Tests and benchmarks play the pods.
package operated

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// Namespace is where the operator looks for applications.
const Namespace = "operated"

// root is the source tree, seen from the folder of a test.
var root = filepath.Join("..", "..")

// Cluster is an API server of its own, with Brazier's kinds and without a node.
type Cluster struct {
	Plane  *controlplane.ControlPlane
	Client client.WithWatch
}

// New starts a cluster, which ends with the test. Its API server is given further flags.
func New(t testing.TB, flags ...string) *Cluster {
	t.Helper()
	server := apiserver.StartWithKinds(t, flags...)
	c := &Cluster{Plane: server.ControlPlane, Client: server.Client(t)}
	c.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}})
	c.Create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: spark.DefaultServiceAccount}})
	return c
}

// Create creates object.
func (c *Cluster) Create(t testing.TB, object client.Object) {
	t.Helper()
	if err := c.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// Binary returns the path of an operator: what the environment variable name says, else the one that was built.
func Binary(name string) string {
	if path := os.Getenv(name); path != "" {
		return path
	}
	return filepath.Join(root, "bin", "brazier")
}
