package application_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// leave has an application in the namespace as the operator of kubeflow/spark-operator leaves it in a state: status
// without a run, and a driver with its submission, an executor, a UI Service and a ConfigMap. The submission of the driver
// is told in status unless untold.
func (w *world) leave(name string, state v1beta2.ApplicationStateType, untold bool, options ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	w.T.Helper()
	app := w.submit(name, options...)
	owner := []metav1.OwnerReference{*metav1.NewControllerRef(app, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind))}
	labels := func(role string) map[string]string {
		return map[string]string{
			v1beta2.LabelAppName: name, v1beta2.LabelSubmissionID: "theirs", v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: role,
		}
	}
	pod := func(name, role, container string) *corev1.Pod {
		pod := &corev1.Pod{ObjectMeta: w.Meta(name), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "spark"}}}}
		pod.Labels = labels(role)
		return pod
	}
	driver := pod(name+"-driver", v1beta2.SparkRoleDriver, v1beta2.DriverContainerName)
	driver.OwnerReferences = owner
	w.Create(driver)
	executor := pod(name+"-exec-1", v1beta2.SparkRoleExecutor, v1beta2.ExecutorContainerName)
	executor.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID}}
	w.Create(executor)

	service := &corev1.Service{ObjectMeta: w.Meta(name + "-ui-svc"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 4040}}}}
	service.Labels = map[string]string{v1beta2.LabelAppName: name, v1beta2.LabelSubmissionID: "theirs"}
	service.OwnerReferences = owner
	w.Create(service)
	metrics := &corev1.ConfigMap{ObjectMeta: w.Meta(name + "-prom-conf")}
	metrics.OwnerReferences = owner
	w.Create(metrics)

	app.Status = v1beta2.SparkApplicationStatus{AppState: v1beta2.ApplicationState{State: state}}
	if !untold {
		app.Status.SubmissionID = "theirs"
		app.Status.DriverInfo = v1beta2.DriverInfo{PodName: driver.Name, WebUIServiceName: service.Name, WebUIPort: 4040}
		app.Status.ExecutionAttempts, app.Status.SubmissionAttempts = 1, 1
		app.Status.LastSubmissionAttemptTime = metav1.Now()
		app.Status.ExecutorState = map[string]v1beta2.ExecutorState{executor.Name: v1beta2.ExecutorStateRunning}
	}
	if state != v1beta2.ApplicationStateNew {
		if err := w.Client.Status().Update(w.T.Context(), app); err != nil {
			w.T.Fatal(err)
		}
	}
	return app
}

// theirDriver is what the kubelet counts of one driver that another operator has made.
func theirDriver(app string) map[driverOf]int { return map[driverOf]int{{app, ""}: 1} }

// TestTakesOverRunning follows a driver of another operator to its end: no second one, and nothing left.
func TestTakesOverRunning(t *testing.T) {
	tests := map[string]struct {
		reason string
		state  v1beta2.ApplicationStateType
		untold bool
	}{
		"Running":    {reason: "It runs and goes on.", state: v1beta2.ApplicationStateRunning},
		"Submitted":  {reason: "Its driver was made and has not been seen to run.", state: v1beta2.ApplicationStateSubmitted},
		"Unknown":    {reason: "It could not be seen.", state: v1beta2.ApplicationStateUnknown},
		"New":        {reason: "The other operator was stopped before it could tell of the submission.", untold: true},
		"Rerun":      {reason: "So it may be with another run.", state: v1beta2.ApplicationStatePendingRerun, untold: true},
		"Submission": {reason: "It thinks that the submission has failed.", state: v1beta2.ApplicationStateFailedSubmission, untold: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			play, end := ends()
			w := newWorld(t, play)
			app := w.leave("pi", tt.state, tt.untold)
			w.operate(apiserver.Reliably)
			app = w.await(app, "running, and known", func(app *v1beta2.SparkApplication) bool {
				return app.Status.AppState.State == v1beta2.ApplicationStateRunning && app.Status.ObservedGeneration == app.Generation
			})
			w.checkRuns(theirDriver("pi"))
			end(0)
			w.touch(&corev1.Pod{ObjectMeta: w.Meta("pi-driver")})
			app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
			w.checkRuns(theirDriver("pi"))
			w.awaitNone(&corev1.Pod{ObjectMeta: w.Meta("pi-exec-1")})
			w.awaitNone(&corev1.ConfigMap{ObjectMeta: w.Meta("pi-prom-conf")})
			if !tt.untold {
				w.awaitNone(&corev1.Service{ObjectMeta: w.Meta("pi-ui-svc")})
			}
			if app.Status.Run != 0 || app.Status.ExecutionAttempts != 1 {
				t.Errorf("%s: the run was not taken over as it was: %+v", tt.reason, app.Status)
			}
		})
	}
}

// TestTakesOverRetries has a driver of another operator fail: the next run is ours, and the last that is allowed.
func TestTakesOverRetries(t *testing.T) {
	w := newWorld(t, fails)
	app := w.leave("pi", v1beta2.ApplicationStateRunning, false, retrying(2), func(app *v1beta2.SparkApplication) {
		app.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{{ServicePort: 9000, ServicePortName: "extra"}}
	})
	before := app.DeepCopy()
	app.Status.ExecutionAttempts = 2
	if err := w.Client.Status().Patch(t.Context(), app, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.operate(apiserver.Reliably)
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if app.Status.ExecutionAttempts != 3 || app.Status.Run != 1 {
		t.Errorf("two retries, of which one was used up, make one run of ours: %+v", app.Status)
	}
	want := theirDriver("pi")
	want[driverOf{"pi", "1"}] = 1
	w.checkRuns(want)
}

// TestTakesOverAgain has another operator write status between two operators of ours, as after a migration that was undone.
func TestTakesOverAgain(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	stop := w.operate(apiserver.Reliably)
	app := w.awaitState(w.submit("pi"), v1beta2.ApplicationStateRunning)
	stop()
	// What it does not know it drops.
	app.Status.Run, app.Status.RunSubmitTime, app.Status.SpecHash = 0, metav1.Time{}, ""
	app.Status.ObservedGeneration, app.Status.Conditions = 0, nil
	if err := w.Client.Status().Update(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	w.operate(apiserver.Reliably)
	w.await(app, "known again", func(app *v1beta2.SparkApplication) bool { return app.Status.ObservedGeneration == app.Generation })
	end(0)
	w.touch(&corev1.Pod{ObjectMeta: w.Meta("pi-driver")})
	app = w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.checkRuns(map[driverOf]int{{"pi", "1"}: 1})
	if diff := cmp.Diff(int32(1), app.Status.ExecutionAttempts); diff != "" {
		t.Errorf("executionAttempts\n-want +got:\n%s", diff)
	}
	w.awaitLeft(app, "*v1.Pod pi-driver")
}

// awaitNone waits until an object is gone.
func (w *world) awaitNone(object client.Object) {
	w.T.Helper()
	w.Eventually(object.GetName()+" is gone", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(object), object)
		return err != nil, client.IgnoreNotFound(err)
	})
}
