//go:build resilience

package resilience

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/operated"
)

// An older and a newer operator, which would submit the same application in different ways. OLD and NEW may name their
// binaries.
const (
	older = "image: spark-of-old:{{SPARK_VERSION}}\nlogLevel: debug\nleaderElectionNamespace: " + operated.Namespace + "\n"
	newer = "image: spark-of-new:{{SPARK_VERSION}}\nlogLevel: debug\nleaderElectionNamespace: " + operated.Namespace + "\n" +
		"sparkConf: {spark.eventLog.enabled: \"true\"}\ndriverStartTimeout: 1h\nserviceAccount: spark\n"
)

// held keeps a pod from going until the test lets it.
const held = "example.com/held"

// phases are applications by the state that each is brought to, and that it keeps until something happens.
var phases = map[string]v1beta2.ApplicationStateType{
	"waiting":      v1beta2.ApplicationStateSubmitted,
	"running":      v1beta2.ApplicationStateRunning,
	"completed":    v1beta2.ApplicationStateCompleted,
	"failed":       v1beta2.ApplicationStateFailed,
	"rerun":        v1beta2.ApplicationStatePendingRerun,
	"refused":      v1beta2.ApplicationStateFailedSubmission,
	"suspended":    v1beta2.ApplicationStateSuspended,
	"suspending":   v1beta2.ApplicationStateSuspending,
	"invalidating": v1beta2.ApplicationStateInvalidating,
}

// TestHandover has a newer operator take over from an older one, and the older one from the newer again, with
// applications in every state that lasts. Nothing starts or ends for it, and what happens afterwards is followed.
func TestHandover(t *testing.T) {
	w := newWorld(t)
	first := w.Operate(t, operated.Binary("OLD"), older)
	w.awaitLeading(first)
	w.bringToPhases()

	second := w.handOver(first, operated.Binary("NEW"), newer)
	w.addExecutor("running", "running-exec-1")
	w.awaitExecutor("running", "running-exec-1")
	third := w.handOver(second, operated.Binary("OLD"), older)
	w.addExecutor("running", "running-exec-2")
	w.awaitExecutor("running", "running-exec-2")
	w.handOver(third, operated.Binary("NEW"), newer)
	w.finish()
}

// bringToPhases leads an application into each state.
func (w *world) bringToPhases() {
	w.setIdle("waiting", true)
	for name := range phases {
		w.submit(name, func(app *v1beta2.SparkApplication) {
			app.Spec.Suspend = name == "suspended"
			if name == "refused" {
				app.Spec.Driver.ServiceAccount = "nobody"
			}
			if name == "rerun" || name == "refused" {
				app.Spec.RestartPolicy = v1beta2.RestartPolicy{
					Type:             v1beta2.RestartPolicyOnFailure,
					OnFailureRetries: new(int32(1)), OnFailureRetryInterval: new(int64(3600)),
					OnSubmissionFailureRetries: new(int32(1)), OnSubmissionFailureRetryInterval: new(int64(3600)),
				}
			}
		})
	}
	w.awaitStates(v1beta2.ApplicationStateRunning, []string{"running", "completed", "failed", "rerun", "suspending", "invalidating"})
	w.end("completed", 0)
	w.end("failed", 1)
	w.end("rerun", 1)
	for _, name := range []string{"suspending", "invalidating"} {
		w.hold(name, true)
	}
	w.change("suspending", func(app *v1beta2.SparkApplication) { app.Spec.Suspend = true })
	w.change("invalidating", func(app *v1beta2.SparkApplication) { app.Spec.Arguments = []string{"edited"} })
	for name, state := range phases {
		w.awaitState(name, state)
	}
	w.awaitReleased([]string{"completed", "failed", "rerun", "suspending", "invalidating"})
	w.changeHash("running")
	w.changeHash("completed")
}

// hold keeps the pod of an application's driver from going, or no longer.
func (w *world) hold(name string, hold bool) {
	w.t.Helper()
	pod := w.driver(name)
	before := pod.DeepCopy()
	pod.Finalizers = nil
	if hold {
		pod.Finalizers = []string{held}
	}
	if err := w.Client.Patch(w.t.Context(), pod, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// changeHash writes the hash of an application's specification as an operator would that computes it otherwise.
func (w *world) changeHash(name string) {
	w.t.Helper()
	app, err := w.app(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	before := app.DeepCopy()
	app.Status.SpecHash = "0123456789abcdef"
	if err := w.Client.Status().Patch(w.t.Context(), app, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// seen is what a handover must not change.
type seen struct {
	statuses map[string]v1beta2.SparkApplicationStatus
	drivers  map[string]types.UID
	// made is how many pods operators have ever made.
	made int
}

func (w *world) look() seen {
	w.t.Helper()
	s := seen{statuses: make(map[string]v1beta2.SparkApplicationStatus), drivers: w.drivers(), made: w.audit.pods(w.t)}
	for name := range phases {
		app, err := w.app(w.t.Context(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		// What an application that waits waits for is told when it has waited for a while, whoever leads then.
		meta.RemoveStatusCondition(&app.Status.Conditions, v1beta2.ConditionDiagnosed)
		s.statuses[name] = app.Status
	}
	return s
}

// handOver starts another operator, ends the one that leads as a rollout does, and returns the other when it has looked
// at every application.
func (w *world) handOver(from *operated.Operator, binary, config string) *operated.Operator {
	w.t.Helper()
	before := w.look()
	to := w.Operate(w.t, binary, config)
	to.AwaitReady(w.t)
	if leads(w.t, to) {
		w.t.Fatal("there are two leaders")
	}
	from.Terminate(w.t)
	w.awaitLeading(to)
	for name := range phases {
		w.eventually(func(context.Context) (bool, error) { return decided(to.Log(w.t), name), nil },
			func() string { return name + " was not looked at" })
	}
	after := w.look()
	if diff := cmp.Diff(before, after, cmp.AllowUnexported(seen{})); diff != "" {
		w.t.Errorf("the handover changed something\n-before +after:\n%s", diff)
	}
	return to
}

// decided reports whether log tells of a decision on an application.
func decided(log, name string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"msg":"decided"`) && strings.Contains(line, `"name":"`+name+`"`) {
			return true
		}
	}
	return false
}

func (w *world) awaitExecutor(app, executor string) {
	w.t.Helper()
	w.eventually(func(ctx context.Context) (bool, error) {
		got, err := w.app(ctx, app)
		return got.Status.ExecutorState[executor] == v1beta2.ExecutorStateRunning, err
	}, func() string { return executor + " is not told of" })
}

// finish leads the applications on that can go on, after the last handover.
func (w *world) finish() {
	w.t.Helper()
	w.setIdle("waiting", false)
	w.awaitState("waiting", v1beta2.ApplicationStateRunning)
	w.end("running", 0)
	w.awaitState("running", v1beta2.ApplicationStateCompleted)
	w.hold("suspending", false)
	w.awaitState("suspending", v1beta2.ApplicationStateSuspended)
	w.hold("invalidating", false)
	w.awaitState("invalidating", v1beta2.ApplicationStateRunning)
	w.change("suspended", func(app *v1beta2.SparkApplication) { app.Spec.Suspend = false })
	w.awaitState("suspended", v1beta2.ApplicationStateRunning)

	var pod corev1.Pod
	if err := w.Client.Get(w.t.Context(), key("suspended-driver"), &pod); err != nil {
		w.t.Fatal(err)
	}
	if got := pod.Spec.Containers[0].Image; got != "spark-of-new:4.3.0" {
		w.t.Errorf("a run that was submitted after the handover has the image %s", got)
	}
	runs := map[string]int64{
		"waiting": 1, "running": 1, "completed": 1, "failed": 1, "rerun": 1, "refused": 1, "suspended": 1, "suspending": 1, "invalidating": 2,
	}
	var pods int64
	for name, want := range runs {
		app, err := w.app(w.t.Context(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		if app.Status.Run != want {
			w.t.Errorf("%s: run %d, want %d", name, app.Status.Run, want)
		}
		pods += want
	}
	pods-- // that of refused has no driver
	if got := w.audit.pods(w.t); int64(got) != pods {
		w.t.Errorf("operators made %d pods, want %d", got, pods)
	}
}
