//go:build e2e

package e2e

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podresource "k8s.io/component-helpers/resource"

	"brazier.sh/brazier/api/v1beta2"
)

// testSizes compares what a scheduler of whole applications is told of their size with the pods that Spark then makes.
func testSizes(t *testing.T) {
	apply(t, "sized", "waits.py", func(app *v1beta2.SparkApplication) {
		app.Spec.BatchScheduler = "yunikorn"
		app.Spec.Executor.MemoryOverhead = "150m"
		app.Spec.SparkConf = map[string]string{
			"spark.kubernetes.scheduler.name": "default-scheduler", // there is no other here
			"spark.memory.offHeap.enabled":    "true",
			"spark.memory.offHeap.size":       "33554432",
			"spark.executor.pyspark.memory":   "70m",
		}
		app.Spec.Executor.Sidecars = []corev1.Container{{
			Name: "beside", Image: "10.97.0.1:5000/spark:4.3.0", Command: []string{"sleep", "infinity"},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("10Mi")}},
		}}
	})
	awaitMetric(t, "sized", "driver", ":4040/metrics/executors/prometheus", `^metrics_executor_completedTasks_total\{.*executor_id="1".*\} [1-9]`)
	driver, executor := onlyPod(t, "sized", "driver"), onlyPod(t, "sized", "executor")
	var groups []struct {
		Name        string
		MinResource corev1.ResourceList
	}
	if err := json.Unmarshal([]byte(driver.Annotations["yunikorn.apache.org/task-groups"]), &groups); err != nil {
		t.Fatal(err)
	}
	told, are := map[string]string{}, map[string]string{}
	for _, group := range groups {
		told[group.Name] = inWords(group.MinResource)
	}
	for name, pod := range map[string]*corev1.Pod{"spark-driver": driver, "spark-executor": executor} {
		are[name] = inWords(podresource.PodRequests(pod, podresource.PodResourcesOptions{}))
	}
	if diff := cmp.Diff(are, told); diff != "" {
		t.Errorf("the scheduler is told other sizes than the pods have\n-pods +told:\n%s", diff)
	}
}

func inWords(requests corev1.ResourceList) string {
	return requests.Cpu().String() + " CPU, " + requests.Memory().String()
}

// onlyPod returns the one pod of a role that an application has.
func onlyPod(t *testing.T, app, role string) *corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	text := kubectl(t, "get", "pods", "-l", v1beta2.LabelAppName+"="+app+","+v1beta2.LabelSparkRole+"="+role, "-o", "json")
	if err := json.Unmarshal([]byte(text), &pods); err != nil || len(pods.Items) != 1 {
		t.Fatalf("want one %s of %s, got %d: %v", role, app, len(pods.Items), err)
	}
	return &pods.Items[0]
}
