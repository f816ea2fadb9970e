package application

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// gauges count in the cache what there is when they are asked, so that they are right after a restart too.
type gauges struct {
	cached                   client.Reader
	running, executors, apps *prometheus.Desc
}

func newGauges(cached client.Reader) *gauges {
	return &gauges{
		cached:    cached,
		running:   prometheus.NewDesc("spark_application_running_count", "SparkApplications whose driver runs.", nil, nil),
		executors: prometheus.NewDesc("spark_executor_running_count", "Executors that run.", nil, nil),
		apps:      prometheus.NewDesc("brazier_applications", "SparkApplications there are, by state.", []string{"state"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.running
	out <- g.executors
	out <- g.apps
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	var apps v1beta2.SparkApplicationList
	if err := g.cached.List(context.Background(), &apps, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(g.running, err)
		return
	}
	byState, executors := make(map[v1beta2.ApplicationStateType]int), 0
	for i := range apps.Items {
		byState[state(&apps.Items[i])]++
		if state(&apps.Items[i]) == v1beta2.ApplicationStateRunning {
			executors += runningExecutors(&apps.Items[i])
		}
	}
	out <- prometheus.MustNewConstMetric(g.running, prometheus.GaugeValue, float64(byState[v1beta2.ApplicationStateRunning]))
	out <- prometheus.MustNewConstMetric(g.executors, prometheus.GaugeValue, float64(executors))
	for _, s := range countedStates() {
		out <- prometheus.MustNewConstMetric(g.apps, prometheus.GaugeValue, float64(byState[s]), stateLabel(s))
	}
}

func runningExecutors(app *v1beta2.SparkApplication) int {
	running := 0
	for _, state := range app.Status.ExecutorState {
		if state == v1beta2.ExecutorStateRunning {
			running++
		}
	}
	return running
}

// countedStates are the states that the controller leaves an application in, each of which is counted even where there is
// no application in it.
func countedStates() []v1beta2.ApplicationStateType {
	return []v1beta2.ApplicationStateType{
		v1beta2.ApplicationStateNew, v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning,
		v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateFailed, v1beta2.ApplicationStateFailedSubmission,
		v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateInvalidating, v1beta2.ApplicationStateSuspending,
		v1beta2.ApplicationStateSuspended, v1beta2.ApplicationStateResuming,
	}
}

// stateLabel names the state of a new application too, which is empty.
func stateLabel(s v1beta2.ApplicationStateType) string {
	if s == v1beta2.ApplicationStateNew {
		return "NEW"
	}
	return string(s)
}
