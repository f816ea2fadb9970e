//go:build e2e && causes

package e2e

import (
	"encoding/json"
	"os/exec"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/objectstore"
)

func sparkFailures() map[string]failure {
	oneTry := func(settings ...string) func(*v1beta2.SparkApplication) {
		return func(app *v1beta2.SparkApplication) {
			app.Spec.SparkConf = map[string]string{"spark.task.maxFailures": "1"}
			for i := 0; i < len(settings); i += 2 {
				app.Spec.SparkConf[settings[i]] = settings[i+1]
			}
		}
	}
	return map[string]failure{
		"unreachable": {
			reason: "Executors have no DNS server that knows the driver.",
			way:    "long",
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{DNSPolicy: corev1.DNSNone}}
				app.Spec.Executor.DNSConfig = &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}
				app.Spec.SparkConf = map[string]string{"spark.kubernetes.executor.useDriverPodIP": "false"} // by its name, as before Spark 4.1
			},
			want: "driver-unreachable", then: "executor-failures",
		},
		"class": {
			reason: "The main class is not in the jar.", prepare: skewed,
			change: func(app *v1beta2.SparkApplication) { runSkewed(app); app.Spec.MainClass = "org.example.Missing" },
			want:   "class-missing",
		},
		"module": {reason: "A Python module is not in the image.", way: "missing_module", want: "python-module-missing"},
		"skew":   {reason: "The jar was compiled against another Spark.", prepare: skewed, change: runSkewed, want: "version-skew"},
		"container": {reason: "An executor's Python takes more than the container may.", way: "container", change: func(app *v1beta2.SparkApplication) {
			oneTry()(app)
			app.Spec.Executor.JavaOptions = "-Xms600m -XX:+AlwaysPreTouch"
		}, want: "executor-out-of-memory"},
		"driver":    {reason: "The driver's Python takes more than the container may.", way: "driver_container", want: "driver-out-of-memory"},
		"heap":      {reason: "A row is larger than the executor's heap.", way: "heap", change: oneTry(), want: "executor-heap-out-of-memory"},
		"collect":   {reason: "More is collected than the driver takes.", way: "collects_too_much", change: oneTry("spark.driver.maxResultSize", "1m"), want: "result-too-large"},
		"broadcast": {reason: "The table to broadcast takes too long to make.", way: "slow_broadcast", change: oneTry("spark.sql.broadcastTimeout", "1", "spark.sql.adaptive.enabled", "false"), want: "broadcast-timeout"},
		"silent": {
			reason: "The executor's JVM stands still.", way: "falls_silent",
			change: oneTry("spark.executor.heartbeatInterval", "1s", "spark.network.timeout", "8s", "spark.network.timeoutInterval", "2s",
				"spark.stage.maxConsecutiveAttempts", "1"),
			want: "executor-silent",
		},
		"shuffle": {
			reason: "The files of a shuffle are lost.", way: "loses_shuffle",
			change: oneTry("spark.stage.maxConsecutiveAttempts", "1"), want: "shuffle-lost",
		},
		"crash":   {reason: "Native code in a Python worker crashes.", way: "crashes", change: oneTry("spark.python.worker.faulthandler.enabled", "true"), want: "python-worker-crash"},
		"data":    {reason: "The job's own code meets data that it does not expect.", way: "wrong_data", change: oneTry(), want: "python-exception"},
		"column":  {reason: "The query names a column that there is not.", way: "wrong_column", want: "query-invalid"},
		"storage": {reason: "The bucket is not there.", prepare: letIntoStore, way: "missing_bucket", want: "storage-missing"},
	}
}

// letIntoStore gives drivers in namespace the credentials that they have in default.
func letIntoStore(t *testing.T, namespace string) {
	t.Helper()
	var secret corev1.Secret
	if err := json.Unmarshal([]byte(kubectl(t, "--namespace", "default", "get", "secret", objectstore.SecretName, "-o", "json")), &secret); err != nil {
		t.Fatal(err)
	}
	secret.ObjectMeta = metav1.ObjectMeta{Name: secret.Name, Namespace: namespace}
	applyObject(t, &secret)
}

// skewed compiles a program against a class of another Spark and puts it where the driver finds it.
func skewed(t *testing.T, namespace string) {
	t.Helper()
	classes := t.TempDir()
	must(t, exec.CommandContext(t.Context(), "javac", "--release", "17", "-implicit:class", "-proc:none",
		"-sourcepath", "testdata/causes/skew", "-d", classes, "testdata/causes/Skewed.java"))
	kubectl(t, "--namespace", namespace, "create", "configmap", "skewed", "--from-file=skewed.jar="+jar(t, classes, "Skewed.class"))
}

func runSkewed(app *v1beta2.SparkApplication) {
	app.Spec.Type, app.Spec.MainClass = v1beta2.SparkApplicationTypeJava, "Skewed"
	app.Spec.MainApplicationFile, app.Spec.Arguments = "local:///opt/skewed/skewed.jar", nil
	app.Spec.Driver.ConfigMaps = []v1beta2.NamePath{{Name: "skewed", Path: "/opt/skewed"}}
}
