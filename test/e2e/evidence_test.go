//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// TestEvidence has runs fail, deletes their applications, and looks at what is left of them.
func TestEvidence(t *testing.T) {
	createJobs(t)
	t.Run("Applications", func(t *testing.T) {
		t.Run("Leaks", func(t *testing.T) {
			t.Parallel()
			testLeaks(t)
		})
		t.Run("Hungry", func(t *testing.T) {
			t.Parallel()
			testHungry(t)
		})
	})
}

// testLeaks has a job fail twice that has said a secret before.
func testLeaks(t *testing.T) {
	apply(t, "leaks", "leaks.py", func(app *v1beta2.SparkApplication) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(1)), OnFailureRetryInterval: new(int64(1)),
			OnSubmissionFailureRetries: new(int32(0)), OnSubmissionFailureRetryInterval: new(int64(1)),
		}
	})
	awaitState(t, "leaks", v1beta2.ApplicationStateFailed)
	awaitRecords(t, "leaks", 2)
	kubectl(t, "delete", "sparkapplication", "leaks", "--cascade=foreground")
	for _, record := range awaitRecords(t, "leaks", 2) {
		said := text(t, record)
		if strings.Contains(said, "hunter2") {
			t.Errorf("a secret is in record %s: %s", record.Name, said)
		}
		for _, wanted := range []string{"connecting with password=", "ValueError: cannot settle 7 rows", "leaks.py", "in settle"} {
			if !strings.Contains(said, wanted) {
				t.Errorf("record %s does not have %q: %s", record.Name, wanted, said)
			}
		}
	}
}

// testHungry has the kernel end an executor, which its driver deletes at once.
func testHungry(t *testing.T) {
	apply(t, "hungry", "hungry.py", func(app *v1beta2.SparkApplication) {
		app.Spec.SparkConf = map[string]string{"spark.task.maxFailures": "1"}
		app.Spec.Executor.JavaOptions = "-Xms600m -XX:+AlwaysPreTouch" // so that the JVM, and not Python, is the largest process
	})
	awaitState(t, "hungry", v1beta2.ApplicationStateFailed)
	awaitRecords(t, "hungry", 1)
	kubectl(t, "delete", "sparkapplication", "hungry", "--cascade=foreground")
	record := awaitRecords(t, "hungry", 1)[0]
	if !slices.ContainsFunc(record.Evidence.Pods, func(pod v1alpha1.Pod) bool {
		return pod.Role == v1alpha1.RoleExecutor && slices.ContainsFunc(pod.Containers, func(c v1alpha1.Container) bool {
			return c.Terminated != nil && c.Terminated.Reason == "OOMKilled"
		})
	}) {
		t.Errorf("no executor was ended for want of memory: %s", text(t, record))
	}
	if len(record.Causes) == 0 || record.Causes[0].Code != "executor-out-of-memory" {
		t.Errorf("want executor-out-of-memory first, got: %s", text(t, record))
	}
}

// awaitRecords returns the records of an application when there are so many whose runs have ended.
func awaitRecords(t *testing.T, app string, runs int) []v1alpha1.RunRecord {
	t.Helper()
	var list v1alpha1.RunRecordList
	eventually(t, lifeLimit, fmt.Sprintf("%d records of %s", runs, app), func() error {
		list = v1alpha1.RunRecordList{}
		if err := json.Unmarshal([]byte(kubectl(t, "get", "runrecords", "-l", v1beta2.LabelAppName+"="+app, "-o", "json")), &list); err != nil {
			return err
		}
		list.Items = slices.DeleteFunc(list.Items, func(r v1alpha1.RunRecord) bool { return r.Ended == nil || len(r.Evidence.Logs) == 0 })
		if len(list.Items) != runs {
			return fmt.Errorf("there are %d", len(list.Items))
		}
		return nil
	})
	t.Cleanup(func() {
		must(t, command(context.WithoutCancel(t.Context()), "kubectl", "delete", "runrecords", "--ignore-not-found", "-l", v1beta2.LabelAppName+"="+app))
	})
	return list.Items
}

func text(t *testing.T, record v1alpha1.RunRecord) string {
	t.Helper()
	said, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}
