package application

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

func TestInVain(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	app := func(failedAgo time.Duration, retryable metav1.ConditionStatus) *v1beta2.SparkApplication {
		app := new(v1beta2.SparkApplication)
		app.Status.AppState = v1beta2.ApplicationState{State: v1beta2.ApplicationStatePendingRerun, ErrorMessage: "driver container failed"}
		app.Status.TerminationTime = metav1.NewTime(at.Add(-failedAgo))
		if retryable != "" {
			setCondition(app, v1beta2.ConditionRetryable, retryable, "ClassMissing", "", at)
		}
		return app
	}
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		seen   Observation
		want   Step
	}{
		"NotAsked": {"Retries are made unless somebody does not want them.", app(time.Second, metav1.ConditionFalse), Observation{}, Step{}},
		"NotYet": {
			"It waits until it is known what the run failed of.", app(5*time.Second, ""),
			Observation{NotInVain: true},
			Step{Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Because: "it is not known yet what its last run failed of", After: 15 * time.Second},
		},
		"NeverKnown": {"It does not wait for ever.", app(time.Minute, ""), Observation{NotInVain: true}, Step{}},
		"Retryable":  {"Another run may succeed.", app(time.Second, metav1.ConditionTrue), Observation{NotInVain: true}, Step{}},
		"InVain": {
			"Another run would fail of the same.", app(time.Second, metav1.ConditionFalse),
			Observation{NotInVain: true},
			Step{
				Action: Wait, State: v1beta2.ApplicationStateFailed, Because: "another run would fail of the same",
				Failure: "driver container failed; not run again, as another run would fail of the same (ClassMissing)",
			},
		},
		"CalledOff": {"A run that was called off has not failed.", new(v1beta2.SparkApplication), Observation{NotInVain: true}, Step{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := inVain(tt.app, tt.seen, at)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestRetriesDeterministic(t *testing.T) {
	for _, tt := range []struct {
		annotation           string
		byDefault, wantRetry bool
	}{{"", true, true}, {"", false, false}, {"false", true, false}, {"true", false, true}, {"maybe", true, true}} {
		app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
			v1beta2.AnnotationRetryDeterministicFailures: tt.annotation,
		}}}
		if got := retriesDeterministic(app, tt.byDefault); got != tt.wantRetry {
			t.Errorf("annotation %q and default %t: want %t, got %t", tt.annotation, tt.byDefault, tt.wantRetry, got)
		}
	}
}

func TestRecordDiagnosis(t *testing.T) {
	at := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	type said struct{ Diagnosed, Why, Retryable string }
	before := func() *v1beta2.SparkApplication {
		app := new(v1beta2.SparkApplication)
		setCondition(app, v1beta2.ConditionDiagnosed, metav1.ConditionTrue, "Earlier", "why", at)
		return app
	}
	tests := map[string]struct {
		reason string
		app    *v1beta2.SparkApplication
		d      Diagnosis
		step   Step
		want   said
	}{
		"NotLookedAt": {"What nobody has looked at stays.", before(), Diagnosis{}, Step{}, said{Diagnosed: "True Earlier", Why: "why"}},
		"Failed": {
			"A cause is told, and whether it comes again.", before(),
			Diagnosis{Looked: true, Ended: true, Code: "image-pull", Say: "No. Push it.", Deterministic: true},
			Step{},
			said{Diagnosed: "True ImagePull", Why: "No. Push it.", Retryable: "False ImagePull"},
		},
		"Transient": {
			"Another run may do.", before(),
			Diagnosis{Looked: true, Ended: true, Code: "image-pull", Say: "No."},
			Step{},
			said{Diagnosed: "True ImagePull", Why: "No.", Retryable: "True ImagePull"},
		},
		"Waits":       {"What it waits for is no end.", before(), Diagnosis{Looked: true, Code: "image-pull", Say: "No."}, Step{}, said{Diagnosed: "True ImagePull", Why: "No."}},
		"WaitsNoMore": {"It waits no longer.", before(), Diagnosis{Looked: true}, Step{}, said{}},
		"NothingFound": {
			"That nothing was found is told too.", before(),
			Diagnosis{Looked: true, Ended: true},
			Step{},
			said{Diagnosed: "False NoCauseFound", Why: "nothing that is known was found in what was seen of the run", Retryable: "True NoCauseFound"},
		},
		"NextRun":   {"A new run is not the last one.", before(), Diagnosis{Looked: true, Ended: true, Code: "image-pull"}, Step{Claimed: &Claimed{}}, said{}},
		"Completed": {"All is well.", before(), Diagnosis{}, Step{State: v1beta2.ApplicationStateCompleted}, said{}},
		"CalledOff": {"The run is nobody's business any more.", before(), Diagnosis{}, Step{State: v1beta2.ApplicationStateInvalidating}, said{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			recordDiagnosis(tt.app, Observation{Diagnosis: tt.d}, tt.step, at)
			var got said
			if c := meta.FindStatusCondition(tt.app.Status.Conditions, v1beta2.ConditionDiagnosed); c != nil {
				got.Diagnosed, got.Why = string(c.Status)+" "+c.Reason, c.Message
			}
			if c := meta.FindStatusCondition(tt.app.Status.Conditions, v1beta2.ConditionRetryable); c != nil {
				got.Retryable = string(c.Status) + " " + c.Reason
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
