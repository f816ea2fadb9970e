package application_test

import (
	"context"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// TestMetrics leads applications to several ends and reads what the operator counted. That docs/metrics.md has every metric
// is tested with the whole operator, in test/operations.
func TestMetrics(t *testing.T) {
	w := newWorld(t, func(driver *corev1.Pod) *int32 {
		if driver.Labels[v1beta2.LabelAppName] == "bad" {
			return new(int32(1))
		}
		return new(int32(0))
	})
	w.kubelet.refuse(func(pod *corev1.Pod) bool {
		return pod.Labels[v1beta2.LabelAppName] == "crowded" && pod.Labels[v1beta2.LabelRun] == "1"
	})
	w.operate(apiserver.Reliably)
	w.awaitState(w.submit("good"), v1beta2.ApplicationStateCompleted)
	w.awaitState(w.submit("bad", retrying(1)), v1beta2.ApplicationStateFailed)
	w.awaitState(w.submit("crowded", retrying(0)), v1beta2.ApplicationStateCompleted)
	w.awaitState(w.submit("refused", retrying(1), func(app *v1beta2.SparkApplication) {
		app.Spec.Driver.ServiceAccount = "nobody"
	}), v1beta2.ApplicationStateFailed)

	want := map[string]float64{
		"spark_application_count":                   4,
		"spark_application_submit_count":            7, // each claimed run: 1, 2, 2, 2
		"spark_application_failed_submission_count": 2,
		"spark_application_success_count":           2,
		"spark_application_failure_count":           3,
		"brazier_run_failures_total application":    2,
		"brazier_run_failures_total rejected":       1,
		"brazier_run_failures_total submission":     2,
		"brazier_run_retries_total application":     1,
		"brazier_run_retries_total rejected":        1,
		"brazier_run_retries_total submission":      1,
		"brazier_applications COMPLETED":            2,
		"brazier_applications FAILED":               2,
	}
	var diff string // of what is counted after status was written, and in a cache
	w.Eventually("counters and gauges that are not 0", func(context.Context) (bool, error) {
		values := scrape(t, w.metrics)
		maps.DeleteFunc(values, func(_ string, value float64) bool { return value == 0 })
		diff = cmp.Diff(want, values)
		return diff == "", nil
	}, func() string { return "-want +got:\n" + diff })
}

// scrape returns of each counter and gauge that a registry shows its value by name and label.
func scrape(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			if metric.GetCounter() != nil || metric.GetGauge() != nil {
				values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return values
}
