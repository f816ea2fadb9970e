package application

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// theirs turns an application's status into one that another operator has written: no run, no hash, no conditions.
func theirs(app *v1beta2.SparkApplication) {
	app.Status = v1beta2.SparkApplicationStatus{
		AppState: app.Status.AppState, SubmissionID: "theirs", DriverInfo: v1beta2.DriverInfo{PodName: "pi-driver"},
		ExecutionAttempts: 1, SubmissionAttempts: 1, LastSubmissionAttemptTime: metav1.NewTime(noon.Add(-time.Minute)),
	}
}

func left(state v1beta2.ApplicationStateType, options ...appOption) *v1beta2.SparkApplication {
	app := application(state, append([]appOption{theirs}, options...)...)
	app.Status.SpecHash = ""
	return app
}

// unknown is a driver of another submission than that which status tells of.
func unknown(d *Driver) { d.Current, d.Submission = false, "untold" }

func TestDecideOnWhatAnotherOperatorLeft(t *testing.T) {
	untold := Driver{Name: "pi-driver", Submission: "untold", Running: true}
	const gone = "driver container failed: its pod pi-driver is gone"
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		seen   Observation
		want   Step
	}{
		"SubmittedAndRuns": {
			reason: "A driver of the submission that status tells of is followed, and not made again.",
			app:    left(v1beta2.ApplicationStateSubmitted), seen: seeing(runs),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"SubmittedAndGone": {
			reason: "The other operator says SUBMITTED only when the driver was made: it is gone, and not to be made again.",
			app:    left(v1beta2.ApplicationStateSubmitted),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateFailed, Failure: gone, Ended: noon, Cause: CauseDeleted},
		},
		"Running": {
			reason: "A running driver goes on.",
			app:    left(v1beta2.ApplicationStateRunning), seen: seeing(runs),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"RunningWithoutHash": {
			reason: "Without a hash to compare nothing counts as edited.",
			app:    left(v1beta2.ApplicationStateRunning, func(app *v1beta2.SparkApplication) { app.Generation = 7 }), seen: seeing(runs),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"Unknown": {
			reason: "What the other operator could not see is looked at anew.",
			app:    left(v1beta2.ApplicationStateUnknown), seen: seeing(runs),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
		},
		"Succeeding": {
			reason: "The end that was seen there is decided here.",
			app:    left(v1beta2.ApplicationStateSucceeding), seen: seeing(exits(true, "")),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon.Add(-time.Second)},
		},
		"FailingWithRetries": {
			reason: "Retries go on from the other operator's counters.",
			app:    left(v1beta2.ApplicationStateFailing, restart(v1beta2.RestartPolicyOnFailure, 2), attempts(2, 2)), seen: seeing(exits(false, "failed")),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Failure: "failed", Ended: noon.Add(-time.Second), Cause: CauseApplication,
			},
		},
		"FailingWithoutRetries": {
			reason: "Retries that were used up there are used up.",
			app:    left(v1beta2.ApplicationStateFailing, restart(v1beta2.RestartPolicyOnFailure, 2), attempts(3, 3)), seen: seeing(exits(false, "failed")),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Failure: "failed", Ended: noon.Add(-time.Second), Cause: CauseApplication,
			},
		},
		"Completed": {
			reason: "The other operator leaves executors and Services: they go.",
			app:    left(v1beta2.ApplicationStateCompleted), seen: seeing(exits(true, "")),
			want: Step{Action: Release, State: v1beta2.ApplicationStateCompleted},
		},
		"TimeToLive": {
			reason: "The time to live counts from the end that the other operator saw.",
			app:    left(v1beta2.ApplicationStateCompleted, liveFor(60), endedAgo(time.Hour)),
			want:   Step{Action: Delete, State: v1beta2.ApplicationStateCompleted},
		},
		"PendingRerun": {
			reason: "What the last run left goes before the next one is claimed.",
			app:    left(v1beta2.ApplicationStatePendingRerun),
			want:   Step{Action: Release, State: v1beta2.ApplicationStatePendingRerun},
		},
		"PendingRerunReleased": {
			reason: "Then the next run is our first.",
			app:    left(v1beta2.ApplicationStatePendingRerun, isReleased),
			want:   Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"Suspended": {
			reason: "It stays suspended.",
			app:    left(v1beta2.ApplicationStateSuspended, wantSuspended),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspended},
		},
		"Invalidating": {
			reason: "A run that was called off there is removed here.",
			app:    left(v1beta2.ApplicationStateInvalidating), seen: seeing(runs),
			want: Step{Action: Stop, State: v1beta2.ApplicationStateInvalidating},
		},
		"NewButSubmitted": {
			reason: "The other operator was stopped between the submission and its report: a second driver would run the work twice.",
			app:    application(v1beta2.ApplicationStateNew), seen: seeing(runs, unknown),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, Taken: &untold},
		},
		"PendingRerunButSubmitted": {
			reason: "So it may be with a run that followed another.",
			app:    left(v1beta2.ApplicationStatePendingRerun), seen: seeing(runs, unknown),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, Taken: &untold},
		},
		"SubmissionFailedButSubmitted": {
			reason: "The other operator tells of a failed submission when the pod is there already.",
			app:    left(v1beta2.ApplicationStateFailedSubmission), seen: seeing(runs, unknown),
			want: Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, Taken: &untold},
		},
		"SubmissionFailed": {
			reason: "A failed submission that nothing came of ends by the policy.",
			app:    left(v1beta2.ApplicationStateFailedSubmission),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateFailed},
		},
		"NewBesideANamesakesDriver": {
			reason: "The driver of an application of the same name that is being deleted is not taken over.",
			app:    application(v1beta2.ApplicationStateNew), seen: seeing(isEarlier, runs),
			want: Step{Action: Claim, State: v1beta2.ApplicationStateSubmitted},
		},
		"OursIsNotTaken": {
			reason: "Once there was a run of ours a driver that it does not know is one to be removed.",
			app:    application(v1beta2.ApplicationStatePendingRerun, isReleased), seen: seeing(runs, unknown),
			want: Step{Action: Stop, State: v1beta2.ApplicationStatePendingRerun},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(tt.app, tt.seen, noon)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Step{}, "Because")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestTakeOver(t *testing.T) {
	app := left(v1beta2.ApplicationStatePendingRerun, attempts(2, 3))
	seen := seeing(runs, unknown, created(time.Minute))
	record(app, seen, Decide(app, seen, noon), noon)
	got := app.Status
	want := v1beta2.SparkApplicationStatus{
		AppState:     v1beta2.ApplicationState{State: v1beta2.ApplicationStateSubmitted},
		SubmissionID: "untold", DriverInfo: v1beta2.DriverInfo{PodName: "pi-driver"},
		LastSubmissionAttemptTime: metav1.NewTime(noon.Add(-time.Minute)),
		ExecutionAttempts:         3, SubmissionAttempts: 3,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "Conditions", "SpecHash", "ObservedGeneration")); diff != "" {
		t.Errorf("status\n-want +got:\n%s", diff)
	}
}

func TestWhoseDriver(t *testing.T) {
	owned := func(uid string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{Kind: v1beta2.SparkApplicationKind, Name: "pi", UID: types.UID(uid)}}
	}
	type whose struct {
		Current    bool
		Submission string
	}
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		labels map[string]string
		owners []metav1.OwnerReference
		want   whose
	}{
		"Theirs": {
			reason: "Another operator's run is known by its submission.",
			app:    left(v1beta2.ApplicationStateRunning),
			labels: map[string]string{v1beta2.LabelSubmissionID: "theirs"}, owners: owned("1-2-3"),
			want: whose{Current: true, Submission: "theirs"},
		},
		"TheirsWithoutOwner": {
			reason: "Without its webhook the other operator's drivers have no owner.",
			app:    left(v1beta2.ApplicationStateRunning),
			labels: map[string]string{v1beta2.LabelSubmissionID: "theirs"},
			want:   whose{Current: true, Submission: "theirs"},
		},
		"Namesakes": {
			reason: "The driver of an application that was deleted is nobody's run.",
			app:    left(v1beta2.ApplicationStatePendingRerun),
			labels: map[string]string{v1beta2.LabelSubmissionID: "other"}, owners: owned("3-2-1"),
		},
		"OursAfterThem": {
			reason: "Another operator has written status meanwhile and dropped the run: the driver is still the run's.",
			app:    left(v1beta2.ApplicationStateRunning),
			labels: map[string]string{v1beta2.LabelSubmissionID: "theirs", v1beta2.LabelRun: "4"}, owners: owned("1-2-3"),
			want: whose{Current: true, Submission: "theirs"},
		},
		"Ours": {
			reason: "A run of ours is known by its number, and by its owner.",
			app:    application(v1beta2.ApplicationStateRunning),
			labels: map[string]string{v1beta2.LabelSubmissionID: "ours", v1beta2.LabelRun: "1"}, owners: owned("1-2-3"),
			want: whose{Current: true},
		},
		"OursOfAnotherRun": {
			reason: "Another number is another run.",
			app:    application(v1beta2.ApplicationStateRunning),
			labels: map[string]string{v1beta2.LabelSubmissionID: "ours", v1beta2.LabelRun: "2"}, owners: owned("1-2-3"),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pi-driver", Labels: tt.labels, OwnerReferences: tt.owners}}
			driver := observeDriver(tt.app, pod)
			if diff := cmp.Diff(tt.want, whose{driver.Current, driver.Submission}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
