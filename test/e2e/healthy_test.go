//go:build e2e && causes

package e2e

import (
	"maps"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/v1beta2"
)

// healthy are runs that end well, each of another kind: the way of testdata/causes/healthy.py, and what is special about it.
// Some of them say things on the way that others fail of.
var healthy = map[string]struct {
	way    string
	change func(*v1beta2.SparkApplication)
}{
	"plain":       {way: "counts"},
	"no-work":     {way: "nothing"},
	"exits":       {way: "exits"},
	"shuffle":     {way: "shuffles"},
	"broadcast":   {way: "broadcasts"},
	"cache":       {way: "caches"},
	"caught":      {way: "catches"},
	"complaints":  {way: "complains"},
	"second-try":  {way: "tries_again"},
	"lost":        {way: "loses_an_executor"},
	"threads":     {way: "threads"},
	"stream":      {way: "streams"},
	"udf":         {way: "udf"},
	"slow":        {way: "waits"},
	"sql":         {way: "sql"},
	"parquet":     {way: "writes"},
	"two":         {way: "shuffles", change: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Instances = new(int32(2)) }},
	"dynamic":     {way: "waits", change: func(a *v1beta2.SparkApplication) { a.Spec.DynamicAllocation = dynamicFrom(0) }},
	"given-back":  {way: "waits", change: func(a *v1beta2.SparkApplication) { a.Spec.DynamicAllocation = dynamicFrom(2); idle(a, "2s") }},
	"retries":     {way: "counts", change: func(a *v1beta2.SparkApplication) { a.Spec.RestartPolicy = retries() }},
	"sidecar":     {way: "counts", change: withSidecar},
	"init":        {way: "counts", change: withInit},
	"local-dir":   {way: "shuffles", change: withLocalDir},
	"overhead":    {way: "udf", change: func(a *v1beta2.SparkApplication) { a.Spec.Executor.MemoryOverhead = "512m" }},
	"cores":       {way: "shuffles", change: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Cores = new(int32(2)) }},
	"environment": {way: "counts", change: func(a *v1beta2.SparkApplication) { a.Spec.Driver.Env = []corev1.EnvVar{{Name: "TOKEN", Value: "x"}} }},
	"node": {way: "counts", change: func(a *v1beta2.SparkApplication) {
		a.Spec.NodeSelector = map[string]string{"kubernetes.io/os": "linux"}
	}},
	"structured":   {way: "catches", change: conf("spark.log.structuredLogging.enabled", "true")},
	"speculation":  {way: "shuffles", change: conf("spark.speculation", "true")},
	"decommission": {way: "shuffles", change: conf("spark.decommission.enabled", "true")},
	"no-ui":        {way: "sql", change: conf("spark.ui.enabled", "false")},
	"short-lived":  {way: "counts", change: func(a *v1beta2.SparkApplication) { a.Spec.Driver.TerminationGracePeriodSeconds = new(int64(1)) }},
}

// wave is how many applications are there at once: a driver and an executor each take a few hundred megabytes.
const wave = 8

// TestHealthy wants nothing to be said against runs that end well.
func TestHealthy(t *testing.T) {
	kubectl(t, "delete", "configmap", "jobs", "--ignore-not-found")
	kubectl(t, "create", "configmap", "jobs", "--from-file=testdata/causes/healthy.py")
	deleteAfter(t, "configmap/jobs")
	for some := range slices.Chunk(slices.Sorted(maps.Keys(healthy)), wave) {
		t.Run("From"+some[0], func(t *testing.T) {
			for _, name := range some {
				apply(t, name, "healthy.py", func(app *v1beta2.SparkApplication) {
					app.Spec.Arguments = []string{healthy[name].way}
					if change := healthy[name].change; change != nil {
						change(app)
					}
				})
			}
			for _, name := range some {
				t.Run(name, func(t *testing.T) { awaitState(t, name, v1beta2.ApplicationStateCompleted) })
			}
		})
	}
}

func conf(key, value string) func(*v1beta2.SparkApplication) {
	return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{key: value} }
}

func dynamicFrom(initial int32) *v1beta2.DynamicAllocation {
	return &v1beta2.DynamicAllocation{Enabled: true, InitialExecutors: &initial, MinExecutors: new(int32(0)), MaxExecutors: new(int32(2))}
}

func idle(a *v1beta2.SparkApplication, after string) {
	conf("spark.dynamicAllocation.executorIdleTimeout", after)(a)
}

func retries() v1beta2.RestartPolicy {
	return v1beta2.RestartPolicy{
		Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(1)), OnFailureRetryInterval: new(int64(1)),
		OnSubmissionFailureRetries: new(int32(0)), OnSubmissionFailureRetryInterval: new(int64(1)),
	}
}

func withSidecar(a *v1beta2.SparkApplication) {
	a.Spec.Driver.Sidecars = []corev1.Container{{Name: "proxy", Image: sparkImage, Command: []string{"sleep", "infinity"}}}
}

func withInit(a *v1beta2.SparkApplication) {
	a.Spec.Driver.InitContainers = []corev1.Container{{Name: "first", Image: sparkImage, Command: []string{"true"}}}
}

// sparkImage is the image that brazier up gives the operator.
const sparkImage = "10.97.0.1:5000/spark:4.3.0"

func withLocalDir(a *v1beta2.SparkApplication) {
	const local = "spark-local-dir-1"
	a.Spec.Volumes = []corev1.Volume{{Name: local, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("1Gi"))},
	}}}
	a.Spec.Executor.VolumeMounts = []corev1.VolumeMount{{Name: local, MountPath: "/var/data/scratch"}}
}
