package application

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
)

// inQueue has an application wait in a queue.
func inQueue(name string) appOption {
	return func(app *v1beta2.SparkApplication) {
		app.Status.Queue = &v1beta2.QueuePlace{Name: name, Since: metav1.NewTime(noon.Add(-time.Minute)), Minimum: 1}
	}
}

// letIn has an application's queue have let it in that long ago.
func letIn(name string, ago time.Duration) appOption {
	return func(app *v1beta2.SparkApplication) {
		inQueue(name)(app)
		app.Status.Queue.Admitted = placeIn(ago)
	}
}

func placeIn(ago time.Duration) *v1beta2.QueueAdmission {
	return &v1beta2.QueueAdmission{At: metav1.NewTime(noon.Add(-ago)), Driver: "default", Executors: map[string]int64{"default": 1}}
}

func runsFor(limit string) appOption {
	return func(app *v1beta2.SparkApplication) {
		app.Annotations = map[string]string{v1alpha1.AnnotationMaxRunTime: limit}
	}
}

func told(seen Observation, queue string, verdict admission.Verdict) Observation {
	seen.Queue, seen.Verdict = queue, verdict
	return seen
}

func TestDecideInQueue(t *testing.T) {
	const submitted, running = v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning
	refusal := admission.Verdict{Refused: true, Reason: "WaitedTooLong", Message: "it has waited longer than 1h0m0s"}
	back := admission.Verdict{TakenBack: true, Reason: "TakenBack", Message: "queue ads wants its guarantee back"}
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		seen   Observation
		want   Step
	}{
		"Waits": {
			reason: "Nothing of a run is made before its queue has let it in.",
			app:    application(submitted, inQueue("etl")),
			seen:   told(Observation{}, "etl", admission.Verdict{}),
			want:   Step{Action: Wait, State: submitted},
		},
		"LetIn": {
			reason: "That it was let in is written down before anything is made, so that it is not forgotten.",
			app:    application(submitted, inQueue("etl")),
			seen:   told(Observation{}, "etl", admission.Verdict{Admitted: placeIn(0)}),
			want:   Step{Action: Wait, State: submitted, Admission: placeIn(0)},
		},
		"Admitted": {
			reason: "From then on it is submitted as any other.",
			app:    application(submitted, letIn("etl", time.Second)),
			seen:   told(Observation{}, "etl", admission.Verdict{}),
			want:   Step{Action: Submit, State: submitted},
		},
		"Refused": {
			reason: "What is refused has failed for good, whatever its restart policy: another run would only wait again.",
			app:    application(submitted, inQueue("etl"), restart(v1beta2.RestartPolicyAlways, 3)),
			seen:   told(Observation{}, "etl", refusal),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon, Cause: CauseQueue,
				Failure: "queue etl has not let it in: it has waited longer than 1h0m0s",
			},
		},
		"LeavesItsQueue": {
			reason: "An application without its label is in no queue, and does not wait.",
			app:    application(submitted, inQueue("etl")),
			seen:   told(Observation{}, "", admission.Verdict{}),
			want:   Step{Action: Wait, State: submitted, LeavesQueue: true},
		},
		"LeavesItsQueueTooLate": {
			reason: "What was let in stays in its queue until it ends: somebody has to let its executors go.",
			app:    application(running, letIn("etl", time.Second)),
			seen:   told(seeing(runs), "", admission.Verdict{}),
			want:   Step{Action: Wait, State: running},
		},
		"Suspended": {
			reason: "The user's word comes before the queue's.",
			app:    application(submitted, inQueue("etl"), wantSuspended),
			seen:   told(Observation{}, "etl", admission.Verdict{Admitted: placeIn(0)}),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
		},
		"Edited": {
			reason: "A specification that has changed asks its queue for something else.",
			app:    application(submitted, inQueue("etl"), edit(newArguments)),
			seen:   told(Observation{}, "etl", admission.Verdict{Admitted: placeIn(0)}),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStateInvalidating},
		},
		"Deleted": {
			reason: "What is being deleted is not let in.",
			app:    application(submitted, inQueue("etl"), isDeleted),
			seen:   told(Observation{}, "etl", admission.Verdict{Admitted: placeIn(0)}),
			want:   Step{Action: Wait, State: submitted},
		},
		"TakenBack": {
			reason: "A run that is taken back waits again, though it is never run again after a failure.",
			app:    application(running, letIn("etl", time.Hour)),
			seen:   told(seeing(runs), "etl", back),
			want:   Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun, TakenBack: true},
		},
		"TakenBackTooLate": {
			reason: "A run that has ended has nothing that could be taken back.",
			app:    application(running, letIn("etl", time.Hour)),
			seen:   told(seeing(exits(true, "")), "etl", back),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateCompleted, Ended: noon.Add(-time.Second),
			},
		},
		"StopsWhatWasTakenBack": {
			reason: "The driver goes first, which would replace its executors, and the next run waits for it to be gone.",
			app:    application(v1beta2.ApplicationStatePendingRerun, letIn("etl", time.Hour)),
			seen:   seeing(runs),
			want:   Step{Action: Stop, State: v1beta2.ApplicationStatePendingRerun},
		},
		"WithinItsTime": {
			reason: "It is looked at again when its time is over, though nothing happens until then.",
			app:    application(running, letIn("etl", 19*time.Minute), runsFor("20m")),
			seen:   told(seeing(runs), "etl", admission.Verdict{}),
			want:   Step{Action: Wait, State: running, After: time.Minute},
		},
		"LongerThanItSaid": {
			reason: "By its word it may have gone before others, and has to keep it.",
			app:    application(running, letIn("etl", 20*time.Minute), runsFor("20m")),
			seen:   told(seeing(runs), "etl", admission.Verdict{}),
			want: Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Ended: noon, Cause: CauseRunTime,
				Failure: "it ran for longer than its annotation brazier.sh/max-run-time says: 20m",
			},
		},
		"InNoQueueForLonger": {
			reason: "Who is in no queue has told it to nobody.",
			app:    application(running, runsFor("1s")),
			seen:   seeing(runs),
			want:   Step{Action: Wait, State: running},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(tt.app, tt.seen, noon)
			if got.Because == "" {
				t.Error("the step does not say why")
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Step{}, "Because")); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestRecordQueue(t *testing.T) {
	const submitted, running = v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning
	type told struct {
		Queue, Admitted, Reason string
		LetIn                   bool
		Attempts                int32
	}
	back := admission.Verdict{TakenBack: true, Reason: "TakenBack"}
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		seen   Observation
		step   Step
		want   told
	}{
		"Waits": {
			reason: "The condition says what it waits for.",
			app:    application(submitted, inQueue("etl")),
			seen:   Observation{Queue: "etl", Verdict: admission.Verdict{Reason: "Behind"}},
			step:   Step{Action: Wait, State: submitted},
			want:   told{Queue: "etl", Admitted: "False", Reason: "Behind", Attempts: 1},
		},
		"LetIn": {
			reason: "Where it was let in is what its submission is made of.",
			app:    application(submitted, inQueue("etl")),
			seen:   Observation{Queue: "etl"},
			step:   Step{Action: Wait, State: submitted, Admission: placeIn(0)},
			want:   told{Queue: "etl", Admitted: "True", Reason: "Admitted", LetIn: true, Attempts: 1},
		},
		"Moved": {
			reason: "Status follows the label, while it runs too: what it has moves with it.",
			app:    application(running, letIn("etl", 0)),
			seen:   Observation{Queue: "ads"},
			step:   Step{Action: Wait, State: running},
			want:   told{Queue: "ads", Admitted: "True", Reason: "Admitted", LetIn: true, Attempts: 1},
		},
		"Leaves": {
			reason: "Nothing is said of a queue that it is not in.",
			app:    application(submitted, inQueue("etl")),
			step:   Step{Action: Wait, State: submitted, LeavesQueue: true},
			want:   told{Attempts: 1},
		},
		"SuspendedWhileItWaits": {
			reason: "It does not wait any more, and what it waited for was no attempt.",
			app:    application(submitted, inQueue("etl")),
			seen:   Observation{Queue: "etl"},
			step:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
			want:   told{},
		},
		"SuspendedWhileItRuns": {
			reason: "What is left of it still counts, until it is gone.",
			app:    application(running, letIn("etl", 0)),
			seen:   Observation{Queue: "etl"},
			step:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
			want:   told{Queue: "etl", LetIn: true},
		},
		"TakenBack": {
			reason: "It uses up no retry, and the condition says what became of it.",
			app:    application(running, letIn("etl", 0)),
			seen:   Observation{Queue: "etl", Verdict: back},
			step:   Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun, TakenBack: true},
			want:   told{Queue: "etl", Admitted: "False", Reason: "TakenBack", LetIn: true},
		},
		"ClaimedAgain": {
			reason: "A new run waits as a new application does.",
			app:    application(v1beta2.ApplicationStatePendingRerun, letIn("etl", 0), attempts(0, 0)),
			step: Step{Action: Claim, State: submitted, Claimed: &Claimed{
				Run: 2, At: noon, Queue: &v1beta2.QueuePlace{Name: "ads", Since: metav1.NewTime(noon)},
			}},
			want: told{Queue: "ads", Admitted: "False", Reason: "Waiting", Attempts: 1},
		},
		"ClaimedAndLetIn": {
			reason: "One status tells of both where it need not wait.",
			app:    application(v1beta2.ApplicationStateNew),
			step: Step{Action: Claim, State: submitted, Claimed: &Claimed{
				Run: 1, At: noon, Queue: &v1beta2.QueuePlace{Name: "etl", Since: metav1.NewTime(noon), Admitted: placeIn(0)},
			}},
			want: told{Queue: "etl", Admitted: "True", Reason: "Admitted", LetIn: true, Attempts: 1},
		},
		"Refused": {
			reason: "What refused it stays to be read.",
			app:    application(submitted, inQueue("etl")),
			seen:   Observation{Queue: "etl", Verdict: admission.Verdict{Refused: true, Reason: "TooManyWait"}},
			step:   Step{Action: Wait, State: v1beta2.ApplicationStateFailed, Cause: CauseQueue, Ended: noon, Failure: "no"},
			want:   told{Queue: "etl", Admitted: "False", Reason: "TooManyWait", Attempts: 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			record(tt.app, tt.seen, tt.step, noon)
			got := told{Attempts: tt.app.Status.ExecutionAttempts}
			if place := tt.app.Status.Queue; place != nil {
				got.Queue, got.LetIn = place.Name, place.Admitted != nil
			}
			if condition := meta.FindStatusCondition(tt.app.Status.Conditions, v1beta2.ConditionAdmitted); condition != nil {
				got.Admitted, got.Reason = string(condition.Status), condition.Reason
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
