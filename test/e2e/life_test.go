//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// lifeLimit is how long an application may take on a busy machine until the test gives up on it.
const lifeLimit = 4 * time.Minute

// TestLife runs applications as their users write them, all at once, with real drivers and executors.
func TestLife(t *testing.T) {
	createJobs(t)
	t.Run("Applications", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T){
			"Pi":       testPi,
			"Fails":    testFails,
			"Refused":  testRefused,
			"Mounts":   testMounts,
			"Sidecar":  testSidecar,
			"Suspend":  testSuspend,
			"Expires":  testExpires,
			"TooLate":  testTooLate,
			"Schedule": testSchedule,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}

// createJobs makes the ConfigMap with the programs of testdata/jobs, also where a run that was killed has left one.
func createJobs(t *testing.T) {
	t.Helper()
	kubectl(t, "delete", "configmap", "jobs", "--ignore-not-found")
	kubectl(t, "create", "configmap", "jobs", "--from-file=testdata/jobs")
	deleteAfter(t, "configmap/jobs")
}

// apply applies an application that runs a job of testdata/jobs on one small executor, and deletes it after the test.
func apply(t *testing.T, name, job string, options ...func(*v1beta2.SparkApplication)) {
	t.Helper()
	app := application(name, job)
	for _, option := range options {
		option(app)
	}
	applyObject(t, app)
	deleteAfter(t, "sparkapplication/"+name)
}

// application is one that runs a job of testdata/jobs on one small executor.
func application(name, job string) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/jobs/" + job,
		},
	}
	app.Spec.Driver.ConfigMaps = []v1beta2.NamePath{{Name: "jobs", Path: "/opt/jobs"}}
	app.Spec.Driver.CoreRequest, app.Spec.Executor.CoreRequest = "50m", "50m"
	app.Spec.Driver.Memory, app.Spec.Executor.Memory = "600m", "600m"
	return app
}

// applyObject applies an object as its user would.
func applyObject(t *testing.T, object any) {
	t.Helper()
	manifest, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	create := command(t.Context(), "kubectl", "apply", "-f", "-")
	create.Stdin = strings.NewReader(string(manifest))
	must(t, create)
}

// deleteAfter deletes objects when the test is over, with what belongs to them.
func deleteAfter(t *testing.T, objects ...string) {
	t.Helper()
	t.Cleanup(func() {
		args := append([]string{"delete", "--ignore-not-found", "--cascade=foreground"}, objects...)
		must(t, command(context.WithoutCancel(t.Context()), "kubectl", args...))
	})
}

// get returns the application as it is now.
func get(t *testing.T, name string) *v1beta2.SparkApplication {
	t.Helper()
	app := new(v1beta2.SparkApplication)
	if err := json.Unmarshal([]byte(kubectl(t, "get", "sparkapplication", name, "-o", "json")), app); err != nil {
		t.Fatal(err)
	}
	return app
}

// awaitState waits until the application is in the state and returns it as it is then.
func awaitState(t *testing.T, name string, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	t.Helper()
	var app *v1beta2.SparkApplication
	eventually(t, lifeLimit, name+" becomes "+string(state), func() error {
		app = get(t, name)
		if failed := v1beta2.ApplicationStateFailed; app.Status.AppState.State == failed && state != failed {
			t.Fatalf("%s failed: %s\n%s", name, app.Status.AppState.ErrorMessage, driverLog(t, name))
		}
		if app.Status.AppState.State != state {
			return fmt.Errorf("it is %s: %s", app.Status.AppState.State, app.Status.AppState.ErrorMessage)
		}
		return nil
	})
	if state == v1beta2.ApplicationStateCompleted {
		wantNoBlame(t, app)
	}
	return app
}

func driverLog(t *testing.T, name string) string {
	t.Helper()
	return kubectl(t, "logs", name+"-driver", "-c", v1beta2.DriverContainerName)
}

// pods returns the names of the pods of an application.
func pods(t *testing.T, name string) []string {
	t.Helper()
	return strings.Fields(kubectl(t, "get", "pods", "-l", v1beta2.LabelAppName+"="+name, "-o", "jsonpath={.items[*].metadata.name}"))
}

func testPi(t *testing.T) {
	apply(t, "pi", "pi.py")
	awaitState(t, "pi", v1beta2.ApplicationStateCompleted)
	if log := driverLog(t, "pi"); !strings.Contains(log, "pi is about 3.142") {
		t.Errorf("the job did not find pi:\n%s", log)
	}
}

func testFails(t *testing.T) {
	apply(t, "fails", "fails.py", func(app *v1beta2.SparkApplication) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(1)), OnFailureRetryInterval: new(int64(1)),
			OnSubmissionFailureRetries: new(int32(0)), OnSubmissionFailureRetryInterval: new(int64(1)),
		}
	})
	app := awaitState(t, "fails", v1beta2.ApplicationStateFailed)
	if !strings.Contains(app.Status.AppState.ErrorMessage, "driver container failed with ExitCode: 1") || app.Status.ExecutionAttempts != 2 {
		t.Errorf("want the exit code and two attempts, got %+v", app.Status)
	}
	if log := driverLog(t, "fails"); !strings.Contains(log, "there is nothing to read") {
		t.Errorf("the log of the last driver is not kept:\n%s", log)
	}
}

func testRefused(t *testing.T) {
	apply(t, "refused", "pi.py", func(app *v1beta2.SparkApplication) { app.Spec.Driver.ServiceAccount = "nobody" })
	app := awaitState(t, "refused", v1beta2.ApplicationStateFailed)
	if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, "failed to run spark-submit") || !strings.Contains(message, "nobody") {
		t.Errorf("the message does not tell what is wrong: %q", message)
	}
	if left := pods(t, "refused"); len(left) > 0 {
		t.Errorf("a submission that is refused makes no pod, found %v", left)
	}
}

func testMounts(t *testing.T) {
	kubectl(t, "create", "configmap", "settings", "--from-literal=colour=green")
	kubectl(t, "create", "secret", "generic", "keys", "--from-literal=word=sesame")
	deleteAfter(t, "configmap/settings", "secret/keys")
	apply(t, "mounts", "mounts.py", func(app *v1beta2.SparkApplication) {
		const local = "spark-local-dir-1"
		app.Spec.Volumes = []corev1.Volume{{Name: local, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		for _, pod := range []*v1beta2.SparkPodSpec{&app.Spec.Driver.SparkPodSpec, &app.Spec.Executor.SparkPodSpec} {
			pod.ConfigMaps = append(pod.ConfigMaps, v1beta2.NamePath{Name: "settings", Path: "/etc/settings"})
			pod.Secrets = []v1beta2.SecretInfo{{Name: "keys", Path: "/etc/keys", Type: v1beta2.SecretTypeGeneric}}
			pod.VolumeMounts = []corev1.VolumeMount{{Name: local, MountPath: "/fast"}}
		}
	})
	awaitState(t, "mounts", v1beta2.ApplicationStateCompleted)
	log := driverLog(t, "mounts")
	for _, want := range []string{"driver: green, sesame, /fast", "executor: green, sesame, /fast"} {
		if !strings.Contains(log, want) {
			t.Errorf("want %q in the log:\n%s", want, log)
		}
	}
}

func testSidecar(t *testing.T) {
	apply(t, "sidecar", "pi.py", func(app *v1beta2.SparkApplication) {
		app.Spec.Driver.Sidecars = []corev1.Container{{
			Name: "proxy", Image: operatorsSparkImage(t), Command: []string{"sleep", "infinity"},
		}}
	})
	awaitState(t, "sidecar", v1beta2.ApplicationStateCompleted)
	eventually(t, lifeLimit, "the sidecar ends", func() error {
		ended := kubectl(t, "get", "pod", "sidecar-driver", "-o", `jsonpath={.status.containerStatuses[?(@.name=="proxy")].state.terminated}`)
		if ended == "" {
			return errors.New("it still runs")
		}
		return nil
	})
	if log := driverLog(t, "sidecar"); !strings.Contains(log, "pi is about 3.142") {
		t.Errorf("the driver's log is lost:\n%s", log)
	}
	if app := get(t, "sidecar"); app.Status.AppState.State != v1beta2.ApplicationStateCompleted {
		t.Errorf("the sidecar's end has changed the application's: %+v", app.Status)
	}
}

// operatorsSparkImage is the image that applications run in that name none.
func operatorsSparkImage(t *testing.T) string {
	t.Helper()
	config := kubectl(t, "get", "configmap", "brazier-operator", "--namespace=brazier-system", "-o", `jsonpath={.data.config\.yaml}`)
	var told struct{ Image string }
	if err := yaml.Unmarshal([]byte(config), &told); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(told.Image, "{{SPARK_VERSION}}", "4.3.0")
}

func testSuspend(t *testing.T) {
	apply(t, "suspends", "waits.py")
	awaitState(t, "suspends", v1beta2.ApplicationStateRunning)
	kubectl(t, "patch", "sparkapplication", "suspends", "--type=merge", "-p", `{"spec":{"suspend":true}}`)
	awaitState(t, "suspends", v1beta2.ApplicationStateSuspended)
	eventually(t, lifeLimit, "its pods are gone", func() error {
		if left := pods(t, "suspends"); len(left) > 0 {
			return fmt.Errorf("left are %v", left)
		}
		return nil
	})
	kubectl(t, "patch", "sparkapplication", "suspends", "--type=merge", "-p", `{"spec":{"suspend":false}}`)
	if app := awaitState(t, "suspends", v1beta2.ApplicationStateRunning); app.Status.Run != 2 {
		t.Errorf("want its second run, got %d", app.Status.Run)
	}
}

func testExpires(t *testing.T) {
	apply(t, "expires", "fails.py", func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = new(int64(1)) })
	eventually(t, lifeLimit, "it is deleted with its pods", func() error {
		left := kubectl(t, "get", "sparkapplication", "expires", "--ignore-not-found", "-o", "name")
		if left += strings.Join(pods(t, "expires"), " "); left != "" {
			return errors.New(left)
		}
		return nil
	})
}

func testTooLate(t *testing.T) {
	apply(t, "too-late", "pi.py", func(app *v1beta2.SparkApplication) {
		app.Annotations = map[string]string{v1beta2.AnnotationDriverStartTimeout: "3s"}
		app.Spec.NodeSelector = map[string]string{"no-node": "has-this"}
	})
	app := awaitState(t, "too-late", v1beta2.ApplicationStateFailed)
	if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, "did not start within 3s; it waited for: Unschedulable") {
		t.Errorf("the message does not tell what it waited for: %q", message)
	}
	eventually(t, lifeLimit, "its driver is gone", func() error {
		if left := pods(t, "too-late"); len(left) > 0 {
			return fmt.Errorf("left are %v", left)
		}
		return nil
	})
}
