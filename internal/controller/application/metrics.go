package application

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// metrics have the names that dashboards of this API read already.
type metrics struct {
	applications, submissions, refusals, successes, failures prometheus.Counter
	executorSuccesses, executorFailures                      prometheus.Counter
	successTime, failureTime                                 prometheus.Summary
	submitLatency, startLatency                              prometheus.Summary
	submitLatencyHistogram, startLatencyHistogram            prometheus.Histogram
	now                                                      *gauges
}

// newMetrics returns metrics whose gauges are counted in cached when they are asked for, so that they are right after a
// restart too.
func newMetrics(cached client.Reader) *metrics {
	return &metrics{
		applications:           counter("spark_application_count", "SparkApplications that were seen."),
		submissions:            counter("spark_application_submit_count", "Runs that were submitted."),
		refusals:               counter("spark_application_failed_submission_count", "Submissions that were refused."),
		successes:              counter("spark_application_success_count", "Runs that ended well."),
		failures:               counter("spark_application_failure_count", "Runs that failed."),
		executorSuccesses:      counter("spark_executor_success_count", "Executors that ended well."),
		executorFailures:       counter("spark_executor_failure_count", "Executors that failed."),
		successTime:            summary("spark_application_success_execution_time_seconds", "From submission to a good end."),
		failureTime:            summary("spark_application_failure_execution_time_seconds", "From submission to failure."),
		submitLatency:          summary("spark_application_submit_latency_seconds", "From creation to submission."),
		startLatency:           summary("spark_application_start_latency_seconds", "From creation until the driver runs."),
		submitLatencyHistogram: histogram("spark_application_submit_latency_seconds_histogram", "From creation to submission."),
		startLatencyHistogram:  histogram("spark_application_start_latency_seconds_histogram", "From creation until the driver runs."),
		now: &gauges{
			cached:    cached,
			running:   prometheus.NewDesc("spark_application_running_count", "SparkApplications whose driver runs.", nil, nil),
			executors: prometheus.NewDesc("spark_executor_running_count", "Executors that run.", nil, nil),
		},
	}
}

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{
		m.applications, m.submissions, m.refusals, m.successes, m.failures, m.executorSuccesses, m.executorFailures,
		m.successTime, m.failureTime, m.submitLatency, m.startLatency,
		m.submitLatencyHistogram, m.startLatencyHistogram, m.now,
	} {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// count counts what changed from before to app.
func (m *metrics) count(before, app *v1beta2.SparkApplication, step Step) {
	m.countExecutors(before.Status.ExecutorState, app.Status.ExecutorState)
	if state(before) == state(app) {
		return
	}
	age := time.Since(app.CreationTimestamp.Time).Seconds()
	if state(before) == v1beta2.ApplicationStateNew {
		m.applications.Inc()
	}
	switch state(app) {
	case v1beta2.ApplicationStateSubmitted:
		m.submissions.Inc()
		if app.Status.Run == 1 {
			m.submitLatency.Observe(age)
			m.submitLatencyHistogram.Observe(age)
		}
	case v1beta2.ApplicationStateRunning:
		if app.Status.Run == 1 {
			m.startLatency.Observe(age)
			m.startLatencyHistogram.Observe(age)
		}
	case v1beta2.ApplicationStateFailedSubmission:
		m.refusals.Inc()
	}
	if step.Ended.IsZero() {
		return
	}
	ran := step.Ended.Sub(app.Status.LastSubmissionAttemptTime.Time).Seconds()
	if step.Failure == "" {
		m.successes.Inc()
		m.successTime.Observe(ran)
	} else {
		m.failures.Inc()
		m.failureTime.Observe(ran)
	}
}

func (m *metrics) countExecutors(before, after map[string]v1beta2.ExecutorState) {
	for name, state := range after {
		if before[name] == state {
			continue
		}
		switch state {
		case v1beta2.ExecutorStateCompleted:
			m.executorSuccesses.Inc()
		case v1beta2.ExecutorStateFailed:
			m.executorFailures.Inc()
		}
	}
}

// gauges counts what is running in the cache.
type gauges struct {
	cached             client.Reader
	running, executors *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.running
	out <- g.executors
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	var apps v1beta2.SparkApplicationList
	if err := g.cached.List(context.Background(), &apps, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(g.running, err)
		return
	}
	var running, executors int
	for i := range apps.Items {
		if state(&apps.Items[i]) != v1beta2.ApplicationStateRunning {
			continue
		}
		running++
		for _, state := range apps.Items[i].Status.ExecutorState {
			if state == v1beta2.ExecutorStateRunning {
				executors++
			}
		}
	}
	out <- prometheus.MustNewConstMetric(g.running, prometheus.GaugeValue, float64(running))
	out <- prometheus.MustNewConstMetric(g.executors, prometheus.GaugeValue, float64(executors))
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func summary(name, help string) prometheus.Summary {
	return prometheus.NewSummary(prometheus.SummaryOpts{
		Name: name, Help: help, Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01, 0.99: 0.001},
	})
}

func histogram(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300},
	})
}
