package application_test

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// documented finds a row of docs/metrics.md: name, type, labels and what the metric means, which is its help.
var documented = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\| ([^|]+) \\|")

// TestMetrics leads applications to several ends and reads what the operator counted. What it shows has to be what the
// page says, neither more nor less.
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
	w.operate(reliably)
	w.awaitState(w.submit("good"), v1beta2.ApplicationStateCompleted)
	w.awaitState(w.submit("bad", retrying(1)), v1beta2.ApplicationStateFailed)
	w.awaitState(w.submit("crowded", retrying(0)), v1beta2.ApplicationStateCompleted)
	w.awaitState(w.submit("refused", retrying(1), func(app *v1beta2.SparkApplication) {
		app.Spec.Driver.ServiceAccount = "nobody"
	}), v1beta2.ApplicationStateFailed)

	page, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]string)
	for _, row := range documented.FindAllStringSubmatch(string(page), -1) {
		want[row[1]] = []string{row[2], strings.ReplaceAll(row[3], "`", ""), row[4]}
	}
	wantValues := map[string]float64{
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
	var described map[string][]string
	var diff string // of what is counted after status was written, and in a cache
	w.eventually(func(context.Context) (bool, error) {
		var values map[string]float64
		described, values = scrape(t, w.metrics)
		maps.DeleteFunc(values, func(_ string, value float64) bool { return value == 0 })
		diff = cmp.Diff(wantValues, values)
		return diff == "", nil
	}, func() string { return "counters and gauges that are not 0\n-want +got:\n" + diff })
	if diff := cmp.Diff(want, described); diff != "" {
		t.Errorf("types, labels and help of metrics\n-docs/metrics.md +operator:\n%s", diff)
	}
}

// scrape returns what a registry shows: of each metric its type, its labels and its help, and of each counter and gauge
// its value by name and label.
func scrape(t *testing.T, registry *prometheus.Registry) (described map[string][]string, values map[string]float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	described, values = make(map[string][]string), make(map[string]float64)
	for _, family := range families {
		labels := make(map[string]bool)
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = true
				name += " " + label.GetValue()
			}
			if metric.GetCounter() != nil || metric.GetGauge() != nil {
				values[name] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
		described[family.GetName()] = []string{
			strings.ToLower(family.GetType().String()), strings.Join(slices.Sorted(maps.Keys(labels)), ", "), family.GetHelp(),
		}
	}
	return described, values
}
