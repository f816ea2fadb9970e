package evidence

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) metav1.Time { return metav1.NewTime(noon().Add(-d)) }

// inState is an application in a state, after changes.
func inState(state v1beta2.ApplicationStateType, changes ...func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "pi", UID: "0123456789"}}
	app.Status.AppState.State, app.Status.Run, app.Status.SubmissionID = state, 1, "s"
	for _, change := range changes {
		change(app)
	}
	return app
}

func failedAgo(d time.Duration) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Status.TerminationTime, app.Status.AppState.ErrorMessage = ago(d), "driver container failed"
	}
}

func conditioned(kind string, since time.Duration) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Status.Conditions = append(app.Status.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, LastTransitionTime: ago(since)})
	}
}

func runs1(app *v1beta2.SparkApplication) {
	app.Status.ExecutorState = map[string]v1beta2.ExecutorState{"pi-exec-1": v1beta2.ExecutorStateRunning}
}

func refusal(message string) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Status.AppState.ErrorMessage = "failed to run spark-submit: " + message
		app.Status.LastSubmissionAttemptTime = ago(0)
	}
}

// driverIn is a driver's pod in a phase, made some time ago, that ended with code if that is not nil.
func driverIn(phase corev1.PodPhase, age time.Duration, code *int32) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pi-driver", UID: "driver", CreationTimestamp: ago(age)}, Status: corev1.PodStatus{Phase: phase}}
	status := corev1.ContainerStatus{Name: v1beta2.DriverContainerName}
	if code != nil {
		status.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: *code, FinishedAt: ago(0)}
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	return pod
}

// lost is what is known of a run that lost an executor some time ago.
func lost(ago time.Duration, changes ...func(*run)) *run {
	at := metav1.NewTime(noon().Add(-ago))
	known := &run{first: at.Time, touched: at.Time, changed: true, evidence: v1alpha1.Evidence{Pods: []v1alpha1.Pod{{
		Name: "pi-exec-1", Role: v1alpha1.RoleExecutor, Phase: "Failed",
		Containers: []v1alpha1.Container{{Terminated: &v1alpha1.ContainerEnd{ExitCode: 137, Finished: at}}},
	}}}}
	for _, change := range changes {
		change(known)
	}
	return known
}

// pending is what is known of a run with an executor that waits for so long.
func pending(age time.Duration, changes ...func(*run)) *run {
	known := &run{first: noon().Add(-age), changed: true, evidence: v1alpha1.Evidence{Pods: []v1alpha1.Pod{{
		Name: "pi-exec-1", Role: v1alpha1.RoleExecutor, Phase: "Pending", Created: ago(age),
	}}}}
	for _, change := range changes {
		change(known)
	}
	return known
}

// queuedSince puts an application into a queue, which may have let it in.
func queuedSince(admitted *v1beta2.QueueAdmission) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) {
		app.Status.Queue = &v1beta2.QueuePlace{Name: "etl", Since: ago(time.Hour), Admitted: admitted}
	}
}

func submittedAgo(d time.Duration) func(*v1beta2.SparkApplication) {
	return func(app *v1beta2.SparkApplication) { app.Status.RunSubmitTime = ago(d) }
}

func storedAgo(d time.Duration) func(*run) {
	return func(known *run) { known.stored, known.written = true, noon().Add(-d) }
}

func TestDecide(t *testing.T) {
	running := driverIn(corev1.PodRunning, time.Hour, nil)
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		driver *corev1.Pod
		known  *run
		want   task
	}{
		"New":     {"Nothing has happened yet.", inState(v1beta2.ApplicationStateNew), nil, nil, task{}},
		"Healthy": {"A run that is well costs nothing.", inState(v1beta2.ApplicationStateRunning, conditioned(v1beta2.ConditionRunning, time.Hour), runs1), running, nil, task{}},
		"Completed": {
			"A run that ended well and of which nothing is known costs nothing.", inState(v1beta2.ApplicationStateCompleted), driverIn(corev1.PodSucceeded, time.Hour, new(int32(0))), nil, task{},
		},
		"Starting": {
			"A driver is looked at again when it has waited for long.", inState(v1beta2.ApplicationStateSubmitted),
			driverIn(corev1.PodPending, 4*time.Second, nil), nil,
			task{after: 6 * time.Second},
		},
		"StartsLong": {
			"What a driver waits for is in its events.", inState(v1beta2.ApplicationStateSubmitted),
			driverIn(corev1.PodPending, 11*time.Second, nil), nil,
			task{events: true, after: eventsAgain},
		},
		"StartsLonger": {
			"Events are not listed all the time.", inState(v1beta2.ApplicationStateSubmitted), driverIn(corev1.PodPending, time.Minute, nil),
			&run{eventsAt: noon().Add(-20 * time.Second)},
			task{after: 10 * time.Second},
		},
		"StartsForHours": {
			"The longer a driver waits the less often they are: many may wait in a cluster that is full.", inState(v1beta2.ApplicationStateSubmitted),
			driverIn(corev1.PodPending, 8*time.Minute, nil), &run{eventsAt: noon().Add(-time.Minute)},
			task{after: 3 * time.Minute},
		},
		"StartsForDays": {
			"But they are.", inState(v1beta2.ApplicationStateSubmitted), driverIn(corev1.PodPending, 48*time.Hour, nil),
			&run{eventsAt: noon().Add(-eventsSeldom)},
			task{events: true, after: eventsSeldom},
		},
		"StartedAtLast": {
			"It runs, and what it waited for is told no longer.", inState(v1beta2.ApplicationStateRunning, runs1), running,
			&run{eventsAt: noon().Add(-time.Minute), evidence: v1alpha1.Evidence{Pods: []v1alpha1.Pod{{UID: "driver", Role: v1alpha1.RoleDriver, Phase: "Pending", Created: ago(time.Hour)}}}},
			task{events: true, after: eventsAgain},
		},
		"NoDriver": {
			"A driver whose pod is not seen yet may be seen in a moment.", inState(v1beta2.ApplicationStateSubmitted, submittedAgo(4*time.Second)), nil, nil,
			task{after: 6 * time.Second},
		},
		"NoDriverForLong": {
			"Why a driver cannot be made is in the application's events.", inState(v1beta2.ApplicationStateSubmitted, submittedAgo(11*time.Second)), nil, nil,
			task{events: true, after: eventsAgain},
		},
		"Queued": {
			"That a queue lets a run wait is told by who decided it.",
			inState(v1beta2.ApplicationStateSubmitted, submittedAgo(time.Hour), queuedSince(nil)), nil, nil,
			task{},
		},
		"LetIn": {
			"A driver may be expected from when its run was let in.",
			inState(v1beta2.ApplicationStateSubmitted, submittedAgo(time.Hour), queuedSince(&v1beta2.QueueAdmission{At: ago(4 * time.Second)})), nil, nil,
			task{after: 6 * time.Second},
		},
		"DriverMadeAtLast": {
			"What kept the driver from being made is told no longer.", inState(v1beta2.ApplicationStateRunning, runs1), running,
			&run{verdict: verdict{driverless: true}, eventsAt: noon().Add(-time.Minute)},
			task{events: true, after: eventsAgain},
		},
		"Alone": {
			"A driver that has had no executors for long says why in its log.", inState(v1beta2.ApplicationStateRunning, conditioned(v1beta2.ConditionRunning, 31*time.Second)),
			running, nil,
			task{log: true, after: logAgain},
		},
		"AloneForHours": {
			"The longer it has none the less often it is asked: it may need none.", inState(v1beta2.ApplicationStateRunning, conditioned(v1beta2.ConditionRunning, 8*time.Hour)),
			running, &run{logAt: noon().Add(-9 * time.Minute)},
			task{after: time.Minute},
		},
		"LostExecutor": {
			"The log is read at once, the record is written when it is clear that the run goes on.",
			inState(v1beta2.ApplicationStateRunning, runs1), running, lost(0, func(known *run) { known.unread = []*v1alpha1.Pod{{}} }),
			task{logs: true, after: settle},
		},
		"LostExecutorSettled": {"The first record is written then.", inState(v1beta2.ApplicationStateRunning, runs1), running, lost(time.Second), task{write: true}},
		"LostExecutorAgain": {
			"A record that goes on changing is written every few seconds.", inState(v1beta2.ApplicationStateRunning, runs1), running,
			lost(time.Minute, storedAgo(2*time.Second)),
			task{after: 3 * time.Second},
		},
		"Written": {
			"What has not changed is not written.", inState(v1beta2.ApplicationStateRunning, runs1), running,
			lost(time.Minute, storedAgo(time.Minute), func(known *run) { known.changed = false }),
			task{},
		},
		"ExecutorWaits": {
			"An executor that finds a node within seconds is nothing to tell of.", inState(v1beta2.ApplicationStateRunning, runs1), running,
			pending(4 * time.Second),
			task{after: 6 * time.Second},
		},
		"ExecutorWaitsLong": {
			"One that does not is.", inState(v1beta2.ApplicationStateRunning, runs1), running, pending(10 * time.Second),
			task{events: true, write: true, after: eventsAgain},
		},
		"DriverFailed": {
			"All there is is gathered as soon as the driver is seen to have failed, before status tells of it.",
			inState(v1beta2.ApplicationStateRunning, runs1), driverIn(corev1.PodFailed, time.Hour, new(int32(1))), nil,
			task{end: true, logs: true, write: true, closed: true},
		},
		"FailedUnseen": {
			"A run that failed while no operator was there is gathered late.", inState(v1beta2.ApplicationStateFailed, failedAgo(time.Minute)), nil, nil,
			task{end: true, logs: true, write: true, closed: true},
		},
		"FailedLongAgo": {"An operator that is new leaves history alone.", inState(v1beta2.ApplicationStateFailed, failedAgo(2*time.Hour)), nil, nil, task{}},
		"FailedAndToldOf": {
			"Status tells of it: there is nothing more to do.", inState(v1beta2.ApplicationStateFailed, failedAgo(time.Minute), conditioned(v1beta2.ConditionRetryable, 0)),
			nil, lost(0),
			task{forget: true},
		},
		"FailedAndNotToldOf": {
			"The verdict is remembered until status tells of it.", inState(v1beta2.ApplicationStatePendingRerun, failedAgo(time.Second)), nil,
			&run{verdict: verdict{ended: true}},
			task{},
		},
		"DiedWithDriver": {
			"Executors that end with a driver which ended well are nothing to tell of.", inState(v1beta2.ApplicationStateCompleted),
			driverIn(corev1.PodSucceeded, time.Hour, new(int32(0))), lost(0),
			task{forget: true},
		},
		"DriverSucceeded": {
			"A record is not ended before status tells how.", inState(v1beta2.ApplicationStateRunning),
			driverIn(corev1.PodSucceeded, time.Hour, new(int32(0))), lost(time.Minute, storedAgo(time.Minute)),
			task{},
		},
		"LostThenCompleted": {
			"Those that were lost before are.", inState(v1beta2.ApplicationStateCompleted), driverIn(corev1.PodSucceeded, time.Hour, new(int32(0))),
			lost(time.Minute),
			task{write: true, closed: true},
		},
		"CalledOff": {"A record that there is ends with the run.", inState(v1beta2.ApplicationStateInvalidating), nil, lost(0, storedAgo(0)), task{write: true, closed: true}},
		"Refused":   {"A refusal is taken down.", inState(v1beta2.ApplicationStateFailedSubmission, refusal("no")), nil, nil, task{refusal: true, write: true, closed: true}},
		"RefusedAgain": {
			"The same refusal is not taken down again.", inState(v1beta2.ApplicationStateFailedSubmission, refusal("no")), nil,
			&run{verdict: verdict{refusal: "failed to run spark-submit: no"}},
			task{},
		},
		"Suspended": {
			"What holds an application for long is told.", inState(v1beta2.ApplicationStateSuspended, conditioned(v1beta2.ConditionRunning, time.Minute)), nil, nil,
			task{suspended: true},
		},
		"BeingDeleted": {
			"A driver that goes with its application has not failed.", inState(v1beta2.ApplicationStateRunning, runs1, func(app *v1beta2.SparkApplication) {
				app.DeletionTimestamp = new(ago(0))
			}), driverIn(corev1.PodFailed, time.Hour, new(int32(143))), nil, task{},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := decide(tt.app, tt.driver, tt.known, noon())
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(task{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestExpired(t *testing.T) {
	record := func(name, app string, run int64, age time.Duration, living bool) kept {
		k := kept{app: app, run: run, written: noon().Add(-age), living: living}
		k.Namespace, k.Name = "default", name
		return k
	}
	keep := Keep{Runs: 2, For: time.Hour, PerNamespace: 4}
	records := []kept{
		record("a1", "a.1", 1, 30*time.Hour, true), record("a2", "a.1", 2, 20*time.Hour, true), record("a3", "a.1", 3, 10*time.Hour, true),
		record("b1", "b.1", 1, 2*time.Hour, false), record("b2", "b.1", 2, time.Minute, false),
		record("b3", "b.1", 3, time.Minute, false), record("c1", "c.1", 1, 50*time.Hour, true),
	}
	other := record("x1", "x.1", 1, time.Minute, true)
	other.Namespace = "other"
	var names []string
	for _, over := range expired(append(records, other), keep, noon()) {
		names = append(names, over.Name)
	}
	// a1 is not of the last two runs, b1's application has been gone for too long, and c1 is the oldest of too many.
	if diff := cmp.Diff([]string{"b1", "a1", "c1"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
