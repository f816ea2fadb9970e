package scheduled

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/schedule"
)

// Observation is what was seen of a schedule beside itself.
type Observation struct {
	// Runs are the applications that it has made.
	Runs []Run
	// Refused is why an application of its template could not be submitted; nil if it could.
	Refused error
}

// Run is an application that a schedule has made.
type Run struct {
	Name string
	// Due is the time that it was due at.
	Due time.Time
	// State is the state that it is in.
	State v1beta2.ApplicationStateType
	// Deleting is one that was told to go.
	Deleting bool
}

// Step is what is to be done next.
type Step struct {
	// Start is the time of the schedule whose run is to be made, if any.
	Start time.Time
	// Delete are the names of runs that are to go: to be replaced, or beyond what is kept.
	Delete []string
	// Until is the last time of the schedule that is done with then, whether its run was made or left out.
	Until time.Time
	// Skipped says why the time that was due last gets no run.
	Skipped string
	// Next is the time of the schedule that comes next, or that its run still waits for; zero if there is none.
	Next time.Time
	// Succeeded and Failed are the runs that are kept, the latest first.
	Succeeded, Failed []string
	// Invalid is what is wrong with the schedule.
	Invalid error
}

// Decide returns what is to be done for a schedule, given what was seen of it at now. It is pure.
func Decide(s *v1beta2.ScheduledSparkApplication, seen Observation, now time.Time) Step {
	when, deadline, err := read(s)
	if seen.Refused != nil {
		err = errors.Join(err, fmt.Errorf("spec.template: %w", seen.Refused))
	}
	if err != nil {
		return Step{Invalid: err}
	}
	step := history(s, seen.Runs)
	step.Until = begun(s, now)
	due := latest(when, step.Until, now)
	switch active := active(seen.Runs); {
	case due.IsZero():
	case s.Spec.Suspend:
		step.Until, step.Skipped = due, "it is suspended"
	case deadline > 0 && now.Sub(due) > deadline:
		step.Until, step.Skipped = due, fmt.Sprintf("it is more than %s late", deadline)
	case len(active) > 0 && s.Spec.ConcurrencyPolicy == v1beta2.ConcurrencyForbid:
		// It waits: the end of the other run is seen. Until then the time is not done with.
	case len(active) > 0 && s.Spec.ConcurrencyPolicy == v1beta2.ConcurrencyReplace:
		// It starts once they are gone: two drivers are not to write to one place.
		for _, run := range active {
			if !run.Deleting {
				step.Delete = append(step.Delete, run.Name)
			}
		}
	default:
		step.Start, step.Until = due, due
	}
	// An interval counts from the last time, and not from now.
	step.Next = when.Next(step.Until)
	return step
}

// read reads the schedule, and how late its runs may begin; 0 is however late.
func read(s *v1beta2.ScheduledSparkApplication) (schedule.Schedule, time.Duration, error) {
	var errs []error
	when, err := schedule.Parse(s.Spec.Schedule, s.Spec.TimeZone)
	if err != nil {
		errs = append(errs, fmt.Errorf("spec.schedule: %w", err))
	}
	text, said := s.Annotations[v1beta2.AnnotationStartDeadline]
	if !said {
		return when, 0, errors.Join(errs...)
	}
	deadline, err := time.ParseDuration(text)
	if err != nil || deadline <= 0 {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "annotations").Key(v1beta2.AnnotationStartDeadline), text,
			"is not a length of time; write for example 1h, or leave it out"))
	}
	return when, deadline, errors.Join(errs...)
}

// begun is the time after which the schedule counts: what is done with, or its creation. An edit is a new beginning, since
// a time of the day that the new schedule has, and that is past, was never meant for today.
func begun(s *v1beta2.ScheduledSparkApplication, now time.Time) time.Time {
	status := &s.Status
	switch edited := status.ObservedGeneration != 0 && status.ObservedGeneration != s.Generation; {
	case edited:
		return now.Truncate(time.Second)
	case !status.HandledUntil.IsZero():
		return status.HandledUntil.Time
	case !status.LastRun.IsZero():
		return status.LastRun.Time // another operator's, which begins a run a moment after its time
	default:
		return s.CreationTimestamp.Time
	}
}

// latest returns the last time that is due after begun and not after now, or the zero time. Of several that were missed
// one run is enough. A schedule that was away for long is not walked through time by time: it is looked at backwards,
// from twice as far each time.
func latest(when schedule.Schedule, begun, now time.Time) time.Time {
	first := when.Next(begun)
	if first.IsZero() || first.After(now) {
		return time.Time{}
	}
	from := begun
	for back := time.Minute; now.Add(-back).After(begun); back *= 2 {
		if due := when.Next(now.Add(-back)); !due.IsZero() && !due.After(now) {
			from = now.Add(-back)
			break
		}
	}
	last := time.Time{}
	for due := when.Next(from); !due.IsZero() && !due.After(now); due = when.Next(due) {
		last = due
	}
	return last
}

// active are the runs that have not ended.
func active(runs []Run) []Run {
	return slices.DeleteFunc(slices.Clone(runs), func(run Run) bool { return run.State.Ended() })
}

// history sorts the runs that have ended into those that are kept and those that are to go.
func history(s *v1beta2.ScheduledSparkApplication, runs []Run) Step {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Or(b.Due.Compare(a.Due), cmp.Compare(a.Name, b.Name)) })
	var step Step
	keep := func(names *[]string, limit *int32, name string) {
		most := 1
		if limit != nil {
			most = int(*limit)
		}
		if len(*names) < most {
			*names = append(*names, name)
		} else {
			step.Delete = append(step.Delete, name)
		}
	}
	for _, run := range runs {
		switch {
		case run.Deleting:
		case run.State == v1beta2.ApplicationStateCompleted:
			keep(&step.Succeeded, s.Spec.SuccessfulRunHistoryLimit, run.Name)
		case run.State == v1beta2.ApplicationStateFailed:
			keep(&step.Failed, s.Spec.FailedRunHistoryLimit, run.Name)
		}
	}
	return step
}
