// Package operator is the one place that lists and wires Brazier's controllers, with what they share: connection, cache,
// leader election, health, metrics, logs. What a controller does is not known here.
package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/controller/connect"
	"brazier.sh/brazier/internal/controller/evidence"
	"brazier.sh/brazier/internal/controller/namespaces"
	"brazier.sh/brazier/internal/controller/queue"
	"brazier.sh/brazier/internal/controller/scheduled"
	"brazier.sh/brazier/internal/executors"
	"brazier.sh/brazier/internal/version"
)

const (
	// leaseName is the lease that the working replica holds.
	leaseName = "brazier-operator"
	// readyWait is how long a readiness probe waits for the cache. It is shorter than the probe's own patience.
	readyWait = 500 * time.Millisecond
)

// Run runs the operator on the cluster of rest until ctx ends. Logs go to out as JSON.
func Run(ctx context.Context, rest *rest.Config, config Config, out io.Writer) error {
	setLogger(out, config.LogLevel)
	metrics.RegisterRESTClientMetrics(metrics.MetricRequestLatency)
	if err := metrics.Registry.Register(buildInfo()); err != nil {
		return fmt.Errorf("register the operator's metrics: %w", err)
	}
	if err := awaitAPIServer(ctx, rest, config.HealthAddress); err != nil {
		return fmt.Errorf("wait for the API server: %w", err)
	}
	mgr, err := newManager(rest, config)
	if err != nil {
		return fmt.Errorf("set up the operator: %w", err)
	}
	if err := addControllers(mgr, config); err != nil {
		return fmt.Errorf("set up the controllers: %w", err)
	}
	if err := addProbes(mgr); err != nil {
		return fmt.Errorf("set up the probes: %w", err)
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("run the operator: %w", err)
	}
	return nil
}

// addControllers lists every controller there is.
func addControllers(mgr ctrl.Manager, config Config) error {
	uncached, err := client.New(mgr.GetConfig(), client.Options{
		HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(),
	})
	if err != nil {
		return fmt.Errorf("make a client without a cache: %w", err)
	}
	selected, err := namespaces.Select(config.NamespaceSelector, mgr.GetCache())
	if err != nil {
		return err
	}
	rules, err := config.Evidence.rules()
	if err != nil {
		return err
	}
	recorder := evidence.New()
	watch, err := executors.Add(mgr, v1beta2.LabelAppName, config.Namespaces, recorder)
	if err != nil {
		return err
	}
	admissions, err := addQueues(mgr, uncached, watch, config)
	if err != nil {
		return err
	}
	err = application.Add(mgr, uncached, application.Options{
		Diagnoses: recorder, Watch: watch, Admissions: admissions, NoDeterministicRetries: !ptr.Deref(config.RetryDeterministicFailures, true),
		Platform: config.platform(), DriverStartTimeout: config.DriverStartTimeout.Duration,
		Namespaces: selected, CacheNamespaces: config.Namespaces, Workers: config.Workers, Metrics: metrics.Registry,
	})
	if err != nil {
		return err
	}
	err = evidence.Add(mgr, uncached, recorder, evidence.Options{
		Namespaces: selected, CacheNamespaces: config.Namespaces, Rules: rules, Keep: evidence.Keep{
			Runs: config.Evidence.KeepRuns, For: config.Evidence.KeepFor.Duration, PerNamespace: config.Evidence.MaxPerNamespace,
		},
	})
	if err != nil {
		return err
	}
	err = connect.Add(mgr, uncached, connect.Options{
		Platform: config.platform(), Namespaces: selected, CacheNamespaces: cacheOptions(config).DefaultNamespaces, Workers: config.Workers,
		Metrics: metrics.Registry,
	})
	if err != nil {
		return err
	}
	return scheduled.Add(mgr, scheduled.Options{Platform: config.platform(), Namespaces: selected, Metrics: metrics.Registry})
}

// addQueues adds the controller of queues, where there are to be queues.
func addQueues(mgr ctrl.Manager, uncached client.Client, watch *executors.Watch, config Config) (application.Admissions, error) {
	if !config.queues() {
		return nil, nil
	}
	queues := queue.New()
	return queues, queue.Add(mgr, uncached, queues, queue.Options{
		Executors: watch, Metrics: metrics.Registry, Namespace: config.LeaderElectionNamespace,
	})
}

func newManager(rest *rest.Config, config Config) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(
		clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), v1beta2.AddToScheme(scheme), brazierv1alpha1.AddToScheme(scheme),
	); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	return ctrl.NewManager(unthrottled(rest), ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cacheOptions(config),
		Client:                        client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: new(true)}},
		Metrics:                       metricsOptions(config),
		HealthProbeBindAddress:        config.HealthAddress,
		LeaderElection:                config.LeaderElectionNamespace != "",
		LeaderElectionNamespace:       config.LeaderElectionNamespace,
		LeaderElectionID:              leaseName,
		LeaderElectionReleaseOnCancel: true,
	})
}

// unthrottled leaves it to the API server, which knows its load, to slow the operator down: one bucket in here for reads,
// writes and events alike only makes status late.
func unthrottled(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, 0
	return config
}

func cacheOptions(config Config) cache.Options {
	options := cache.Options{ByObject: application.CacheOptions()}
	if len(config.Namespaces) > 0 {
		options.DefaultNamespaces = make(map[string]cache.Config, len(config.Namespaces))
		for _, namespace := range config.Namespaces {
			options.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// metricsOptions has metrics served over TLS, to those whom the API server lets read /metrics.
func metricsOptions(config Config) metricsserver.Options {
	return metricsserver.Options{
		BindAddress:    config.MetricsAddress,
		SecureServing:  true,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
	}
}

// buildInfo is a metric that tells which Brazier this is, and that it is there at all.
func buildInfo() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "brazier_build_info", Help: "1, with the version of the operator.", ConstLabels: prometheus.Labels{"version": version.String()},
	}, func() float64 { return 1 })
}

func addProbes(mgr ctrl.Manager) error {
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("cache", func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), readyWait)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return errors.New("the cache is not filled yet")
		}
		return nil
	})
}

// setLogger has this process and the libraries in it log in one form.
func setLogger(out io.Writer, level slog.Level) {
	handler := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetSlogLogger(slog.New(handler))
}
