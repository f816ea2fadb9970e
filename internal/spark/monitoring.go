package spark

import (
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Where the files of spec.monitoring are mounted, and what they are called: as the API's established operator has it,
// since manifests refer to them.
const (
	metricsDir        = "/etc/metrics/conf"
	metricsVolumeName = "prometheus-conf"
	metricsFile       = "metrics.properties"
	exporterFile      = "prometheus.yaml"
)

// Paths of Spark's own servlets: PrometheusServlet for what the driver's metrics system has, PrometheusResource for what
// its web interface knows of the executors.
const (
	servletPath   = "/metrics/prometheus"
	executorsPath = "/metrics/executors/prometheus"
	exporterPath  = "/metrics"
)

// exporterRules tell the JMX exporter which metrics to take, and to move what varies from a metric's name to its labels.
// Spark registers a metric as metrics:name=<namespace>.<instance>.<rest>,type=<kind> (JmxReporter of Dropwizard Metrics);
// its namespace is set to the application's namespace and name (setMonitoring). The labels are those that dashboards of
// this API know.
const exporterRules = `lowercaseOutputName: true
attrNameSnakeCase: true
rules:
  - pattern: 'metrics<name=([^.]+)\.(.+)\.driver\.(.+), type=gauges><>Value'
    name: spark_driver_$3
    type: GAUGE
    labels: {app_namespace: "$1", app_id: "$2"}
  - pattern: 'metrics<name=([^.]+)\.(.+)\.driver\.(.+), type=(?:counters|meters|timers|histograms)><>Count'
    name: spark_driver_$3_count
    type: UNTYPED
    labels: {app_namespace: "$1", app_id: "$2"}
  - pattern: 'metrics<name=([^.]+)\.(.+)\.driver\.(.+), type=(?:timers|histograms)><>(Mean|Max|50thPercentile|99thPercentile)'
    name: spark_driver_$3_$4
    type: GAUGE
    labels: {app_namespace: "$1", app_id: "$2"}
  - pattern: 'metrics<name=([^.]+)\.(.+)\.([0-9]+)\.(?:executor\.)?(.+), type=gauges><>Value'
    name: spark_executor_$4
    type: GAUGE
    labels: {app_namespace: "$1", app_id: "$2", executor_id: "$3"}
  - pattern: 'metrics<name=([^.]+)\.(.+)\.([0-9]+)\.(?:executor\.)?(.+), type=(?:counters|meters|timers|histograms)><>Count'
    name: spark_executor_$4_count
    type: UNTYPED
    labels: {app_namespace: "$1", app_id: "$2", executor_id: "$3"}
`

// exporter returns the application's JMX exporter, or nil if its metrics come from Spark's own servlets or from nowhere.
func exporter(app *v1beta2.SparkApplication) *v1beta2.PrometheusSpec {
	if app.Spec.Monitoring == nil {
		return nil
	}
	return app.Spec.Monitoring.Prometheus
}

func exporterPort(prometheus *v1beta2.PrometheusSpec) int32 {
	if prometheus.Port != nil {
		return *prometheus.Port
	}
	return v1beta2.DefaultPrometheusPort
}

// setMonitoring sets the properties that make driver and executors show their metrics: through a JMX exporter in each
// where the application names one, as Spark's servlets in the driver's web interface otherwise.
func setMonitoring(s *settings, app *v1beta2.SparkApplication) {
	monitoring, spec := app.Spec.Monitoring, field.NewPath("spec", "monitoring")
	if monitoring == nil {
		return
	}
	switch {
	case monitoring.MetricsPropertiesFile != "":
		s.set("spark.metrics.conf", monitoring.MetricsPropertiesFile, spec.Child("metricsPropertiesFile"))
	case monitoring.MetricsProperties != "":
		s.set("spark.metrics.conf", path.Join(metricsDir, metricsFile), spec.Child("metricsProperties"))
	default:
		s.fill("spark.metrics.conf.driver.source.jvm.class", "org.apache.spark.metrics.source.JvmSource", spec)
		s.fill("spark.metrics.conf.executor.source.jvm.class", "org.apache.spark.metrics.source.JvmSource", spec)
	}
	if exporter(app) != nil {
		setExporter(s, app)
	} else {
		setServlets(s, app)
	}
}

func setExporter(s *settings, app *v1beta2.SparkApplication) {
	monitoring, spec := app.Spec.Monitoring, field.NewPath("spec", "monitoring", "prometheus")
	if !s.has("spark.metrics.conf") {
		s.fill("spark.metrics.conf.*.sink.jmx.class", "org.apache.spark.metrics.sink.JmxSink", spec)
	}
	s.fill("spark.metrics.namespace", app.Namespace+"."+app.Name, spec)

	configuration := monitoring.Prometheus.ConfigFile
	if configuration == "" {
		configuration = path.Join(metricsDir, exporterFile)
	}
	port := strconv.Itoa(int(exporterPort(monitoring.Prometheus)))
	agent := "-javaagent:" + monitoring.Prometheus.JMXExporterJar + "=" + port + ":" + configuration
	exposed := map[string]bool{"driver": monitoring.ExposeDriverMetrics, "executor": monitoring.ExposeExecutorMetrics}
	for role, exposed := range exposed {
		if !exposed {
			continue
		}
		options := "spark." + role + ".extraJavaOptions"
		s.set(options, strings.TrimSpace(s.get(options)+" "+agent), spec.Child("jmxExporterJar"))
		setScraped(s, role, v1beta2.MetricsByExporter, port, exporterPath, spec)
	}
}

// setServlets makes Spark's web interface show metrics. Both servlets are the driver's, so that only it is scraped.
func setServlets(s *settings, app *v1beta2.SparkApplication) {
	monitoring, spec := app.Spec.Monitoring, field.NewPath("spec", "monitoring")
	if !monitoring.ExposeDriverMetrics && !monitoring.ExposeExecutorMetrics {
		return
	}
	at := executorsPath
	if monitoring.ExposeDriverMetrics {
		// Without the slash Jetty leads to where it is below spark.ui.proxyBase, which is nowhere inside the cluster.
		at = servletPath + "/"
		s.fill("spark.metrics.conf.driver.sink.prometheusServlet.class", "org.apache.spark.metrics.sink.PrometheusServlet", spec)
		s.fill("spark.metrics.conf.driver.sink.prometheusServlet.path", servletPath, spec)
		// It is part of each metric's name. Spark's default is the application's ID, with which no query could be written.
		s.fill("spark.metrics.namespace", "spark", spec)
	}
	s.fill("spark.ui.prometheus.enabled", strconv.FormatBool(monitoring.ExposeExecutorMetrics), spec.Child("exposeExecutorMetrics"))
	setScraped(s, "driver", v1beta2.MetricsByServlet, strconv.Itoa(int(s.port("spark.ui.port", defaultUI))), at, spec)
}

// setScraped says on a role's pods where their metrics are: by the annotations that many Prometheus configurations look
// for, and by a label that a PodMonitor can select.
func setScraped(s *settings, role, by, port, at string, spec *field.Path) {
	pods := "spark.kubernetes." + role + "."
	s.fill(pods+"annotation.prometheus.io/scrape", "true", spec)
	s.fill(pods+"annotation.prometheus.io/port", port, spec)
	s.fill(pods+"annotation.prometheus.io/path", at, spec)
	s.set(pods+"label."+v1beta2.LabelMetrics, by, spec)
}

// metricsFiles are the files that driver and executors find below metricsDir.
func (p *planner) metricsFiles() map[string]string {
	monitoring, files := p.app.Spec.Monitoring, map[string]string{}
	if monitoring == nil {
		return nil
	}
	if monitoring.MetricsProperties != "" && monitoring.MetricsPropertiesFile == "" {
		files[metricsFile] = monitoring.MetricsProperties
	}
	if prometheus := monitoring.Prometheus; prometheus != nil && prometheus.ConfigFile == "" {
		files[exporterFile] = exporterRules
		if prometheus.Configuration != "" {
			files[exporterFile] = prometheus.Configuration
		}
	}
	return files
}

func (p *planner) metricsConf() []*corev1.ConfigMap {
	files := p.metricsFiles()
	if len(files) == 0 {
		return nil
	}
	return []*corev1.ConfigMap{p.configMap(p.names.metrics, files, nil)}
}

// metrics gives a role's pod what its metrics need: the files, and the exporter's port with a name.
func (p *planner) metrics(r role, pod *corev1.PodSpec, spark *corev1.Container) {
	if len(p.metricsFiles()) > 0 {
		addVolume(pod, corev1.Volume{Name: metricsVolumeName, VolumeSource: configMapSource(p.names.metrics)})
		spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: metricsVolumeName, MountPath: metricsDir, ReadOnly: true})
	}
	prometheus := exporter(p.app)
	if prometheus == nil || !p.exposed(r) {
		return
	}
	number, name := exporterPort(prometheus), prometheus.PortName
	if name == "" {
		name = v1beta2.DefaultPrometheusPortName
	}
	if !slices.ContainsFunc(spark.Ports, func(port corev1.ContainerPort) bool { return port.ContainerPort == number }) {
		spark.Ports = append(spark.Ports, corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: corev1.ProtocolTCP})
	}
}

func (p *planner) exposed(r role) bool {
	if r.name == "driver" {
		return p.app.Spec.Monitoring.ExposeDriverMetrics
	}
	return p.app.Spec.Monitoring.ExposeExecutorMetrics
}

// scrapers let anyone connect to the exporters of executors, which Spark's own policy keeps to the application: whoever
// scrapes runs in a namespace that is not known here. It is that one port, and nothing but metrics is to be had there.
func (p *planner) scrapers() []networkingv1.NetworkPolicyIngressRule {
	prometheus := exporter(p.app)
	if prometheus == nil || !p.app.Spec.Monitoring.ExposeExecutorMetrics {
		return nil
	}
	protocol, port := corev1.ProtocolTCP, intstr.FromInt32(exporterPort(prometheus))
	return []networkingv1.NetworkPolicyIngressRule{{Ports: []networkingv1.NetworkPolicyPort{{Protocol: &protocol, Port: &port}}}}
}

func validateMonitoring(app *v1beta2.SparkApplication, conf *settings) field.ErrorList {
	var errs field.ErrorList
	monitoring, spec := app.Spec.Monitoring, field.NewPath("spec", "monitoring")
	if monitoring == nil {
		return nil
	}
	inImage := func(at *field.Path, file string) {
		if file != "" && !path.IsAbs(file) {
			errs = append(errs, field.Invalid(at, file, "is not the path of a file in the image; begin it with /"))
		}
	}
	inImage(spec.Child("metricsPropertiesFile"), monitoring.MetricsPropertiesFile)
	prometheus := monitoring.Prometheus
	if prometheus == nil {
		if (monitoring.ExposeDriverMetrics || monitoring.ExposeExecutorMetrics) && strings.EqualFold(conf.get("spark.ui.enabled"), "false") {
			errs = append(errs, field.Invalid(conf.said["spark.ui.enabled"], "false",
				"turns off the web interface, which shows the metrics of spec.monitoring; leave it on, or use spec.monitoring.prometheus"))
		}
		return errs
	}
	if prometheus.JMXExporterJar == "" {
		errs = append(errs, field.Required(spec.Child("prometheus", "jmxExporterJar"),
			"the path of the exporter's jar in the image, for example /opt/prometheus/jmx_prometheus_javaagent.jar; leave spec.monitoring.prometheus out for Spark's own metrics"))
	}
	inImage(spec.Child("prometheus", "jmxExporterJar"), prometheus.JMXExporterJar)
	inImage(spec.Child("prometheus", "configFile"), prometheus.ConfigFile)
	if prometheus.PortName != "" {
		for _, why := range validation.IsValidPortName(prometheus.PortName) {
			errs = append(errs, field.Invalid(spec.Child("prometheus", "portName"), prometheus.PortName, why))
		}
	}
	if host := app.Spec.Executor.HostNetwork; host != nil && *host && monitoring.ExposeExecutorMetrics {
		errs = append(errs, field.Forbidden(spec.Child("prometheus"),
			"spec.executor.hostNetwork is set, and two executors on a node cannot listen on one port; keep one of them"))
	}
	return errs
}
