//go:build e2e

package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

// TestJobs runs kinds of work that ask more of Spark on Kubernetes than one job from beginning to end.
func TestJobs(t *testing.T) {
	createJobs(t)
	t.Run("Applications", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"DynamicAllocation": testDynamicAllocation,
			"Streaming":         testStreaming,
			"SQL":               testSQL,
			"Exporter":          testExporter,
			"Servlets":          testServlets,
			"Sizes":             testSizes,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

// folder returns an address in the object store that no other test has.
func folder(name string) string {
	return "s3a://brazier/e2e/" + name + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

func wantInLog(t *testing.T, app string, wanted ...string) {
	t.Helper()
	log := driverLog(t, app)
	for _, want := range wanted {
		if !strings.Contains(log, want) {
			t.Errorf("want %q in the log of %s:\n%s", want, app, log)
		}
	}
}

// testDynamicAllocation has executors leave by decommissioning: the driver asks them to, and they end by themselves.
func testDynamicAllocation(t *testing.T) {
	apply(t, "dynamic", "dynamic.py", func(app *v1beta2.SparkApplication) {
		app.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{
			Enabled: true, InitialExecutors: new(int32(0)), MinExecutors: new(int32(0)), MaxExecutors: new(int32(2)),
		}
		app.Spec.SparkConf = map[string]string{
			"spark.decommission.enabled":                  "true",
			"spark.dynamicAllocation.executorIdleTimeout": "4s",
		}
	})
	app := awaitState(t, "dynamic", v1beta2.ApplicationStateCompleted)
	wantInLog(t, "dynamic", "executors: 2", "sum: 28",
		"gracefully decommissioned: 2, decommission unfinished: 0, driver killed: 0, unexpectedly exited: 0")
	for name, state := range app.Status.ExecutorState {
		if state != v1beta2.ExecutorStateCompleted {
			t.Errorf("executor %s is %s; it was asked to go and did", name, state)
		}
	}
}

func testStreaming(t *testing.T) {
	apply(t, "streaming", "streaming.py", func(app *v1beta2.SparkApplication) {
		app.Spec.Arguments = []string{folder("streaming")}
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(1)), OnFailureRetryInterval: new(int64(1)),
			OnSubmissionFailureRetries: new(int32(0)), OnSubmissionFailureRetryInterval: new(int64(1)),
		}
	})
	app := awaitState(t, "streaming", v1beta2.ApplicationStateCompleted)
	if app.Status.ExecutionAttempts != 2 {
		t.Errorf("want it to die once and be run again, got %d attempts", app.Status.ExecutionAttempts)
	}
	wantInLog(t, "streaming", "rows whole: from 0 to")
	if strings.Contains(driverLog(t, "streaming"), "began again at batch 0\n") {
		t.Error("the checkpoint was not used")
	}
}

func testSQL(t *testing.T) {
	apply(t, "sql", "sql.py", func(app *v1beta2.SparkApplication) { app.Spec.Arguments = []string{folder("sql")} })
	awaitState(t, "sql", v1beta2.ApplicationStateCompleted)
	wantInLog(t, "sql", "best weekday: 5 with 35893.0")
}
