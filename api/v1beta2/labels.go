package v1beta2

// Labels of the objects that are made for an application. Clients of this API select pods by the first three.
const (
	// LabelAppName is the name of the application.
	LabelAppName = GroupName + "/app-name"
	// LabelSubmissionID is status.submissionID of the run.
	LabelSubmissionID = GroupName + "/submission-id"
	// LabelLaunchedByOperator is "true" on driver and executor pods.
	LabelLaunchedByOperator = GroupName + "/launched-by-spark-operator"
	// LabelScheduledAppName is the name of the ScheduledSparkApplication that made an application.
	LabelScheduledAppName = GroupName + "/scheduled-app-name"
	// LabelRun is status.run of the run.
	LabelRun = "brazier.sh/run"
	// LabelMetrics says by what a pod shows the metrics of spec.monitoring: MetricsByExporter or MetricsByServlet.
	LabelMetrics = "brazier.sh/metrics"
	// LabelSparkRole is Spark's own label for what a pod does: SparkRoleDriver or SparkRoleExecutor.
	LabelSparkRole = "spark-role"
	// LabelSparkAppSelector is Spark's own label for spark.app.id.
	LabelSparkAppSelector = "spark-app-selector"
	// LabelSparkExecutorID is Spark's own label for the number of an executor.
	LabelSparkExecutorID = "spark-exec-id"
	// LabelSparkProfileID is Spark's own label for the resource profile of an executor.
	LabelSparkProfileID = "spark-exec-resourceprofile-id"
)

// AnnotationDriverStartTimeout on an application is how long its driver may take from the creation of its pod until it
// runs, as a Go duration such as 10m. A run whose driver takes longer has failed. Default: the operator's
// driverStartTimeout; 0 waits for ever.
const AnnotationDriverStartTimeout = "brazier.sh/driver-start-timeout"

// AnnotationRetryDeterministicFailures on an application says whether a run that failed of something that the next one would
// fail of as well is run again where the restart policy allows it: "true" or "false". Default: the operator's
// retryDeterministicFailures.
const AnnotationRetryDeterministicFailures = "brazier.sh/retry-deterministic-failures"

// AnnotationStartDeadline on a schedule is how late a run may begin, as a Go duration such as 1h: after that a time that
// was missed, because the operator was down or an earlier run had not ended, is left out. Default: however late; of
// several that were missed only the last is made up in any case.
const AnnotationStartDeadline = "brazier.sh/start-deadline"

// AnnotationScheduledAt on an application is the time of its schedule that it was made for, in RFC 3339.
const AnnotationScheduledAt = "brazier.sh/scheduled-at"

// Values of LabelMetrics.
const (
	// MetricsByExporter: a JMX exporter shows them on the port of spec.monitoring.prometheus.
	MetricsByExporter = "jmx-exporter"
	// MetricsByServlet: Spark's own servlets show them on the port of the driver's web interface.
	MetricsByServlet = "servlet"
)

// Values of LabelSparkRole.
const (
	SparkRoleDriver   = "driver"
	SparkRoleExecutor = "executor"
)

// Names of containers, by which clients read logs. They are Spark's own defaults.
const (
	// DriverContainerName is the name of the container that Spark's driver runs in.
	DriverContainerName = "spark-kubernetes-driver"
	// ExecutorContainerName is the name of the container that a Spark executor runs in.
	ExecutorContainerName = "spark-kubernetes-executor"
)
