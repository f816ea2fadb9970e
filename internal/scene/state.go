package scene

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/evidence"
)

// settle says how far the run has come: of the latest run of an application that is there by the application, of any other
// by its record.
func (s *Scene) settle() {
	app := s.Case.Application
	if s.Record != nil {
		s.State = v1beta2.ApplicationStateType(s.Record.State)
		s.Began, s.Ended = moment(s.Record.Began), moment(s.Record.Ended)
	}
	if app != nil && s.Latest {
		s.State = app.Status.AppState.State
		if began := app.Status.RunSubmitTime; !began.IsZero() {
			s.Began = &began.Time
		}
		if ended := app.Status.TerminationTime; !ended.IsZero() && Over(s.State) {
			s.Ended = &ended.Time
		}
	}
	s.Case.Ended = s.Gone || !s.Latest || Over(s.State) || app == nil && s.Ended != nil
}

// Over reports whether the latest run of an application in a state has ended, or could not be begun.
func Over(state v1beta2.ApplicationStateType) bool {
	switch state {
	case v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStatePendingRerun,
		v1beta2.ApplicationStateFailedSubmission:
		return true
	}
	return state.Ended()
}

func moment(t *metav1.Time) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	return &t.Time
}

// List names runs: "1", "1 and 2", "1, 2 and 3". Of many it names the first and the last ones.
func List(runs []int64) string {
	const many = 5
	words := make([]string, 0, len(runs))
	for i, run := range runs {
		if len(runs) > many && i == 1 {
			words = append(words, "…")
		}
		if len(runs) <= many || i == 0 || i >= len(runs)-many+2 {
			words = append(words, fmt.Sprint(run))
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// refusals is what an application says of a submission that was not taken.
func refusals(app *v1beta2.SparkApplication) []v1alpha1.Refusal {
	state := app.Status.AppState
	if state.State != v1beta2.ApplicationStateFailedSubmission || state.ErrorMessage == "" {
		return nil
	}
	return []v1alpha1.Refusal{{Message: evidence.Say(state.ErrorMessage), At: app.Status.LastSubmissionAttemptTime}}
}

// holds is what an application says of why it is not begun.
func holds(app *v1beta2.SparkApplication) []v1alpha1.Hold {
	if !app.Spec.Suspend {
		return nil
	}
	return []v1alpha1.Hold{{By: "suspend", Object: v1beta2.SparkApplicationKind + "/" + app.Name, Message: "spec.suspend is true"}}
}

// gates are what holds a pod back from its scheduler, in the words in which the operator records it.
func gates(pod *v1alpha1.Pod) []v1alpha1.Hold {
	var held []v1alpha1.Hold
	for _, gate := range pod.Gates {
		held = append(held, v1alpha1.Hold{By: "scheduling gate", Object: "Pod/" + pod.Name, Message: gate, Since: pod.Created})
	}
	return held
}
