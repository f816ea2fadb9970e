package application

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// metrics are what docs/metrics.md lists. The names without our prefix are those that dashboards of this API read already.
// No label takes values that an application could make up.
type metrics struct {
	applications, submissions, refusals, successes, failures prometheus.Counter
	executorSuccesses, executorFailures                      prometheus.Counter
	successTime, failureTime                                 prometheus.Summary
	submitLatency, startLatency                              prometheus.Summary
	submitLatencyHistogram, startLatencyHistogram            prometheus.Histogram
	runFailures, runRetries, causes                          *prometheus.CounterVec
	endDelay                                                 prometheus.Histogram
	now                                                      *gauges
}

// newMetrics returns metrics whose gauges are counted in cached when they are asked for, so that they are right after a
// restart too.
func newMetrics(cached client.Reader) *metrics {
	m := &metrics{
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
		runFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brazier_run_failures_total", Help: "Runs that failed, by what they failed of.",
		}, []string{labelCause}),
		runRetries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brazier_run_retries_total", Help: "Failures that led to another run or submission, by what failed.",
		}, []string{labelCause}),
		causes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brazier_application_causes_total", Help: "What runs failed of or waited for, by the first cause that was found.",
		}, []string{"namespace", labelCause}),
		endDelay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "brazier_run_end_delay_seconds", Help: "From the end of a driver until status tells of it.",
			Buckets: []float64{0.5, 1, 2, 5, 10, 30, 60, 300, 1800},
		}),
		now: newGauges(cached),
	}
	for _, cause := range causes() { // a counter that appears with its first failure has no rate then
		m.runFailures.WithLabelValues(string(cause))
		m.runRetries.WithLabelValues(string(cause))
	}
	return m
}

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{
		m.applications, m.submissions, m.refusals, m.successes, m.failures, m.executorSuccesses, m.executorFailures,
		m.successTime, m.failureTime, m.submitLatency, m.startLatency,
		m.submitLatencyHistogram, m.startLatencyHistogram, m.runFailures, m.runRetries, m.causes, m.endDelay, m.now,
	} {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// count counts what step, which was decided on seen, has changed from before to app by now.
func (m *metrics) count(before, app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	m.countExecutors(before.Status.ExecutorState, app.Status.ExecutorState)
	if state(before) == v1beta2.ApplicationStateNew && state(app) != v1beta2.ApplicationStateNew {
		m.applications.Inc()
	}
	if retried := retriedCause(before, app, step); retried != "" {
		m.runRetries.WithLabelValues(string(retried)).Inc()
	}
	if step.Cause != "" {
		m.runFailures.WithLabelValues(string(step.Cause)).Inc()
	}
	if step.Cause == CauseSubmission {
		m.refusals.Inc()
	}
	if state(before) == state(app) {
		return
	}
	m.countBeginning(app, now)
	if !step.Ended.IsZero() {
		m.countEnd(app, seen, step, now)
	}
}

// retriedCause returns the cause of the failure that another run follows, as the step decides: a refused submission is
// followed when its time has come, any other run's failure at once.
func retriedCause(before, app *v1beta2.SparkApplication, step Step) Cause {
	switch {
	case state(before) == v1beta2.ApplicationStateFailedSubmission && step.Action == Claim:
		return CauseSubmission
	case state(app) == v1beta2.ApplicationStatePendingRerun:
		return step.Cause
	}
	return ""
}

func (m *metrics) countBeginning(app *v1beta2.SparkApplication, now time.Time) {
	age := now.Sub(app.CreationTimestamp.Time).Seconds()
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
	}
}

func (m *metrics) countEnd(app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	ran := step.Ended.Sub(app.Status.LastSubmissionAttemptTime.Time).Seconds()
	if step.Failure == "" {
		m.successes.Inc()
		m.successTime.Observe(ran)
	} else {
		m.failures.Inc()
		m.failureTime.Observe(ran)
	}
	if driver, ok := seen.Current(); ok && driver.Ended != nil && !driver.Ended.At.IsZero() {
		m.endDelay.Observe(now.Sub(driver.Ended.At).Seconds())
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

// labelCause is the label whose values are causes(), or codes of internal/diagnose.
const labelCause = "cause"

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
