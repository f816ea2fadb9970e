package v1beta2

// MonitoringSpec says which metrics driver and executors expose, and how.
type MonitoringSpec struct {
	// ExposeDriverMetrics exposes the driver's metrics.
	ExposeDriverMetrics bool `json:"exposeDriverMetrics"`
	// ExposeExecutorMetrics exposes the executors' metrics.
	ExposeExecutorMetrics bool `json:"exposeExecutorMetrics"`
	// MetricsProperties is the content of Spark's metrics.properties.
	// +optional
	MetricsProperties string `json:"metricsProperties,omitempty"`
	// MetricsPropertiesFile is the path of metrics.properties in the image. It wins over metricsProperties.
	// +optional
	MetricsPropertiesFile string `json:"metricsPropertiesFile,omitempty"`
	// Prometheus runs Prometheus's JMX exporter inside driver and executors.
	// +optional
	Prometheus *PrometheusSpec `json:"prometheus,omitempty"`
}

// PrometheusSpec configures Prometheus's JMX exporter.
type PrometheusSpec struct {
	// JMXExporterJar is the path of the exporter's jar in the image.
	JMXExporterJar string `json:"jmxExporterJar"`
	// Port is the port that the exporter listens on. Default: 8090.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=49151
	Port *int32 `json:"port,omitempty"`
	// PortName is the name of that port. Default: jmx-exporter.
	// +optional
	PortName string `json:"portName,omitempty"`
	// ConfigFile is the path of the exporter's configuration in the image. It wins over configuration.
	// +optional
	ConfigFile string `json:"configFile,omitempty"`
	// Configuration is the exporter's configuration, in YAML.
	// +optional
	Configuration string `json:"configuration,omitempty"`
}

// Defaults of PrometheusSpec.
const (
	// DefaultPrometheusPort is the port that the JMX exporter listens on.
	DefaultPrometheusPort int32 = 8090
	// DefaultPrometheusPortName is the name of that port.
	DefaultPrometheusPortName = "jmx-exporter"
)
