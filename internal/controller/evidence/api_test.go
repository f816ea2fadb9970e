package evidence_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/controller/evidence"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// server is the API server that the tests of this package share; nil with -short.
var server *apiserver.Server

func TestMain(m *testing.M) {
	share := func(s *apiserver.Server) error {
		server = s
		return nil
	}
	// A played kubelet has a certificate of its own.
	os.Exit(apiserver.Run(m, share, "--kubelet-certificate-authority="))
}

// world is a namespace of the API server with an operator; the tests play kubelet.
type world struct{ *apiserver.World }

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{server.World(t, "evidence-", nil)}
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(spark.DefaultServiceAccount)})
	return w
}

// operate runs an operator until the returned function is called, or the test ends. Its writes go through wrap.
func (w *world) operate(wrap apiserver.Wrap) (stop func()) {
	w.T.Helper()
	return w.operateFor(evidence.New(), evidence.Keep{}, wrap)
}

// operateFor has a recorder record, and its records be kept for so long.
func (w *world) operateFor(recorder *evidence.Recorder, keep evidence.Keep, wrap apiserver.Wrap) (stop func()) {
	w.T.Helper()
	mgr, err := apiserver.NewManager(w.Server.Config(), w.Namespace, wrap, func(options *ctrl.Options) {
		options.Cache.ByObject = application.CacheOptions()
	})
	if err != nil {
		w.T.Fatal(err)
	}
	uncached := wrap(w.Client)
	err = application.Add(mgr, uncached, application.Options{
		Platform: spark.Platform{Image: "spark:{{SPARK_VERSION}}"}, CacheNamespaces: []string{w.Namespace}, Workers: 2,
		Metrics: prometheus.NewRegistry(), Diagnoses: recorder, Executors: recorder,
	})
	if err != nil {
		w.T.Fatal(err)
	}
	if err := evidence.Add(mgr, uncached, recorder, evidence.Options{CacheNamespaces: []string{w.Namespace}, Keep: keep}); err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start)
}

// submit creates an application after it was changed by the options, and returns it with its driver when that is made.
func (w *world) submit(name string, options ...func(*v1beta2.SparkApplication)) (*v1beta2.SparkApplication, *corev1.Pod) {
	w.T.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: w.Meta(name),
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	for _, option := range options {
		option(app)
	}
	w.Create(app)
	return app, w.driver(app, "1")
}

// driver returns the driver of a run when it is made.
func (w *world) driver(app *v1beta2.SparkApplication, run string) *corev1.Pod {
	w.T.Helper()
	driver := new(corev1.Pod)
	w.Eventually("a driver of run "+run, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: app.Name + "-driver"}, driver)
		return err == nil && driver.Labels[v1beta2.LabelRun] == run, client.IgnoreNotFound(err)
	})
	return driver
}

// executor makes an executor's pod as Spark's driver does, after it was changed by the options.
func (w *world) executor(app *v1beta2.SparkApplication, driver *corev1.Pod, number int, options ...func(*corev1.Pod)) *corev1.Pod {
	w.T.Helper()
	pod := &corev1.Pod{
		ObjectMeta: w.Meta(fmt.Sprintf("%s-exec-%d", app.Name, number)),
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
	}
	pod.Labels = map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor, v1beta2.LabelSparkExecutorID: fmt.Sprint(number)}
	for _, label := range []string{v1beta2.LabelAppName, v1beta2.LabelLaunchedByOperator, v1beta2.LabelRun, v1beta2.LabelSubmissionID} {
		pod.Labels[label] = driver.Labels[label]
	}
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))}
	for _, option := range options {
		option(pod)
	}
	w.Create(pod)
	return pod
}

// become puts a pod's only container into a state, as kubelet does.
func (w *world) become(pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState) {
	w.T.Helper()
	pod.Status.Phase = phase
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: pod.Spec.Containers[0].Name, Image: "spark", State: state}}
	if err := w.Client.Status().Update(w.T.Context(), pod); err != nil {
		w.T.Fatal(err)
	}
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
}

func ended(code int32, reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, Message: message, StartedAt: metav1.Now(), FinishedAt: metav1.Now(),
	}}
}

// record waits until there is a record of a run that is as it should be.
func (w *world) record(app *v1beta2.SparkApplication, run int64, is func(*v1alpha1.RunRecord) bool) *v1alpha1.RunRecord {
	w.T.Helper()
	record := new(v1alpha1.RunRecord)
	name := v1alpha1.RunRecordName(v1alpha1.ApplicationReference{Name: app.Name, UID: app.UID}, run)
	w.Eventually("record "+name, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: name}, record)
		return err == nil && is(record), client.IgnoreNotFound(err)
	}, func() string { return fmt.Sprintf("it is %+v", record) })
	return record
}

func anything(*v1alpha1.RunRecord) bool { return true }

func (w *world) await(app *v1beta2.SparkApplication, is func(*v1beta2.SparkApplication) bool) *v1beta2.SparkApplication {
	w.T.Helper()
	got := new(v1beta2.SparkApplication)
	w.Eventually("application "+app.Name, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), got)
		return err == nil && is(got), err
	}, func() string { return fmt.Sprintf("status: %+v", got.Status) })
	return got
}

func inState(state v1beta2.ApplicationStateType) func(*v1beta2.SparkApplication) bool {
	return func(app *v1beta2.SparkApplication) bool { return app.Status.AppState.State == state }
}

func diagnosed(reason string) func(*v1beta2.SparkApplication) bool {
	return func(app *v1beta2.SparkApplication) bool {
		said := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionDiagnosed)
		return said != nil && said.Reason == reason
	}
}

// TestExecutorOfASecond has an executor come, die and go while the run goes on; what it died of stays, and is told.
func TestExecutorOfASecond(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	executor := w.executor(app, driver, 7)
	w.become(executor, corev1.PodFailed, ended(137, "OOMKilled", "password=hunter2"))
	if err := w.Client.Delete(t.Context(), executor, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool {
		return len(record.Evidence.Pods) > 0 && record.Evidence.Pods[0].Deleted != nil && len(record.Evidence.Logs) > 0
	})
	end := record.Evidence.Pods[0].Containers[0].Terminated
	if end == nil || end.Reason != "OOMKilled" || strings.Contains(end.Message, "hunter2") {
		t.Errorf("want the end of the executor, without secrets, got %+v", end)
	}
	if diff := cmp.Diff(v1alpha1.ExecutorCount{Seen: 7, Failed: 1}, record.Evidence.Executors); diff != "" {
		t.Errorf("executors\n-want +got:\n%s", diff)
	}
	if record.Evidence.Logs[0].Missing == "" {
		t.Error("it is not said why there is no log, where there is no kubelet")
	}
	w.become(w.driver(app, "1"), corev1.PodSucceeded, ended(0, "Completed", ""))
	w.record(app, 1, func(record *v1alpha1.RunRecord) bool {
		return record.State == string(v1beta2.ApplicationStateCompleted) && record.Ended != nil
	})
}

// TestHealthyRunLeavesNoRecord has everything go well, and an executor die with its driver.
func TestHealthyRunLeavesNoRecord(t *testing.T) {
	w := newWorld(t)
	requests := new(counted)
	w.operate(requests.wrap)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	executor := w.executor(app, driver, 1)
	w.become(executor, corev1.PodRunning, running())
	w.become(driver, corev1.PodSucceeded, ended(0, "Completed", ""))
	w.await(app, func(app *v1beta2.SparkApplication) bool {
		return inState(v1beta2.ApplicationStateCompleted)(app) && meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased)
	})
	if got := requests.said(); len(got) > 0 {
		t.Errorf("a run that is well costs requests about records: %v", got)
	}
}

// TestDriverFails has a driver fail: status tells what of, in an event and in conditions, and the next run is clean.
func TestDriverFails(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi", retrying)
	w.become(driver, corev1.PodFailed, ended(137, "OOMKilled", ""))
	w.await(app, diagnosed("DriverOutOfMemory"))
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return len(record.Causes) > 0 })
	if record.Causes[0].Code != "driver-out-of-memory" || record.Causes[0].Waiting {
		t.Errorf("want its cause, got %+v", record.Causes)
	}
	w.Eventually("an event that tells of the cause", func(ctx context.Context) (bool, error) {
		var events corev1.EventList
		err := w.Client.List(ctx, &events, client.InNamespace(w.Namespace))
		return slices.ContainsFunc(events.Items, func(e corev1.Event) bool {
			return e.Reason == "DriverOutOfMemory" && e.InvolvedObject.Name == "pi" && e.Type == corev1.EventTypeWarning
		}), err
	})
	second := w.driver(app, "2")
	got := w.await(app, func(app *v1beta2.SparkApplication) bool { return app.Status.Run == 2 })
	if meta.FindStatusCondition(got.Status.Conditions, v1beta2.ConditionDiagnosed) != nil {
		t.Errorf("the next run has the diagnosis of the last one: %+v", got.Status.Conditions)
	}
	w.become(second, corev1.PodSucceeded, ended(0, "Completed", ""))
	w.await(app, inState(v1beta2.ApplicationStateCompleted))
}

func retrying(app *v1beta2.SparkApplication) {
	app.Spec.RestartPolicy = v1beta2.RestartPolicy{
		Type: v1beta2.RestartPolicyOnFailure, OnFailureRetries: new(int32(3)), OnFailureRetryInterval: new(int64(1)),
		OnSubmissionFailureRetries: new(int32(0)), OnSubmissionFailureRetryInterval: new(int64(1)),
	}
}

// TestNoRetryInVain has a run fail of what the next one would fail of too, where the application wants no such retries.
func TestNoRetryInVain(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi", retrying, func(app *v1beta2.SparkApplication) {
		app.Annotations = map[string]string{v1beta2.AnnotationRetryDeterministicFailures: "false"}
	})
	w.become(driver, corev1.PodFailed, ended(137, "OOMKilled", ""))
	got := w.await(app, inState(v1beta2.ApplicationStateFailed))
	if got.Status.Run != 1 || !strings.Contains(got.Status.AppState.ErrorMessage, "another run would fail of the same (DriverOutOfMemory)") {
		t.Errorf("want one run, and it said why there is no other: %+v", got.Status.AppState)
	}
}

// TestRefusal has an application refused before there is a run.
func TestRefusal(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta("pi"), Spec: v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "/home/me/job.py",
	}}
	w.Create(app)
	record := w.record(app, 1, anything)
	if len(record.Evidence.Refusals) != 1 || !strings.Contains(record.Evidence.Refusals[0].Message, "/home/me/job.py") {
		t.Errorf("want what was refused, got %+v", record.Evidence.Refusals)
	}
	w.await(app, func(app *v1beta2.SparkApplication) bool {
		return meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRetryable) != nil
	})
}

// TestHandover has one operator see an executor die, and another one the driver.
func TestHandover(t *testing.T) {
	w := newWorld(t)
	stop := w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	w.become(driver, corev1.PodRunning, running())
	executor := w.executor(app, driver, 1)
	w.become(executor, corev1.PodFailed, ended(137, "OOMKilled", ""))
	w.record(app, 1, anything)
	if err := w.Client.Delete(t.Context(), executor, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	stop()

	w.become(w.driver(app, "1"), corev1.PodFailed, ended(1, "Error", "ValueError: no"))
	w.operate(apiserver.Reliably)
	record := w.record(app, 1, func(record *v1alpha1.RunRecord) bool { return len(record.Evidence.Pods) == 2 })
	if record.Evidence.Pods[0].Role != v1alpha1.RoleDriver || record.Evidence.Pods[1].Name != "pi-exec-1" {
		t.Errorf("want what both have seen, got %+v", record.Evidence.Pods)
	}
	// Nothing owns a record: it outlives its application.
	if err := w.Client.Delete(t.Context(), app); err != nil {
		t.Fatal(err)
	}
	if len(w.record(app, 1, anything).OwnerReferences) > 0 {
		t.Error("the record has an owner, and goes with it")
	}
}

// TestWaitingDriver has a driver wait for its image: status tells why while it waits, and no longer when it runs.
func TestWaitingDriver(t *testing.T) {
	w := newWorld(t)
	w.operate(apiserver.Reliably)
	app, driver := w.submit("pi")
	w.Create(&corev1.Event{
		ObjectMeta: w.Meta("pi-driver.1"), Type: "Warning", Reason: "Failed", Message: "cannot pull", FirstTimestamp: metav1.Now(),
		LastTimestamp: metav1.Now(), InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: w.Namespace, Name: driver.Name},
	})
	w.become(driver, corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}})
	w.await(app, diagnosed("ImagePull"))
	record := w.record(app, 1, anything)
	if len(record.Evidence.Events) != 1 || record.Evidence.Events[0].Message != "cannot pull" || !record.Causes[0].Waiting {
		t.Errorf("want what is said of the driver while it waits, got %+v", record)
	}
	w.become(w.driver(app, "1"), corev1.PodRunning, running())
	w.await(app, func(app *v1beta2.SparkApplication) bool {
		return meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionDiagnosed) == nil
	})
}
