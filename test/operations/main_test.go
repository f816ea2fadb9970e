// Package operations_test holds docs/operations to what it says: its procedures are carried out, its alerts and metrics are those
// that there are.
package operations_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"brazier.sh/brazier/internal/localcluster/controlplane"
)

// patience is how long a test waits for what has to happen. Nothing is measured by it: it only ends a test that hangs.
const patience = time.Minute

// plane is the API server of these tests; nil with -short.
var plane *controlplane.ControlPlane

func TestMain(m *testing.M) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	os.Exit(withControlPlane(m.Run))
}

func withControlPlane(run func() int) int {
	if testing.Short() {
		return run()
	}
	started, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer started.Stop()
	plane = started
	if _, err := envtest.InstallCRDs(plane.Config(), envtest.CRDInstallOptions{Paths: []string{"../../api/crds"}}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
