package apiserver

import (
	"context"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Wrap changes a client, so that something befalls who uses it.
type Wrap func(client.WithWatch) client.Client

// Reliably is the Wrap of an operator that nothing befalls.
func Reliably(c client.WithWatch) client.Client { return c }

// NewManager returns a manager of one namespace, which says nothing, listens nowhere and is not the only one of its
// process. Its client is what wrap makes of it. Change, if it is not nil, has the last word on the manager's options.
func NewManager(config *rest.Config, namespace string, wrap Wrap, change func(*ctrl.Options)) (ctrl.Manager, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	options := ctrl.Options{
		Scheme:  scheme,
		Logger:  logr.Discard(),
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},
		// As the operator has it.
		Client:     client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: new(true)}},
		Controller: controllerconfig.Controller{SkipNameValidation: new(true)},
		NewClient: func(config *rest.Config, options client.Options) (client.Client, error) {
			c, err := client.NewWithWatch(config, options)
			if err != nil {
				return nil, err
			}
			return wrap(c), nil
		},
	}
	if change != nil {
		change(&options)
	}
	return ctrl.NewManager(config, options)
}

// Operate runs an operator, which run is, until the returned function is called, or the test ends.
func Operate(t testing.TB, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil {
			t.Errorf("operator: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}
