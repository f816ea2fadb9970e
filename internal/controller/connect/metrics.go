package connect

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
)

// metrics are what docs/metrics.md lists. No label takes values that a server could make up.
type metrics struct {
	restarts prometheus.Counter
	now      *gauges
}

// newMetrics returns metrics whose gauge is counted in cached when it is asked for, so that it is right after a restart too.
func newMetrics(cached client.Reader) *metrics {
	return &metrics{
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "brazier_connect_restarts_total", Help: "Connect servers that ended by themselves and are started again.",
		}),
		now: &gauges{
			cached:  cached,
			servers: prometheus.NewDesc("brazier_connect_servers", "SparkConnects there are, by state.", []string{"state"}, nil),
		},
	}
}

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.restarts, m.now} {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// count counts what step, of which status tells by now, has done.
func (m *metrics) count(step Step) {
	if step.Action == Claim && step.Reason == reasonEnded {
		m.restarts.Inc()
	}
}

// gauges count in the cache what there is when they are asked.
type gauges struct {
	cached  client.Reader
	servers *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) { out <- g.servers }

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	var all v1alpha1.SparkConnectList
	if err := g.cached.List(context.Background(), &all, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(g.servers, err)
		return
	}
	byState := make(map[v1alpha1.SparkConnectState]int)
	for i := range all.Items {
		byState[all.Items[i].Status.State]++
	}
	for _, state := range []v1alpha1.SparkConnectState{
		v1alpha1.SparkConnectStateNew, v1alpha1.SparkConnectStateProvisioning, v1alpha1.SparkConnectStateReady,
		v1alpha1.SparkConnectStateNotReady, v1alpha1.SparkConnectStateFailed,
	} {
		out <- prometheus.MustNewConstMetric(g.servers, prometheus.GaugeValue, float64(byState[state]), stateLabel(state))
	}
}

// stateLabel is the value of the label state.
func stateLabel(state v1alpha1.SparkConnectState) string {
	if state == v1alpha1.SparkConnectStateNew {
		return "New"
	}
	return string(state)
}
