// Package operated runs the operator as its Deployment does, as a process of its own that can be stopped, killed and
// measured, beside a control plane without a node. Tests and benchmarks play the pods.
package operated

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/spark"
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
	ctrl.SetLogger(logr.Discard()) // of installing the definitions
	plane, err := controlplane.Start(t.Context(), controlplane.Options{APIServerFlags: flags})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	config := plane.Config()
	config.QPS = -1
	definitions := envtest.CRDInstallOptions{Paths: []string{filepath.Join(root, "api", "crds")}, MaxTime: patience}
	if _, err := envtest.InstallCRDs(config, definitions); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1beta2.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := &Cluster{Plane: plane}
	if c.Client, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
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
