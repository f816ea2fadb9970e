package application_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

func retrying(times int32) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type:                             v1beta2.RestartPolicyOnFailure,
			OnFailureRetries:                 new(times),
			OnFailureRetryInterval:           new(int64(1)),
			OnSubmissionFailureRetries:       new(times),
			OnSubmissionFailureRetryInterval: new(int64(1)),
		}
	}
}

// ends is a play that runs until it is told how to end.
func ends() (play, func(code int32)) {
	codes := make(chan int32, 1)
	return func(*corev1.Pod) *int32 {
		select {
		case code := <-codes:
			return new(code)
		default:
			return nil
		}
	}, func(code int32) { codes <- code }
}

func TestWholeLife(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	w.operate(apiserver.Reliably)
	app := w.submit("pi")

	app = w.awaitState(app, v1beta2.ApplicationStateRunning)
	if diff := cmp.Diff("pi-driver", app.Status.DriverInfo.PodName); diff != "" {
		t.Errorf("clients find the driver by this name\n-want +got:\n%s", diff)
	}
	if app.Status.DriverInfo.WebUIServiceName == "" || app.Status.SubmissionID == "" || app.Status.SparkApplicationID == "" {
		t.Errorf("status does not tell of the run: %+v", app.Status)
	}

	driver := new(corev1.Pod)
	if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: "pi-driver"}, driver); err != nil {
		t.Fatal(err)
	}
	w.Create(executor(w, app, driver))
	for _, object := range executorObjects(w, app, driver) {
		w.Create(object)
	}
	w.await(app, "running with an executor", func(app *v1beta2.SparkApplication) bool {
		return app.Status.ExecutorState["pi-exec-1"] == v1beta2.ExecutorStateRunning
	})

	end(0)
	w.touch(driver)
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	if diff := cmp.Diff(map[string]v1beta2.ExecutorState{"pi-exec-1": v1beta2.ExecutorStateCompleted}, app.Status.ExecutorState); diff != "" {
		t.Errorf("executors at the end\n-want +got:\n%s", diff)
	}
	if app.Status.TerminationTime.IsZero() || app.Status.Run != 1 || app.Status.ExecutionAttempts != 1 {
		t.Errorf("status does not tell of the end: %+v", app.Status)
	}
	w.awaitLeft(app, "*v1.Pod pi-driver")
	app = w.await(app, "released", func(app *v1beta2.SparkApplication) bool {
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased)
	})
	if !meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionSucceeded) || app.Status.ObservedGeneration != app.Generation {
		t.Errorf("conditions do not tell of the end: %+v", app.Status)
	}
}

// executor returns an executor's pod as Spark's driver makes it, with the labels that it is told to.
func executor(w *world, app *v1beta2.SparkApplication, driver *corev1.Pod) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: w.Meta(app.Name + "-exec-1"),
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
	}
	pod.Labels = map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelLaunchedByOperator, v1beta2.LabelRun, v1beta2.LabelSubmissionID} {
		pod.Labels[label] = driver.Labels[label]
	}
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))}
	return pod
}

// executorObjects returns what Spark's driver makes for its executors under its own labels only.
func executorObjects(w *world, app *v1beta2.SparkApplication, driver *corev1.Pod) []client.Object {
	owner := []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))}
	conf, claim := &corev1.ConfigMap{ObjectMeta: w.Meta("spark-exec-0-conf-map")}, &corev1.PersistentVolumeClaim{ObjectMeta: w.Meta("pi-exec-1-pvc-0")}
	conf.OwnerReferences, claim.OwnerReferences = owner, owner
	claim.Labels = map[string]string{v1beta2.LabelSparkAppSelector: app.Status.SparkApplicationID}
	conf.Labels = map[string]string{v1beta2.LabelSparkAppSelector: app.Status.SparkApplicationID, v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	return []client.Object{conf, claim}
}

// touch changes a pod, so that its play is asked.
func (w *world) touch(pod *corev1.Pod) {
	w.T.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"touched":"yes"}}}`))
	if err := w.Client.Patch(w.T.Context(), pod, patch); err != nil {
		w.T.Fatal(err)
	}
}

func TestSidecarOutlivesDriver(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) {
		app.Spec.Driver.Sidecars = []corev1.Container{{Name: "proxy", Image: "proxy"}}
	})
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	driver := new(corev1.Pod)
	w.await(app, "limited", func(*v1beta2.SparkApplication) bool {
		if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: "pi-driver"}, driver); err != nil {
			t.Fatal(err)
		}
		return driver.Spec.ActiveDeadlineSeconds != nil
	})
	if !driver.DeletionTimestamp.IsZero() {
		t.Error("the pod is deleted, and the driver's log with it")
	}
}

func TestRetriesThenFails(t *testing.T) {
	w := newWorld(t, fails)
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi", retrying(1)), v1beta2.ApplicationStateFailed)

	const want = "driver container failed with ExitCode: 1, Reason: Error"
	if diff := cmp.Diff(want, app.Status.AppState.ErrorMessage); diff != "" {
		t.Errorf("message\n-want +got:\n%s", diff)
	}
	if app.Status.ExecutionAttempts != 2 || app.Status.Run != 2 {
		t.Errorf("one retry makes two attempts and two runs: %+v", app.Status)
	}
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1, {"pi", "2"}: 1})
}

// checkRuns checks that there was one driver for each run, and never two at once.
func (w *world) checkRuns(want map[driverOf]int) {
	w.T.Helper()
	got, atOnce := w.kubelet.runs()
	if diff := cmp.Diff(want, got); diff != "" {
		w.T.Errorf("driver pods by run\n-want +got:\n%s", diff)
	}
	if atOnce > 1 {
		w.T.Errorf("%d drivers were live at once", atOnce)
	}
}

func TestSubmissionRefused(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", retrying(1), func(app *v1beta2.SparkApplication) {
		app.Spec.Driver.ServiceAccount = "nobody"
	})
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	message := app.Status.AppState.ErrorMessage
	for _, part := range []string{"failed to run spark-submit", `"nobody" not found`} {
		if !strings.Contains(message, part) {
			t.Errorf("message %q does not contain %q", message, part)
		}
	}
	if app.Status.SubmissionAttempts != 2 || app.Status.ExecutionAttempts != 0 {
		t.Errorf("one retry makes two submissions and no execution: %+v", app.Status)
	}
	w.awaitLeft(app)
}

func TestInvalidApplication(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.MainApplicationFile = "/home/me/job.py" })
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, "failed to run spark-submit") || !strings.Contains(message, "/home/me/job.py") {
		t.Errorf("message %q does not tell what is wrong", message)
	}
	if app.Status.Run != 0 {
		t.Errorf("an application that cannot be planned took run %d", app.Status.Run)
	}
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.MainApplicationFile = "local:///opt/job.py" })
	w.awaitState(app, v1beta2.ApplicationStateCompleted)
}

// TestInvalidApplicationIsRetried has the policy allow what can lead nowhere: it is tried that often, and then over.
func TestInvalidApplicationIsRetried(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", retrying(2), func(app *v1beta2.SparkApplication) { app.Spec.MainApplicationFile = "/home/me/job.py" })
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if app.Status.SubmissionAttempts != 3 || app.Status.Run != 0 {
		t.Errorf("two retries make three submissions and no run: %+v", app.Status)
	}
}

func TestNameTakenByAnother(t *testing.T) {
	w := newWorld(t, succeeds)
	w.Create(&corev1.Pod{
		ObjectMeta: w.Meta("pi-driver"),
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: "other"}}},
	})
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateFailed)
	if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, "Pod pi-driver exists already and does not belong to this application") {
		t.Errorf("message %q does not tell what is in the way", message)
	}
	w.awaitLeft(app)
}

func TestSuspendAndResume(t *testing.T) {
	w := newWorld(t, func(pod *corev1.Pod) *int32 {
		if pod.Labels[v1beta2.LabelRun] == "1" {
			return nil
		}
		return new(int32(0))
	})
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateRunning)
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.Suspend = true })
	app = w.awaitState(app, v1beta2.ApplicationStateSuspended)
	w.awaitLeft(app)
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.Suspend = false })
	w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1, {"pi", "2"}: 1})
}

func TestEditRestarts(t *testing.T) {
	w := newWorld(t, keepsRunning)
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateRunning)

	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = new(int64(3600)) })
	app = w.await(app, "aware of the edit", func(app *v1beta2.SparkApplication) bool {
		return app.Status.ObservedGeneration == app.Generation
	})
	if app.Status.Run != 1 || app.Status.AppState.State != v1beta2.ApplicationStateRunning {
		t.Errorf("an edit of no consequence restarted the application: %+v", app.Status)
	}

	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) {
		app.Spec.Arguments = []string{"1000"}
		app.Spec.Driver.PodName = "another" // the one edit that does not let names keep two drivers apart
	})
	app = w.await(app, "running again", func(app *v1beta2.SparkApplication) bool {
		return app.Status.Run == 2 && app.Status.AppState.State == v1beta2.ApplicationStateRunning
	})
	if app.Status.ExecutionAttempts != 1 {
		t.Errorf("a new specification is a new beginning, but it has %d attempts", app.Status.ExecutionAttempts)
	}
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1, {"pi", "2"}: 1})
}

func TestDisruptionUsesUpNoRetry(t *testing.T) {
	w := newWorld(t, func(pod *corev1.Pod) *int32 {
		if pod.Labels[v1beta2.LabelRun] == "1" {
			return nil
		}
		return new(int32(0))
	})
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi", retrying(0)), v1beta2.ApplicationStateRunning)

	driver := new(corev1.Pod)
	key := client.ObjectKey{Namespace: w.Namespace, Name: "pi-driver"}
	if err := w.Client.Get(t.Context(), key, driver); err != nil {
		t.Fatal(err)
	}
	driver.Status.Phase = corev1.PodFailed
	driver.Status.Conditions = append(driver.Status.Conditions, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "PreemptionByScheduler",
	})
	if err := w.Client.Status().Update(t.Context(), driver); err != nil {
		t.Fatal(err)
	}
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	if app.Status.ExecutionAttempts != 1 || app.Status.Run != 2 {
		t.Errorf("the preempted run was counted: %+v", app.Status)
	}
}

// TestRejectedByItsNode has a node refuse a driver as kubelet does, with nothing but a phase, a reason and a message.
func TestRejectedByItsNode(t *testing.T) {
	w := newWorld(t, succeeds)
	w.kubelet.refuse(func(pod *corev1.Pod) bool { return pod.Labels[v1beta2.LabelRun] < "3" })
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi", retrying(0)), v1beta2.ApplicationStateCompleted)
	if app.Status.ExecutionAttempts != 1 || app.Status.Run != 3 || app.Status.Failures != 0 {
		t.Errorf("the runs that found no room were counted: %+v", app.Status)
	}
}

func TestTimeToLive(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = new(int64(1)) })
	w.awaitGone(app)
	w.awaitLeft(app)
}

func TestDeletedWhileRunning(t *testing.T) {
	w := newWorld(t, keepsRunning)
	w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateRunning)
	if err := w.Client.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	w.awaitGone(app)
	w.awaitLeft(app)
}

func (w *world) awaitGone(app *v1beta2.SparkApplication) {
	w.T.Helper()
	w.Eventually(app.Name+" is gone", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), new(v1beta2.SparkApplication))
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}
