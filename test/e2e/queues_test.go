//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// defaultReclaims is how often executors are taken from one application in make test; BRAZIER_RECLAIMS=50 is for those who
// have the time.
const defaultReclaims = 2

// TestQueues has an application in one queue burst into what another one is guaranteed, and give it back when that wants it,
// over and over, without losing a block: what its event log says of failed fetches and of stages that were run again counts.
func TestQueues(t *testing.T) {
	createJobs(t)
	makeQueues(t)
	apply(t, "bursts", "bursts.py", inQueue("borrower"), elastic(8))
	awaitExecutors(t, "bursts", 5) // all that there is beside the drivers
	awaitRounds(t, "bursts", 2)

	for i := range reclaims(t) {
		name := fmt.Sprintf("lender-%d", i)
		apply(t, name, "pi.py", inQueue("lender"), func(app *v1beta2.SparkApplication) {
			app.Spec.Executor.Instances = new(int32(2))
		})
		if i == 0 {
			tellsTheStory(t, name)
		}
		awaitState(t, name, v1beta2.ApplicationStateCompleted)
		kubectl(t, "delete", "sparkapplication", name, "--cascade=foreground")
		awaitExecutors(t, "bursts", 5)
	}
	kubectl(t, "exec", "bursts-driver", "-c", v1beta2.DriverContainerName, "--", "touch", "/tmp/end")
	awaitState(t, "bursts", v1beta2.ApplicationStateCompleted)
	wantInLog(t, "bursts", "fetches failed: 0, stages resubmitted: 0, executors removed: ")
	removed, err := strconv.Atoi(regexp.MustCompile(`executors removed: (\d+)`).FindStringSubmatch(driverLog(t, "bursts"))[1])
	if err != nil || removed < reclaims(t) {
		t.Errorf("want executors taken %d times, its event log has %d that were removed", reclaims(t), removed)
	}
}

func reclaims(t *testing.T) int {
	t.Helper()
	said := os.Getenv("BRAZIER_RECLAIMS")
	if said == "" {
		return defaultReclaims
	}
	n, err := strconv.Atoi(said)
	if err != nil {
		t.Fatalf("BRAZIER_RECLAIMS: %v", err)
	}
	return n
}

// makeQueues makes a cluster of seven pods of 100m: room for a driver and five executors, and one more driver.
func makeQueues(t *testing.T) {
	t.Helper()
	queue := func(name string, spec v1alpha1.QueueSpec) {
		applyObject(t, &v1alpha1.Queue{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Queue"},
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec,
		})
		deleteAfter(t, "queue/"+name)
	}
	cpu := func(amount string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(amount)}
	}
	queue(v1alpha1.RootQueue, v1alpha1.QueueSpec{Cluster: &v1alpha1.ClusterShares{
		ReclaimPercent: new(int32(100)),
		Flavours: []v1alpha1.Flavour{{
			Name: v1alpha1.DefaultFlavour,
			Capacity: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("600m"), corev1.ResourceMemory: resource.MustParse("64Gi"),
			},
		}},
	}})
	queue("borrower", v1alpha1.QueueSpec{Reclaim: &v1alpha1.Reclaim{CoolDown: &metav1.Duration{}}})
	queue("lender", v1alpha1.QueueSpec{Quotas: []v1alpha1.Quota{{
		Flavour: v1alpha1.DefaultFlavour, Guaranteed: cpu("300m"),
	}}})
}

// inQueue puts an application of small pods into a queue.
func inQueue(queue string) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Labels = map[string]string{v1alpha1.LabelQueue: queue}
		app.Spec.Driver.CoreRequest, app.Spec.Executor.CoreRequest = "100m", "100m"
	}
}

// elastic has an application take as many executors as it is given, up to most.
func elastic(most int32) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Spec.Arguments = []string{"16"}
		app.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{
			Enabled: true, InitialExecutors: new(int32(1)), MinExecutors: new(int32(1)), MaxExecutors: &most,
		}
		app.Spec.SparkConf = map[string]string{"spark.dynamicAllocation.schedulerBacklogTimeout": "1s"}
	}
}

// awaitExecutors waits until so many executors of an application run.
func awaitExecutors(t *testing.T, app string, want int) {
	t.Helper()
	eventually(t, lifeLimit, fmt.Sprintf("%s has %d executors", app, want), func() error {
		var pods corev1.PodList
		selector := v1beta2.LabelAppName + "=" + app + "," + v1beta2.LabelSparkRole + "=" + v1beta2.SparkRoleExecutor
		if err := json.Unmarshal([]byte(kubectl(t, "get", "pods", "-l", selector, "-o", "json")), &pods); err != nil {
			return err
		}
		running := 0
		for _, pod := range pods.Items {
			if pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil {
				running++
			}
		}
		if running != want {
			return fmt.Errorf("%d of %d pods run", running, len(pods.Items))
		}
		return nil
	})
}

func awaitRounds(t *testing.T, app string, want int) {
	t.Helper()
	eventually(t, lifeLimit, app+" gets on", func() error {
		if log := driverLog(t, app); strings.Count(log, "\nround ") < want {
			return fmt.Errorf("its log has %d rounds", strings.Count(log, "\nround "))
		}
		return nil
	})
}

// tellsTheStory wants brazier queue to say who borrows and who waits while it is so.
func tellsTheStory(t *testing.T, waiting string) {
	t.Helper()
	eventually(t, lifeLimit, "brazier queue tells of "+waiting, func() error {
		out := brazier(t, "queue")
		for _, want := range []string{"borrower", "lender"} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("want %q in it:\n%s", want, out)
			}
		}
		t.Log(out)
		return nil
	})
}
