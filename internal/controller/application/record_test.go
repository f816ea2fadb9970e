package application

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/v1beta2"
)

// TestExecutorStates follows what status says of three executors to the end of a run, whichever it is.
func TestExecutorStates(t *testing.T) {
	const running, completed = v1beta2.ExecutorStateRunning, v1beta2.ExecutorStateCompleted
	before := map[string]v1beta2.ExecutorState{"gone": running, "done": completed, "runs": running}
	seen := seeing(runs)
	seen.Executors = []Executor{{Name: "runs", Run: 2, State: running}, {Name: "earlier", Run: 1, State: running, Deleting: true}}
	tests := map[string]struct {
		reason string
		step   Step
		want   map[string]v1beta2.ExecutorState
	}{
		"UnderWay": {
			reason: "Whether the driver gave back one that is gone or lost it is not to be seen; one of an earlier run is nobody's.",
			step:   Step{Action: Wait, State: v1beta2.ApplicationStateRunning},
			want:   map[string]v1beta2.ExecutorState{"gone": v1beta2.ExecutorStateUnknown, "done": completed, "runs": running},
		},
		"EndsWell": {
			reason: "What is left of a run that ended well has ended well.",
			step:   completedStep(v1beta2.RestartPolicyNever),
			want:   map[string]v1beta2.ExecutorState{"gone": completed, "done": completed, "runs": completed},
		},
		"RunsAgain": {
			reason: "Also if there is to be another run: nothing runs until then.",
			step:   completedStep(v1beta2.RestartPolicyAlways),
			want:   map[string]v1beta2.ExecutorState{"gone": completed, "done": completed, "runs": completed},
		},
		"Fails": {
			reason: "And what failed with its driver has failed.",
			step:   failed(application(v1beta2.ApplicationStateRunning), "failed", noon, CauseApplication),
			want: map[string]v1beta2.ExecutorState{
				"gone": v1beta2.ExecutorStateFailed, "done": completed, "runs": v1beta2.ExecutorStateFailed,
			},
		},
		"Suspended": {
			reason: "Of a run that is called off nothing is told.",
			step:   Step{Action: Wait, State: v1beta2.ApplicationStateSuspending},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := application(v1beta2.ApplicationStateRunning)
			app.Status.Run, app.Status.ExecutorState = 2, before
			record(app, seen, tt.step, noon)
			if diff := cmp.Diff(tt.want, app.Status.ExecutorState); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func completedStep(policy v1beta2.RestartPolicyType) Step {
	return completed(application(v1beta2.ApplicationStateRunning, restart(policy, 0)), noon)
}

// TestSuspensionUsesUpNoRetry counts attempts through a suspension, as by a queue that needs the room.
func TestSuspensionUsesUpNoRetry(t *testing.T) {
	app := application(v1beta2.ApplicationStateRunning, attempts(2, 1), failures(1))
	app.Status.DriverInfo.PodName = "pi-driver"
	record(app, Observation{}, Step{Action: Wait, State: v1beta2.ApplicationStateSuspending}, noon)
	got := app.Status
	if got.ExecutionAttempts != 1 || got.SubmissionAttempts != 0 || got.Failures != 0 || got.DriverInfo.PodName != "" {
		t.Errorf("want the run as if it had never been, got %+v", got)
	}
}

// TestRehash makes sure that an operator whose hashes differ from its predecessor's does not take every edit for one that
// needs a new run.
func TestRehash(t *testing.T) {
	app := application(v1beta2.ApplicationStateRunning)
	app.Status.SpecHash, app.Status.ObservedGeneration = "0123456789abcdef", app.Generation
	stay := Step{Action: Wait, State: v1beta2.ApplicationStateRunning}
	record(app, seeing(runs), stay, noon)
	app.Spec.TimeToLiveSeconds = new(int64(60))
	app.Generation++
	if step := Decide(app, seeing(runs), noon.Add(time.Second)); step.State != v1beta2.ApplicationStateRunning {
		t.Errorf("an edit that needs no new run makes it %s: %s", step.State, step.Because)
	}

	app.Status.SpecHash = "0123456789abcdef" // and then an edit that nobody saw
	record(app, seeing(runs), stay, noon)
	if app.Status.SpecHash != "0123456789abcdef" {
		t.Error("the hash of a specification that was edited meanwhile is taken for that of its run")
	}
}
