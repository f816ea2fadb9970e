package application

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

var noon = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

type appOption func(*v1beta2.SparkApplication)

// application returns one of generation 1 whose status knows its specification.
func application(state v1beta2.ApplicationStateType, options ...appOption) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "pi", UID: "1-2-3", Generation: 1},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///pi.py",
		},
	}
	app.Status.AppState.State = state
	if state != v1beta2.ApplicationStateNew {
		app.Status.ObservedGeneration = 1
		app.Status.Run = 1
		app.Status.ExecutionAttempts, app.Status.SubmissionAttempts = 1, 1
		app.Status.DriverInfo.PodName = "pi-driver"
		app.Status.LastSubmissionAttemptTime = metav1.NewTime(noon.Add(-time.Minute))
	}
	for _, option := range options {
		option(app)
	}
	if state != v1beta2.ApplicationStateNew && app.Status.SpecHash == "" {
		app.Status.SpecHash = specHash(&app.Spec)
	}
	return app
}

func restart(policy v1beta2.RestartPolicyType, retries int32) appOption {
	return func(app *v1beta2.SparkApplication) {
		app.Spec.RestartPolicy = v1beta2.RestartPolicy{
			Type: policy, OnFailureRetries: new(retries), OnSubmissionFailureRetries: new(retries),
			OnFailureRetryInterval: new(int64(10)), OnSubmissionFailureRetryInterval: new(int64(10)),
		}
	}
}

func attempts(executions, submissions int32) appOption {
	return func(app *v1beta2.SparkApplication) {
		app.Status.ExecutionAttempts, app.Status.SubmissionAttempts = executions, submissions
	}
}

func failures(inARow int32) appOption {
	return func(app *v1beta2.SparkApplication) { app.Status.Failures = inARow }
}

func endedAgo(d time.Duration) appOption {
	return func(app *v1beta2.SparkApplication) { app.Status.TerminationTime = metav1.NewTime(noon.Add(-d)) }
}

func isReleased(app *v1beta2.SparkApplication) {
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionTrue, "RunEnded", "", noon)
}

func isDeleted(app *v1beta2.SparkApplication) { app.DeletionTimestamp = new(metav1.NewTime(noon)) }

func wantSuspended(app *v1beta2.SparkApplication) { app.Spec.Suspend = true }

func liveFor(seconds int64) appOption {
	return func(app *v1beta2.SparkApplication) { app.Spec.TimeToLiveSeconds = new(seconds) }
}

// edit changes the specification after its hash was taken, as a user does.
func edit(change appOption) appOption {
	return func(app *v1beta2.SparkApplication) {
		app.Status.SpecHash = specHash(&app.Spec)
		change(app)
		app.Generation++
	}
}

func newArguments(app *v1beta2.SparkApplication) { app.Spec.Arguments = []string{"1000"} }

func moreExecutors(app *v1beta2.SparkApplication) { app.Spec.Executor.Instances = new(int32(9)) }

type driverOption func(*Driver)

func seeing(options ...driverOption) Observation {
	driver := Driver{Name: "pi-driver", Current: true}
	for _, option := range options {
		option(&driver)
	}
	return Observation{Drivers: []Driver{driver}}
}

func runs(d *Driver) { d.Running = true }

func exits(success bool, message string) driverOption {
	return func(d *Driver) {
		d.Ended = &Ending{Success: success, Message: message, At: noon.Add(-time.Second)}
		d.Cause = CauseApplication
	}
}

func goes(d *Driver) { d.Deleting, d.Cause = true, CauseDeleted }

func isDisrupted(d *Driver) { d.Cause, d.Disruption = CauseDisrupted, "PreemptionByScheduler" }

func isEarlier(d *Driver) { d.Current = false }

func waitsFor(reason string, since time.Duration) driverOption {
	return func(d *Driver) { d.Waiting = &Waiting{Reason: reason, Since: noon.Add(-since)} }
}

func created(ago time.Duration) driverOption {
	return func(d *Driver) { d.Created, d.Accepted = noon.Add(-ago), noon.Add(-ago) }
}

func lingers(d *Driver) { d.Lingering, d.UID = true, "4-5-6" }

func within(limit time.Duration, seen Observation) Observation {
	seen.StartLimit = limit
	return seen
}

func withExecutor(seen Observation, executor Executor) Observation {
	seen.Executors = append(seen.Executors, executor)
	return seen
}

func TestDecide(t *testing.T) {
	const exit1 = "driver container failed with ExitCode: 1, Reason: Error"
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		seen   Observation
		want   Step
	}{
		"New": {
			reason: "A new application takes a run before anything is made.",
			app:    application(v1beta2.ApplicationStateNew),
			want:   Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"StartsInTime": {
			reason: "It is looked at again when its time is over, though nothing happens until then.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   within(time.Minute, seeing(created(58*time.Second), waitsFor("Unschedulable", 58*time.Second))),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, After: 2 * time.Second},
		},
		"StartsTooLate": {
			reason: "A driver that cannot start must not wait for ever, and the message says for what it waited.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   within(time.Minute, seeing(created(time.Minute), waitsFor("Unschedulable", time.Minute))),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon,
				Failure: "driver container failed: its pod pi-driver did not start within 1m0s; it waited for: Unschedulable",
				Cause:   CauseStartTimeout,
			},
		},
		"StartsTooLateAndIsRetried": {
			reason: "What could not start is a run that failed, as any other.",
			app:    application(v1beta2.ApplicationStateSubmitted, restart(v1beta2.RestartPolicyOnFailure, 1)),
			seen:   within(time.Minute, seeing(created(time.Hour))),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Ended: noon,
				Failure: "driver container failed: its pod pi-driver did not start within 1m0s", Cause: CauseStartTimeout,
			},
		},
		"HeldBackByAGate": {
			reason: "A pod that somebody holds back is not one that cannot start.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   within(time.Minute, seeing(created(time.Hour), waitsFor("SchedulingGated", time.Hour))),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted},
		},
		"FailedBeforeItsDriverStarted": {
			reason: "A driver that was given up must not start after all.",
			app:    application(v1beta2.ApplicationStateFailed, endedAgo(0), isReleased),
			seen:   seeing(created(time.Hour)),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStateFailed},
		},
		"SidecarsLinger": {
			reason: "Sidecars hold no resources for long after their driver's end, and its log stays readable.",
			app:    application(v1beta2.ApplicationStateCompleted, endedAgo(0), isReleased),
			seen:   seeing(created(time.Minute), exits(true, ""), lingers),
			want: Step{
				Action: Limit, State: v1beta2.ApplicationStateCompleted,
				Limited: Limited{Pod: "pi-driver", UID: "4-5-6", Active: time.Minute + sidecarGrace},
			},
		},
		"NewAndDeleted": {
			reason: "What is being deleted is not begun.",
			app:    application(v1beta2.ApplicationStateNew, isDeleted),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateNew},
		},
		"NewAndSuspended": {
			reason: "A new application that is suspended is held back without a run.",
			app:    application(v1beta2.ApplicationStateNew, wantSuspended),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspended},
		},
		"ClaimedWithoutDriver": {
			reason: "A claimed run without a driver is submitted: the operator may have crashed after the claim.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			want:   Step{Action: Submit, State: v1beta2.ApplicationStateSubmitted},
		},
		"ClaimedWithEarlierDriver": {
			reason: "The driver of an earlier run is not this run's.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   seeing(isEarlier, exits(false, exit1)),
			want:   Step{Action: Submit, State: v1beta2.ApplicationStateSubmitted},
		},
		"DriverPending": {
			reason: "A driver that has just been made is SUBMITTED, and looked at again before its user starts to wonder.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   seeing(waitsFor("ContainerCreating", 4*time.Second)),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, After: 6 * time.Second},
		},
		"DriverRunning": {
			reason: "A running driver is a RUNNING application.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"DriverSucceeds": {
			reason: "An application is done when its driver container is.",
			app:    application(v1beta2.ApplicationStateRunning),
			seen:   seeing(exits(true, "")),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon.Add(-time.Second)},
		},
		"DriverSucceedsUnseen": {
			reason: "A short run may end before it was seen to run.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   seeing(exits(true, "")),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon.Add(-time.Second)},
		},
		"DriverSucceedsWhileDeleted": {
			reason: "A driver that ended well before it was deleted has ended well.",
			app:    application(v1beta2.ApplicationStateRunning),
			seen:   seeing(exits(true, ""), goes, isDisrupted),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon.Add(-time.Second)},
		},
		"DriverSucceedsAlways": {
			reason: "Always runs again after a good end too.",
			app:    application(v1beta2.ApplicationStateRunning, restart(v1beta2.RestartPolicyAlways, 0)),
			seen:   seeing(exits(true, "")),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Ended: noon.Add(-time.Second)},
		},
		"DriverFails": {
			reason: "Never means never.",
			app:    application(v1beta2.ApplicationStateRunning),
			seen:   seeing(exits(false, exit1)),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Failure: exit1, Ended: noon.Add(-time.Second), Cause: CauseApplication,
			},
		},
		"DriverFailsWithRetry": {
			reason: "The first failure of one retry is run again.",
			app:    application(v1beta2.ApplicationStateRunning, restart(v1beta2.RestartPolicyOnFailure, 1)),
			seen:   seeing(exits(false, exit1)),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Failure: exit1, Ended: noon.Add(-time.Second), Cause: CauseApplication,
			},
		},
		"DriverFailsRetriesUsedUp": {
			reason: "The second failure of one retry is the end.",
			app:    application(v1beta2.ApplicationStateRunning, restart(v1beta2.RestartPolicyOnFailure, 1), attempts(2, 1)),
			seen:   seeing(exits(false, exit1)),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Failure: exit1, Ended: noon.Add(-time.Second), Cause: CauseApplication,
			},
		},
		"DriverDisruptedRetriesUsedUp": {
			reason: "A preemption does not use up a retry, so it is retried when there is none left too.",
			app:    application(v1beta2.ApplicationStateRunning, restart(v1beta2.RestartPolicyOnFailure, 1), attempts(2, 1)),
			seen:   seeing(exits(false, exit1), isDisrupted),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Failure: exit1,
				Ended: noon.Add(-time.Second), Cause: CauseDisrupted,
			},
		},
		"DriverDisruptedNever": {
			reason: "Never means never, whoever is to blame.",
			app:    application(v1beta2.ApplicationStateRunning),
			seen:   seeing(goes, isDisrupted),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon, Cause: CauseDisrupted,
				Failure: "driver container failed: its pod pi-driver was disrupted: PreemptionByScheduler",
			},
		},
		"DriverDeleted": {
			reason: "A driver that is told to go takes its run along.",
			app:    application(v1beta2.ApplicationStateRunning),
			seen:   seeing(runs, goes),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon,
				Failure: "driver container failed: its pod pi-driver was deleted", Cause: CauseDeleted,
			},
		},
		"DriverRejectedByItsNode": {
			reason: "A node that has no room after all is no fault of the application.",
			app:    application(v1beta2.ApplicationStateSubmitted, restart(v1beta2.RestartPolicyOnFailure, 0)),
			seen:   seeing(exits(false, "never started"), func(d *Driver) { d.Cause = CauseRejected }),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Failure: "never started",
				Ended: noon.Add(-time.Second), Cause: CauseRejected,
			},
		},
		"DriverMadeAndGone": {
			reason: "Somebody deleted the driver before it was seen: its run had one, and gets no other.",
			app:    application(v1beta2.ApplicationStateSubmitted),
			seen:   Observation{DriverGone: true},
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon,
				Failure: "driver container failed: its pod pi-driver is gone", Cause: CauseDeleted,
			},
		},
		"DriverGone": {
			reason: "A run that was seen to run and has no driver has failed; it is never submitted again under its number.",
			app:    application(v1beta2.ApplicationStateRunning),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon,
				Failure: "driver container failed: its pod pi-driver is gone", Cause: CauseDeleted,
			},
		},
		"SucceedingWithoutDriver": {
			reason: "A status that another operator left is taken on from where it is.",
			app:    application(v1beta2.ApplicationStateSucceeding),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon},
		},
		"RerunNotReleased": {
			reason: "What the last run left is removed before the next, but its driver is kept while it can be read.",
			app:    application(v1beta2.ApplicationStatePendingRerun, endedAgo(time.Second)),
			seen:   seeing(exits(false, exit1)),
			want:   Step{Action: Release, State: v1beta2.ApplicationStatePendingRerun},
		},
		"RerunNotDue": {
			reason: "The wait is interval times failures from the last one, and the operator wakes for it itself.",
			app: application(v1beta2.ApplicationStatePendingRerun, isReleased,
				restart(v1beta2.RestartPolicyOnFailure, 3), failures(2), endedAgo(5*time.Second)),
			seen: seeing(exits(false, exit1)),
			want: Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun, After: 15 * time.Second},
		},
		"RerunDueWithDriver": {
			reason: "The old driver makes room when the next run is due.",
			app:    application(v1beta2.ApplicationStatePendingRerun, isReleased, endedAgo(5*time.Second)),
			seen:   seeing(exits(false, exit1)),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStatePendingRerun},
		},
		"RerunDueDriverGoing": {
			reason: "Two drivers of one application are never there at once.",
			app:    application(v1beta2.ApplicationStatePendingRerun, isReleased, endedAgo(5*time.Second)),
			seen:   seeing(exits(false, exit1), goes),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun},
		},
		"RerunDue": {
			reason: "Due and alone, it takes the next run.",
			app:    application(v1beta2.ApplicationStatePendingRerun, isReleased, endedAgo(5*time.Second)),
			want:   Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"SubmissionFailedNever": {
			reason: "Without retries a refused submission is the end.",
			app:    application(v1beta2.ApplicationStateFailedSubmission, endedAgo(0)),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateFailed},
		},
		"SubmissionFailedRetry": {
			reason: "Its wait counts submissions.",
			app: application(v1beta2.ApplicationStateFailedSubmission, isReleased,
				restart(v1beta2.RestartPolicyOnFailure, 2), attempts(0, 2), endedAgo(20*time.Second)),
			want: Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"SuspendedWithDriver": {
			reason: "A driver whose creation was long on its way does not run on.",
			app:    application(v1beta2.ApplicationStateSuspended, wantSuspended, isReleased),
			seen:   seeing(runs),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStateSuspended},
		},
		"SuspendRunning": {
			reason: "The intention is written down before anything is removed.",
			app:    application(v1beta2.ApplicationStateRunning, wantSuspended),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
		},
		"Suspending": {
			reason: "Then the run is removed.",
			app:    application(v1beta2.ApplicationStateSuspending, wantSuspended),
			seen:   seeing(runs),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStateSuspending},
		},
		"SuspendingUnseen": {
			reason: "A driver that the cache does not show may be there nevertheless.",
			app:    application(v1beta2.ApplicationStateSuspending, wantSuspended),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStateSuspending},
		},
		"SuspendingGoing": {
			reason: "It is suspended when its driver is gone, not when it was told to go.",
			app:    application(v1beta2.ApplicationStateSuspending, wantSuspended, isReleased),
			seen:   seeing(runs, goes),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
		},
		"SuspendingGone": {
			reason: "Now it is.",
			app:    application(v1beta2.ApplicationStateSuspending, wantSuspended, isReleased),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspended},
		},
		"SuspendCompleted": {
			reason: "What has ended cannot be suspended.",
			app:    application(v1beta2.ApplicationStateCompleted, wantSuspended, isReleased),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted},
		},
		"SuspendTakenBack": {
			reason: "A suspension that is taken back half-way is finished first.",
			app:    application(v1beta2.ApplicationStateSuspending, isReleased),
			seen:   seeing(runs, goes),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
		},
		"Resume": {
			reason: "A suspended application resumes when the field says so.",
			app:    application(v1beta2.ApplicationStateSuspended, isReleased),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateResuming},
		},
		"Resuming": {
			reason: "It is submitted anew, at once.",
			app:    application(v1beta2.ApplicationStateResuming, isReleased),
			want:   Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"EditRunning": {
			reason: "An edit invalidates the run.",
			app:    application(v1beta2.ApplicationStateRunning, edit(newArguments)),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating},
		},
		"EditCompleted": {
			reason: "An edit is the only thing that leaves a terminal state.",
			app:    application(v1beta2.ApplicationStateCompleted, edit(newArguments), isReleased),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating},
		},
		"EditOfNoConsequence": {
			reason: "More executors are for the next run: this one cannot be changed from outside.",
			app:    application(v1beta2.ApplicationStateRunning, edit(moreExecutors)),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"EditTimeToLive": {
			reason: "How long an application is kept does not restart it.",
			app:    application(v1beta2.ApplicationStateRunning, edit(liveFor(60))),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"HashChangedWithoutEdit": {
			reason: "An upgrade that hashes otherwise restarts nothing.",
			app: application(v1beta2.ApplicationStateRunning, func(app *v1beta2.SparkApplication) {
				app.Status.SpecHash = "of another version"
			}),
			seen: seeing(runs),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"InvalidatingGone": {
			reason: "After an edit it is run again.",
			app:    application(v1beta2.ApplicationStateInvalidating, isReleased),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun},
		},
		"CompletedNotReleased": {
			reason: "Executors and services do not outlive their application.",
			app:    application(v1beta2.ApplicationStateCompleted),
			seen:   seeing(exits(true, "")),
			want:   Step{Action: Release, State: v1beta2.ApplicationStateCompleted},
		},
		"CompletedLateExecutor": {
			reason: "An executor that shows up late is removed too.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased),
			seen:   withExecutor(seeing(exits(true, "")), Executor{Name: "e", State: v1beta2.ExecutorStatePending}),
			want:   Step{Action: Release, State: v1beta2.ApplicationStateCompleted},
		},
		"CompletedExecutorGoing": {
			reason: "An executor that was told to go needs no more.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased),
			seen: withExecutor(seeing(exits(true, "")),
				Executor{Name: "e", State: v1beta2.ExecutorStateRunning, Deleting: true}),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateCompleted},
		},
		"TimeToLiveLeft": {
			reason: "The operator wakes itself when the time is over.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased, liveFor(60), endedAgo(45*time.Second)),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, After: 15 * time.Second},
		},
		"TimeToLiveOver": {
			reason: "Then the application is deleted.",
			app:    application(v1beta2.ApplicationStateFailed, liveFor(60), endedAgo(time.Minute)),
			want:   Step{Action: Delete, State: v1beta2.ApplicationStateFailed},
		},
		"TimeToLiveForEver": {
			reason: "More seconds than a duration holds are no reason to delete anything.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased, liveFor(math.MaxInt64), endedAgo(0)),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, After: math.MaxInt64 / time.Second * time.Second},
		},
		"TimeToLiveOverButEdited": {
			reason: "Who edits an application wants it, also if nobody saw it in time.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased, liveFor(60), endedAgo(time.Hour), edit(newArguments)),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating},
		},
		"PlatformsTimeToLive": {
			reason: "An application that says nothing is kept as long as the platform keeps it.",
			app:    application(v1beta2.ApplicationStateCompleted, endedAgo(time.Minute)),
			seen:   Observation{TimeToLive: new(int64(60))},
			want:   Step{Action: Delete, State: v1beta2.ApplicationStateCompleted},
		},
		"OwnTimeToLive": {
			reason: "Its own word wins over the platform's.",
			app:    application(v1beta2.ApplicationStateCompleted, isReleased, liveFor(90), endedAgo(time.Minute)),
			seen:   Observation{TimeToLive: new(int64(60))},
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, After: 30 * time.Second},
		},
		"TimeToLiveWhileRunning": {
			reason: "It is counted from the end.",
			app:    application(v1beta2.ApplicationStateRunning, liveFor(60), endedAgo(time.Hour)),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(tt.app, tt.seen, noon)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Step{}, "Because")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if got.Because == "" {
				t.Error("the step does not say why")
			}
		})
	}
}

func TestRetryWait(t *testing.T) {
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		want   time.Duration
	}{
		"Default": {
			reason: "Without an interval it is 5 s times the failures in a row.",
			app:    application(v1beta2.ApplicationStatePendingRerun, failures(3), endedAgo(0)),
			want:   15 * time.Second,
		},
		"Capped": {
			reason: "Failures do not make the wait grow without end.",
			app: application(v1beta2.ApplicationStatePendingRerun, restart(v1beta2.RestartPolicyAlways, 0),
				failures(math.MaxInt32), endedAgo(0)),
			want: 10 * time.Minute,
		},
		"EndedWell": {
			reason: "What is to run always, and ran well, runs on at once.",
			app: application(v1beta2.ApplicationStatePendingRerun, restart(v1beta2.RestartPolicyAlways, 0),
				attempts(100, 0), endedAgo(0)),
			want: 0,
		},
		"ClockOfNodeAhead": {
			reason: "A node whose clock is ahead does not make the wait longer.",
			app:    application(v1beta2.ApplicationStatePendingRerun, failures(1), endedAgo(-5*time.Hour)),
			want:   5 * time.Second,
		},
		"EndlessInterval": {
			reason: "An interval that no duration holds does not come round to the past.",
			app: application(v1beta2.ApplicationStatePendingRerun, failures(1), endedAgo(0),
				func(app *v1beta2.SparkApplication) {
					app.Spec.RestartPolicy.OnFailureRetryInterval = new(int64(math.MaxInt64))
				}),
			want: math.MaxInt64 / time.Second * time.Second,
		},
		"LongInterval": {
			reason: "An interval above the cap is what its user wants.",
			app: application(v1beta2.ApplicationStatePendingRerun, failures(4), endedAgo(0),
				func(app *v1beta2.SparkApplication) { app.Spec.RestartPolicy.OnFailureRetryInterval = new(int64(3600)) }),
			want: time.Hour,
		},
		"OldForm": {
			reason: "spec.retryInterval is read where the policy has none.",
			app: application(v1beta2.ApplicationStatePendingRerun, failures(2), endedAgo(0),
				func(app *v1beta2.SparkApplication) { app.Spec.RetryInterval = new(int64(7)) }),
			want: 14 * time.Second,
		},
		"CalledOff": {
			reason: "After an edit nothing has failed and nothing waits.",
			app:    application(v1beta2.ApplicationStatePendingRerun, attempts(0, 0)),
			want:   0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := retryWait(tt.app, noon); got != tt.want {
				t.Errorf("%s\nwant %s, got %s", tt.reason, tt.want, got)
			}
		})
	}
}

// TestFailuresInARow follows the two counters through disruptions, failures, a long healthy run and an edit.
func TestFailuresInARow(t *testing.T) {
	app := application(v1beta2.ApplicationStateRunning, restart(v1beta2.RestartPolicyAlways, 0))
	var got [][2]int32
	end := func(cause Cause, after time.Duration) {
		record(app, Observation{}, failed(app, "failed", noon.Add(after), cause), noon.Add(after))
		got = append(got, [2]int32{app.Status.ExecutionAttempts, app.Status.Failures})
		record(app, Observation{}, Step{
			Action: Claim, State: v1beta2.ApplicationStateSubmitted, Claimed: &Claimed{Run: app.Status.Run + 1, At: noon},
		}, noon)
	}
	end(CauseRejected, 0)
	end(CauseDisrupted, 0)
	end(CauseApplication, 0)
	end(CauseRejected, 2*time.Hour) // it had waited, and did not run
	record(app, Observation{}, Step{Action: Wait, State: v1beta2.ApplicationStateRunning}, noon)
	end(CauseApplication, 2*time.Hour)
	end(CauseApplication, 0)
	record(app, Observation{}, Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating}, noon)
	got = append(got, [2]int32{app.Status.ExecutionAttempts, app.Status.Failures})
	want := [][2]int32{{0, 1}, {0, 2}, {1, 3}, {1, 4}, {2, 1}, {3, 2}, {0, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("executionAttempts and failures\n-want +got:\n%s", diff)
	}
}
