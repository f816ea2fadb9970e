// Package apiserver gives tests a real API server that knows Brazier's kinds, namespaces of it to work in, operators that
// run there within the test's own process, and ways to have their writes fail. There is no node: a test plays the pods.
// What an operator does, and what has to come of it, is the tests' to say; one that runs as a process of its own is
// test/operated's.
package apiserver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/crds"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/localcluster/controlplane"
)

// Patience is how long a test waits for what has to happen. Nothing is measured by it: it only ends a test that hangs.
const Patience = 3 * time.Minute

// look is how often what is waited for is looked at.
const look = 20 * time.Millisecond

// Server is an API server with its store and its controllers.
type Server struct {
	*controlplane.ControlPlane
	// ends are called when the tests of a package have been run.
	ends []func() error
}

// Start starts a server that ends with the test, and does not know Brazier's kinds yet. It is given further flags. With
// -short the test is skipped.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("this test starts an API server")
	}
	ctrl.SetLogger(logr.Discard())
	plane, err := controlplane.Start(t.Context(), controlplane.Options{APIServerFlags: flags})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	return &Server{ControlPlane: plane}
}

// StartWithKinds is Start, of a server that knows Brazier's kinds.
func StartWithKinds(t testing.TB, flags ...string) *Server {
	t.Helper()
	s := Start(t, flags...)
	if err := s.Define(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Run is what TestMain does where all tests of a package share one server, which knows Brazier's kinds: it starts it with
// further flags, hands it to prepare, runs the tests and returns their exit code. With -short there is no server, and World
// skips who asks for one.
func Run(m *testing.M, prepare func(*Server) error, flags ...string) (code int) {
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	if testing.Short() {
		return m.Run()
	}
	plane, err := controlplane.Start(context.Background(), controlplane.Options{APIServerFlags: flags})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer plane.Stop()
	s := &Server{ControlPlane: plane}
	if err := errors.Join(s.Define(), prepare(s)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code = m.Run()
	for _, end := range s.ends {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// AtEnd has end called when the tests that Run runs have been run, and the server is still there. They have failed if end
// does.
func (s *Server) AtEnd(end func() error) { s.ends = append(s.ends, end) }

// Config returns the administrator's connection settings, which are those of a client that nothing slows down.
func (s *Server) Config() *rest.Config {
	config := s.ControlPlane.Config()
	config.QPS = -1
	return config
}

// Client returns an administrator's client, which knows Brazier's kinds.
func (s *Server) Client(t testing.TB) client.WithWatch {
	t.Helper()
	return NewClient(t, s.Config())
}

// NewClient returns a client that knows Brazier's kinds.
func NewClient(t testing.TB, config *rest.Config) client.WithWatch {
	t.Helper()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Scheme returns Kubernetes' kinds and Brazier's.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(
		clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), v1beta2.AddToScheme(scheme), brazierv1alpha1.AddToScheme(scheme),
	)
}

// Define teaches the server kinds: Brazier's where none are named.
func (s *Server) Define(kinds ...*apiextensionsv1.CustomResourceDefinition) error {
	if len(kinds) == 0 {
		var err error
		if kinds, err = own(); err != nil {
			return err
		}
	}
	_, err := envtest.InstallCRDs(s.Config(), envtest.CRDInstallOptions{CRDs: kinds, MaxTime: Patience})
	return err
}

// own returns the definitions of Brazier's kinds.
func own() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files, err := fs.Glob(crds.FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	definitions := make([]*apiextensionsv1.CustomResourceDefinition, len(files))
	for i, file := range files {
		text, err := fs.ReadFile(crds.FS, file)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(text, &definitions[i]); err != nil {
			return nil, fmt.Errorf("read the definition in %s: %w", file, err)
		}
	}
	return definitions, nil
}

// Eventually waits until what is. Where it does not come, the test ends, and found tells what there was instead.
func Eventually(t testing.TB, what string, is wait.ConditionWithContextFunc, found ...func() string) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), look, Patience, true, is)
	if err == nil {
		return
	}
	message := fmt.Sprintf("%s: %v", what, err)
	for _, say := range found {
		message += "\n" + say()
	}
	t.Fatal(message)
}
