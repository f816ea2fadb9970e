//go:build e2e

package e2e

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
		// What a plan sets where the platform's Ingress has the interface under a path.
		app.Spec.SparkConf = map[string]string{"spark.ui.proxyBase": "/team/shown", "spark.ui.proxyRedirectUri": "/"}
	})
	awaitMetric(t, "shown", "driver", ":4040/metrics/prometheus/", `^metrics_spark_driver_BlockManager_memory_maxMem_MB_Value\{.*\} [1-9]`)
	awaitMetric(t, "shown", "driver", ":4040/metrics/executors/prometheus", `^metrics_executor_completedTasks_total\{.*executor_id="1".*\} [1-9]`)
	checkUnderPath(t, podAddress(t, "shown", "driver")+":4040", "/team/shown")
}

// checkUnderPath reads the web interface as an Ingress shows it, which takes path away, and follows all its links.
func checkUnderPath(t *testing.T, driver, path string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: driver})
	outside := httptest.NewServer(http.StripPrefix(path, proxy))
	defer outside.Close()
	page, at := fetch(t, outside.URL+path+"/")
	if want := outside.URL + path + "/jobs/"; at != want {
		t.Errorf("the interface leads to %s, want %s", at, want)
	}
	links := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 10 {
		t.Fatalf("the page has only the links %v", links)
	}
	for _, link := range links {
		fetch(t, outside.URL+html.UnescapeString(link[1]))
	}
}

// fetch returns a page and the address that it was found at in the end.
func fetch(t *testing.T, address string) (page, at string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", address, answer.Status)
	}
	return string(text), answer.Request.URL.String()
}

// podAddress returns the IP address of the one pod of a role, or "" if there is none yet.
func podAddress(t *testing.T, app, role string) string {
	t.Helper()
	return kubectl(t, "get", "pods", "-l", v1beta2.LabelAppName+"="+app+","+v1beta2.LabelSparkRole+"="+role,
		"-o", "jsonpath={.items[*].status.podIP}")
}

// awaitMetric waits for a metric of the pods of a role that has the form.
func awaitMetric(t *testing.T, app, role, at, form string) {
	t.Helper()
	wanted := regexp.MustCompile("(?m)" + form)
	eventually(t, lifeLimit, app+" shows "+form, func() error {
		address := podAddress(t, app, role)
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
