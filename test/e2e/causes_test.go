//go:build e2e && causes

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// failure is a fault that is provoked for real, and what has to be said of it first.
type failure struct {
	reason string
	// way is the function of testdata/causes/fails.py that fails; "" is for those that do not get so far.
	way string
	// prepare makes what there has to be beside the application, in its namespace.
	prepare func(t *testing.T, namespace string)
	change  func(app *v1beta2.SparkApplication)
	// meanwhile is what happens to the application while it runs.
	meanwhile func(t *testing.T, namespace, name string)
	// waits says that the application does not fail but wait, unkept that the operator keeps no record of it.
	waits, unkept bool
	// want is the code of the first cause; then, of one that has to be there as its consequence.
	want, then string
}

// TestCauses provokes the causes of docs/why.md, and asks why. As many applications are there at once as tests run side by
// side (-parallel): a driver and an executor each take a few hundred megabytes.
func TestCauses(t *testing.T) {
	for name := range failures(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failure := failures(t)[name]
			failure.begin(t, name)
			failure.explained(t, name)
		})
	}
}

// namespaceOf is the namespace of the application called name: some faults are the namespace's.
func namespaceOf(name string) string { return "cause-" + name }

// begin makes the application in a namespace of its own, which goes after the test.
func (f failure) begin(t *testing.T, name string) {
	t.Helper()
	namespace := namespaceOf(name)
	kubectl(t, "delete", "namespace", namespace, "--ignore-not-found")
	kubectl(t, "create", "namespace", namespace)
	deleteAfter(t, "namespace/"+namespace)
	kubectl(t, "--namespace", namespace, "create", "configmap", "jobs", "--from-file=testdata/causes/fails.py")
	letDriversIn(t, namespace)
	app := application(name, "fails.py")
	app.Namespace = namespace
	app.Spec.Arguments = []string{f.way}
	if f.prepare != nil {
		f.prepare(t, namespace)
	}
	if f.change != nil {
		f.change(app)
	}
	// With so many JVMs on two cores the API server may answer later than Spark waits by default: then that is the cause.
	if app.Spec.SparkConf == nil {
		app.Spec.SparkConf = make(map[string]string)
	}
	app.Spec.SparkConf["spark.kubernetes.driver.requestTimeout"] = "60000"
	applyObject(t, app)
}

// letDriversIn gives drivers in namespace the account and the rights that they have in default.
func letDriversIn(t *testing.T, namespace string) {
	t.Helper()
	kubectl(t, "--namespace", namespace, "create", "serviceaccount", "spark")
	var role map[string]any
	if err := json.Unmarshal([]byte(kubectl(t, "--namespace", "default", "get", "role", "spark-driver", "-o", "json")), &role); err != nil {
		t.Fatal(err)
	}
	role["metadata"] = map[string]any{"name": "spark-driver", "namespace": namespace}
	applyObject(t, role)
	kubectl(t, "--namespace", namespace, "create", "rolebinding", "spark-driver", "--role=spark-driver", "--serviceaccount="+namespace+":spark")
}

// explained waits until the application has failed, or waits, and wants the right cause to be the first: for those who ask,
// and in what the operator has kept.
func (f failure) explained(t *testing.T, name string) {
	namespace := namespaceOf(name)
	if f.meanwhile != nil {
		f.meanwhile(t, namespace, name)
	}
	end := "jsonpath={.status.applicationState.state}=" + string(v1beta2.ApplicationStateFailed)
	if f.waits {
		end = "condition=" + v1beta2.ConditionDiagnosed
	}
	f.await(t, name, end)
	eventually(t, lifeLimit, name+" is explained", func() error {
		said, out := why(t, namespace, name)
		if len(said.Causes) == 0 || said.Causes[0].Code != f.want {
			return fmt.Errorf("want %q first\n%s", f.want, out)
		}
		return f.consequence(said)
	})
	t.Log(brazier(t, "why", "--namespace", namespace, name))
	if !f.unkept {
		f.kept(t, name)
	}
}

// await waits for the application without asking again and again, as many do so at once.
func (f failure) await(t *testing.T, name, end string) {
	t.Helper()
	wait := command(t.Context(), "kubectl", "--namespace", namespaceOf(name), "wait", "--for="+end, "--timeout="+lifeLimit.String(), "sparkapplication/"+name)
	if out, err := wait.CombinedOutput(); err != nil {
		_, said := why(t, namespaceOf(name), name)
		t.Fatalf("%s: %v\n%s%s", end, err, out, said)
	}
}

func (f failure) consequence(said answer) error {
	if f.then == "" {
		return nil
	}
	for _, cause := range said.Causes[1:] {
		if cause.Code == f.then {
			return nil
		}
	}
	return fmt.Errorf("want %q after it, got %+v", f.then, said.Causes)
}

// kept wants the operator's record of the application to have the right cause, and writes it to the folder BRAZIER_RECORDS, if
// there is one: evidence for the tests of internal/diagnose.
func (f failure) kept(t *testing.T, name string) {
	t.Helper()
	var record brazierv1alpha1.RunRecord
	eventually(t, lifeLimit, "the record of "+name+" tells its cause", func() error {
		var list brazierv1alpha1.RunRecordList
		if err := json.Unmarshal([]byte(kubectl(t, "--namespace", namespaceOf(name), "get", "runrecords", "-o", "json")), &list); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("there are %d records", len(list.Items))
		}
		record = list.Items[0]
		if !f.waits && record.Ended == nil {
			return errors.New("it is not told the end")
		}
		if len(record.Causes) == 0 || record.Causes[0].Code != f.want {
			return fmt.Errorf("want %q first, got %+v", f.want, record.Causes)
		}
		return f.consequence(answer{Causes: record.Causes})
	})
	folder := os.Getenv("BRAZIER_RECORDS")
	if folder == "" {
		return
	}
	record.ManagedFields = nil
	text, err := yaml.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".yaml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// failures are the faults, by name.
func failures(t *testing.T) map[string]failure {
	all := clusterFailures(t)
	maps.Copy(all, sparkFailures())
	return all
}
