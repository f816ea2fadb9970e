//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"

	"brazier.sh/brazier/api/v1beta2"
)

// testExporter scrapes a JMX exporter in the driver and one in its executor.
func testExporter(t *testing.T) {
	apply(t, "exported", "waits.py", func(app *v1beta2.SparkApplication) {
		app.Spec.Monitoring = &v1beta2.MonitoringSpec{
			ExposeDriverMetrics: true, ExposeExecutorMetrics: true,
			Prometheus: &v1beta2.PrometheusSpec{JMXExporterJar: "/opt/spark/jars/jmx_prometheus_javaagent-1.0.1.jar"},
		}
	})
	awaitMetric(t, "exported", "driver", ":8090/metrics",
		`^spark_driver_blockmanager_memory_maxmem_mb\{app_id="exported",app_namespace="default"\} [1-9]`)
	awaitMetric(t, "exported", "driver", ":8090/metrics", `^spark_driver_jvm_heap_used\{app_id="exported",app_namespace="default"\} [1-9]`)
	awaitMetric(t, "exported", "executor", ":8090/metrics",
		`^spark_executor_succeededtasks_count\{app_id="exported",app_namespace="default",executor_id="1"\} [1-9]`)
}

// testServlets scrapes what Spark's own web interface shows of the driver and of its executors.
func testServlets(t *testing.T) {
	apply(t, "shown", "waits.py", func(app *v1beta2.SparkApplication) {
		app.Spec.Monitoring = &v1beta2.MonitoringSpec{ExposeDriverMetrics: true, ExposeExecutorMetrics: true}
	})
	awaitMetric(t, "shown", "driver", ":4040/metrics/prometheus", `^metrics_spark_driver_BlockManager_memory_maxMem_MB_Value\{.*\} [1-9]`)
	awaitMetric(t, "shown", "driver", ":4040/metrics/executors/prometheus", `^metrics_executor_completedTasks_total\{.*executor_id="1".*\} [1-9]`)
}

// awaitMetric waits for a metric of the pods of a role that has the form.
func awaitMetric(t *testing.T, app, role, at, form string) {
	t.Helper()
	wanted := regexp.MustCompile("(?m)" + form)
	eventually(t, lifeLimit, app+" shows "+form, func() error {
		address := kubectl(t, "get", "pods", "-l", v1beta2.LabelAppName+"="+app+","+v1beta2.LabelSparkRole+"="+role,
			"-o", "jsonpath={.items[0].status.podIP}", "--ignore-not-found")
		if address == "" {
			return fmt.Errorf("there is no %s yet", role)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+at, nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return err
		}
		if !wanted.Match(text) {
			return fmt.Errorf("%s has not: %s", answer.Request.URL, text)
		}
		return nil
	})
}
