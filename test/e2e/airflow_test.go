//go:build e2e && airflow

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	// etl is the namespace of examples/airflow.
	etl     = "etl"
	piDAG   = "brazier_pi"
	waitDAG = "brazier_wait"
)

// TestAirflow runs the DAGs of examples/airflow with Airflow and its provider for Kubernetes, as they are published and
// with no more rights than examples/airflow/rights.yaml gives.
func TestAirflow(t *testing.T) {
	prepare(t)
	a := startAirflow(t, airflowKubeconfig(t))
	for _, test := range []struct {
		name string
		do   func(*testing.T, *airflow)
	}{
		{"Succeeds", testAirflowSucceeds},
		{"Fails", testAirflowFails},
		{"Sensor", testAirflowSensor},
		{"Killed", testAirflowKilled},
	} {
		t.Run(test.name, func(t *testing.T) { test.do(t, a) })
	}
}

// prepare makes the namespace, with an account for drivers and the rights of Airflow.
func prepare(t *testing.T) {
	t.Helper()
	kubectl(t, "create", "namespace", etl)
	deleteAfter(t, "namespace/"+etl)
	kubectl(t, "create", "serviceaccount", "spark", "--namespace="+etl)
	kubectl(t, "create", "rolebinding", "spark", "--namespace="+etl, "--clusterrole=edit", "--serviceaccount="+etl+":spark")
	kubectl(t, "apply", "-f", "../../examples/airflow/rights.yaml")
}

// airflowKubeconfig returns a kubeconfig in which Airflow's account is the only user.
func airflowKubeconfig(t *testing.T) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(filepath.Join(home, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		*user = clientcmdapi.AuthInfo{Token: kubectl(t, "create", "token", "airflow", "--namespace="+etl, "--duration=1h")}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// piTasks are the tasks of the DAG piDAG: the first waits itself, the second in the triggerer.
func piTasks(a *airflow, run string) []task {
	return []task{{a, piDAG, run, "pi"}, {a, piDAG, run, "pi_deferred"}}
}

func testAirflowSucceeds(t *testing.T, a *airflow) {
	a.trigger(t, piDAG, "good", nil)
	for _, k := range piTasks(a, "good") {
		k.await(t, "success")
		k.wantInLog(t, "Pi is roughly 3.1")
		if app := k.application(t); app != nil {
			t.Errorf("task %s has left its application %s", k.id, app.Name)
		}
	}
}

func testAirflowFails(t *testing.T, a *airflow) {
	a.trigger(t, piDAG, "bad", map[string]any{"partitions": "many"})
	for _, k := range piTasks(a, "bad") {
		k.await(t, "failed")
		k.wantInLog(t, "ValueError: invalid literal for int() with base 10: 'many'")
	}
}

// testAirflowSensor has applications that Airflow has not submitted.
func testAirflowSensor(t *testing.T, a *airflow) {
	example, err := os.ReadFile("../../examples/pi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fails := strings.NewReplacer("name: pi", "name: fails", `["20"]`, `["many"]`).Replace(string(example))
	for _, manifest := range []string{string(example), fails} {
		create := command(t.Context(), "kubectl", "create", "--namespace="+etl, "-f", "-")
		create.Stdin = strings.NewReader(manifest)
		must(t, create)
	}
	a.trigger(t, waitDAG, "good", map[string]any{"application": "pi"})
	a.trigger(t, waitDAG, "bad", map[string]any{"application": "fails"})

	good := task{a, waitDAG, "good", "wait"}
	good.await(t, "success")
	good.wantInLog(t, "Spark application ended successfully", "Pi is roughly 3.1")
	bad := task{a, waitDAG, "bad", "wait"}
	bad.await(t, "failed")
	bad.wantInLog(t, "Spark application failed with state: FAILED", "ValueError: invalid literal for int() with base 10: 'many'")
}

// testAirflowKilled marks tasks as failed whose applications are at work.
func testAirflowKilled(t *testing.T, a *airflow) {
	a.trigger(t, piDAG, "long", map[string]any{"partitions": 5000})
	waits, deferred := piTasks(a, "long")[0], piTasks(a, "long")[1]
	waits.await(t, "running")
	deferred.await(t, "deferred")
	for _, k := range []task{waits, deferred} {
		app := k.atWork(t)
		k.markFailed(t)
		k.await(t, "failed")
		eventually(t, airflowLimit, "no pod of "+app, func() error {
			if left := kubectl(t, "get", "pods", "--namespace="+etl, "-l", v1beta2.LabelAppName+"="+app, "-o", "name"); left != "" {
				return fmt.Errorf("there are %s", strings.Fields(left))
			}
			return nil
		})
	}
	if app := waits.application(t); app != nil {
		t.Errorf("the application of a killed task is left: %s", app.Name)
	}
	// Where a task waits in the triggerer, the provider deletes the driver's pod, not the application.
	eventually(t, airflowLimit, "the end of the application of the deferred task", func() error {
		app := deferred.application(t)
		if state := app.Status.AppState.State; state != v1beta2.ApplicationStateFailed {
			return fmt.Errorf("it is %s", state)
		}
		if app.Status.ExecutionAttempts != 1 {
			t.Errorf("the killed application ran %d times", app.Status.ExecutionAttempts)
		}
		return nil
	})
}

// application returns the task's application as it is now, or nil if there is none. The provider labels the pods, and so
// the application's specification, with what they belong to.
func (k task) application(t *testing.T) *v1beta2.SparkApplication {
	t.Helper()
	var all v1beta2.SparkApplicationList
	if err := json.Unmarshal([]byte(kubectl(t, "get", "sparkapplications", "--namespace="+etl, "-o", "json")), &all); err != nil {
		t.Fatal(err)
	}
	for _, app := range all.Items {
		if labels := app.Spec.Driver.Labels; labels["run_id"] == k.run && labels["task_id"] == k.id {
			return &app
		}
	}
	return nil
}

// atWork waits until the task's application has an executor that runs, and returns the application's name.
func (k task) atWork(t *testing.T) (name string) {
	t.Helper()
	eventually(t, airflowLimit, "an executor of task "+k.id, func() error {
		app := k.application(t)
		if app == nil {
			return fmt.Errorf("no application in namespace %s is labelled with its name", etl)
		}
		name = app.Name
		for _, state := range app.Status.ExecutorState {
			if state == v1beta2.ExecutorStateRunning {
				return nil
			}
		}
		return fmt.Errorf("%s is %s: %s", name, app.Status.AppState.State, app.Status.AppState.ErrorMessage)
	})
	return name
}

// wantInLog looks for texts in the task's log, and for signs of a right that is missing.
func (k task) wantInLog(t *testing.T, wanted ...string) {
	t.Helper()
	log := k.log(t)
	for _, want := range wanted {
		if !strings.Contains(log, want) {
			t.Errorf("want %q in the log of task %s of run %s:\n%s", want, k.id, k.run, log)
		}
	}
	if strings.Contains(strings.ToLower(log), "forbidden") {
		t.Errorf("task %s of run %s lacks a right:\n%s", k.id, k.run, log)
	}
}
