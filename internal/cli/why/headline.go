package why

import (
	"fmt"
	"time"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/scene"
)

// neglectAfter is how long an application may stay new before somebody should look at the operator.
const neglectAfter = 10 * time.Second

// headline says in one sentence how it stands with the application.
func headline(s *scene.Scene, causes []v1alpha1.Cause) string {
	switch {
	case s.Gone:
		return deleted(s)
	case !s.Latest:
		return earlier(s)
	case s.Case.Application == nil && s.Record == nil:
		return fmt.Sprintf("%s could not be read; this is what its pods of run %d say.", s.Case.Name, s.Run)
	case s.Case.Application == nil:
		return fmt.Sprintf("%s could not be read; this is what is known of its run %d, which was %s.", s.Case.Name, s.Run, inState(s.State))
	case s.Case.Ended:
		return ended(s)
	}
	return living(s, causes)
}

// deleted speaks of an application that is there no more.
func deleted(s *scene.Scene) string {
	name := s.Case.Name
	switch {
	case s.Record == nil:
		return fmt.Sprintf("%s is not there any more, but some of its pods are.", name)
	case s.State == v1beta2.ApplicationStateCompleted:
		return fmt.Sprintf("%s is not there any more. Its record says that it completed%s, in its %s run.", name, ago(s, s.Ended), ordinal(s.Run))
	case s.State == v1beta2.ApplicationStateFailed || s.State == v1beta2.ApplicationStatePendingRerun:
		return fmt.Sprintf("%s is not there any more. Its record says that its %s run failed%s.", name, ordinal(s.Run), ago(s, s.Ended))
	}
	until := ""
	if s.Ended != nil {
		until = " when it was deleted" + ago(s, s.Ended)
	}
	return fmt.Sprintf("%s is not there any more. Its record says that it was %s in its %s run%s.", name, inState(s.State), ordinal(s.Run), until)
}

// earlier speaks of a run that another has followed.
func earlier(s *scene.Scene) string {
	last := s.Runs[len(s.Runs)-1]
	now := ""
	if app := s.Case.Application; app != nil {
		now = fmt.Sprintf(", which is %s", inState(app.Status.AppState.State))
	}
	how := "ended"
	switch s.State {
	case v1beta2.ApplicationStateCompleted:
		how = "completed"
	case v1beta2.ApplicationStateFailed, v1beta2.ApplicationStatePendingRerun:
		how = "failed"
	}
	return fmt.Sprintf("Run %d of %s %s%s. The latest is run %d%s.", s.Run, s.Case.Name, how, ago(s, s.Ended), last, now)
}

// ended speaks of an application whose latest run is over.
func ended(s *scene.Scene) string {
	name, when := s.Case.Name, ago(s, s.Ended)
	switch s.State {
	case v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateSucceeding:
		return fmt.Sprintf("%s completed%s: there is nothing to explain.", name, when)
	case v1beta2.ApplicationStateFailedSubmission:
		return fmt.Sprintf("%s could not be submitted; it is tried again.", name)
	case v1beta2.ApplicationStatePendingRerun:
		return fmt.Sprintf("%s failed%s, in its %s attempt; another follows.", name, when, ordinal(attempts(s)))
	}
	n := attempts(s)
	if n <= 1 {
		return fmt.Sprintf("%s failed%s, in its only attempt.", name, when)
	}
	return fmt.Sprintf("%s failed%s, in its %s of %d attempts.", name, when, ordinal(n), n)
}

// attempts is how often the application was run, by its own account.
func attempts(s *scene.Scene) int64 {
	return max(int64(s.Case.Application.Status.ExecutionAttempts), 1)
}

// living speaks of an application that goes on.
func living(s *scene.Scene, causes []v1alpha1.Cause) string {
	name, long := s.Case.Name, ""
	if s.Began != nil {
		long = " for " + span(s.Case.Now.Sub(*s.Began))
	}
	switch s.State {
	case v1beta2.ApplicationStateNew:
		made := s.Case.Now.Sub(s.Case.Application.CreationTimestamp.Time)
		if made < neglectAfter {
			return fmt.Sprintf("%s was created %s ago and is about to be taken up.", name, span(made))
		}
		return fmt.Sprintf("%s was created %s ago, and no operator has taken it up yet.", name, span(made))
	case v1beta2.ApplicationStateSubmitted:
		return fmt.Sprintf("%s has been waiting%s: its driver does not run yet.", name, long)
	case v1beta2.ApplicationStateRunning:
		if len(causes) > 0 {
			return fmt.Sprintf("%s has been running%s, but something keeps it back.", name, long)
		}
		return fmt.Sprintf("%s has been running%s, and nothing is wrong with it.", name, long)
	case v1beta2.ApplicationStateSuspended:
		return fmt.Sprintf("%s is suspended: it goes on when its spec.suspend is false.", name)
	case v1beta2.ApplicationStateSuspending:
		return fmt.Sprintf("%s is being stopped, since its spec.suspend is true.", name)
	case v1beta2.ApplicationStateResuming:
		return fmt.Sprintf("%s was suspended and is about to be submitted again.", name)
	case v1beta2.ApplicationStateInvalidating:
		return fmt.Sprintf("%s was edited: its run is being stopped, and begun anew.", name)
	case v1beta2.ApplicationStateUnknown:
		return fmt.Sprintf("Nothing is heard of %s: the node of its driver cannot be reached.", name)
	}
	return fmt.Sprintf("%s is %s.", name, inState(s.State))
}

// inState names a state in a sentence.
func inState(state v1beta2.ApplicationStateType) string {
	if state == v1beta2.ApplicationStateNew {
		return "new"
	}
	return string(state)
}

// ago is how long ago something was, with a space before it; empty where that is not known.
func ago(s *scene.Scene, at *time.Time) string {
	if at == nil {
		return ""
	}
	return " " + span(s.Case.Now.Sub(*at)) + " ago"
}
