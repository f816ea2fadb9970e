package scheduled

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// noon is when the schedules of these tests are looked at.
func noon() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

type option func(*v1beta2.ScheduledSparkApplication)

// hourly is a schedule that was made a day ago and has had its run of eleven.
func hourly(options ...option) *v1beta2.ScheduledSparkApplication {
	s := &v1beta2.ScheduledSparkApplication{}
	s.Name, s.Generation = "report", 1
	s.CreationTimestamp = metav1.NewTime(noon().Add(-24 * time.Hour))
	s.Spec.Schedule, s.Spec.TimeZone = "0 * * * *", "UTC"
	s.Status.HandledUntil = metav1.NewTime(noon().Add(-time.Hour))
	s.Status.ObservedGeneration = 1
	for _, option := range options {
		option(s)
	}
	return s
}

func policy(p v1beta2.ConcurrencyPolicy) option {
	return func(s *v1beta2.ScheduledSparkApplication) { s.Spec.ConcurrencyPolicy = p }
}

func handled(at time.Time) option {
	return func(s *v1beta2.ScheduledSparkApplication) { s.Status.HandledUntil = metav1.NewTime(at) }
}

func deadline(text string) option {
	return func(s *v1beta2.ScheduledSparkApplication) {
		s.Annotations = map[string]string{v1beta2.AnnotationStartDeadline: text}
	}
}

// ranElsewhere is the last run of another operator, which it began a second late.
func ranElsewhere(s *v1beta2.ScheduledSparkApplication) {
	s.Status.ObservedGeneration = 0
	s.Status.LastRun = metav1.NewTime(noon().Add(-time.Hour + time.Second))
}

func suspended(s *v1beta2.ScheduledSparkApplication) { s.Spec.Suspend = true }

func edited(s *v1beta2.ScheduledSparkApplication) { s.Generation++ }

func run(name string, ago time.Duration, state v1beta2.ApplicationStateType) Run {
	return Run{Name: name, Due: noon().Add(-ago), State: state}
}

func TestDecide(t *testing.T) {
	one := noon().Add(time.Hour)
	running := run("before", time.Hour, v1beta2.ApplicationStateRunning)
	going := running
	going.Deleting = true
	tests := map[string]struct {
		reason string
		s      *v1beta2.ScheduledSparkApplication
		runs   []Run
		now    time.Time
		want   Step
	}{
		"NotDue": {
			reason: "Nothing is done before its time.",
			s:      hourly(), now: noon().Add(-time.Second),
			want: Step{Until: noon().Add(-time.Hour), Next: noon()},
		},
		"Due": {
			reason: "At its time a run is made.",
			s:      hourly(), now: noon(),
			want: Step{Start: noon(), Until: noon(), Next: one},
		},
		"LedByAnotherOperatorSoFar": {
			reason: "What another operator has run already is not run again when ours takes over.",
			s:      hourly(handled(time.Time{}), ranElsewhere), now: noon().Add(-time.Minute),
			want: Step{Until: noon().Add(-time.Hour + time.Second), Next: noon()},
		},
		"DueAfterAnotherOperator": {
			reason: "What it left undone is made up.",
			s:      hourly(handled(time.Time{}), ranElsewhere), now: noon(),
			want: Step{Start: noon(), Until: noon(), Next: one},
		},
		"Missed": {
			reason: "Of the times that were missed the last is made up.",
			s:      hourly(handled(noon().Add(-20 * time.Hour))), now: noon().Add(time.Minute),
			want: Step{Start: noon(), Until: noon(), Next: one},
		},
		"MissedForYears": {
			reason: "However many there were, without walking through all.",
			s: hourly(handled(noon().AddDate(-40, 0, 0)), func(s *v1beta2.ScheduledSparkApplication) {
				s.Spec.Schedule = "@every 1s"
			}), now: noon(),
			want: Step{Start: noon(), Until: noon(), Next: noon().Add(time.Second)},
		},
		"TooLate": {
			reason: "Unless it is too late for it.",
			s:      hourly(deadline("10m")), now: noon().Add(11 * time.Minute),
			want: Step{Until: noon(), Next: one, Skipped: "it is more than 10m0s late"},
		},
		"LateInTime": {
			reason: "The deadline is not over yet.",
			s:      hourly(deadline("10m")), now: noon().Add(9 * time.Minute),
			want: Step{Start: noon(), Until: noon(), Next: one},
		},
		"Suspended": {
			reason: "What passes while it is suspended is not made up.",
			s:      hourly(suspended), now: noon(),
			want: Step{Until: noon(), Next: one, Skipped: "it is suspended"},
		},
		"Edited": {
			reason: "A new schedule has no past.",
			s:      hourly(edited, handled(noon().Add(-20*time.Hour))), now: noon().Add(time.Minute),
			want: Step{Until: noon().Add(time.Minute), Next: one},
		},
		"Allow": {
			reason: "Runs may overlap.",
			s:      hourly(policy(v1beta2.ConcurrencyAllow)), runs: []Run{running}, now: noon(),
			want: Step{Start: noon(), Until: noon(), Next: one},
		},
		"Forbid": {
			reason: "The run waits for the other, and its time is not done with.",
			s:      hourly(policy(v1beta2.ConcurrencyForbid)), runs: []Run{running}, now: noon(),
			want: Step{Until: noon().Add(-time.Hour), Next: noon()},
		},
		"Replace": {
			reason: "The other goes first.",
			s:      hourly(policy(v1beta2.ConcurrencyReplace)), runs: []Run{running}, now: noon(),
			want: Step{Until: noon().Add(-time.Hour), Next: noon(), Delete: []string{"before"}},
		},
		"ReplaceGoing": {
			reason: "Until it is gone there would be two.",
			s:      hourly(policy(v1beta2.ConcurrencyReplace)), runs: []Run{going}, now: noon(),
			want: Step{Until: noon().Add(-time.Hour), Next: noon()},
		},
		"History": {
			reason: "One of each end is kept: the latest.",
			s:      hourly(),
			runs: []Run{
				run("a", 4*time.Hour, v1beta2.ApplicationStateCompleted), run("b", 3*time.Hour, v1beta2.ApplicationStateFailed),
				run("c", 2*time.Hour, v1beta2.ApplicationStateCompleted), run("d", time.Hour, v1beta2.ApplicationStateFailed),
			},
			now:  noon().Add(-time.Minute),
			want: Step{Until: noon().Add(-time.Hour), Next: noon(), Succeeded: []string{"c"}, Failed: []string{"d"}, Delete: []string{"b", "a"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Decide(tt.s, Observation{Runs: tt.runs}, tt.now)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestDecideInvalid(t *testing.T) {
	broken := hourly(deadline("soon"), func(s *v1beta2.ScheduledSparkApplication) { s.Spec.TimeZone = "Mars/Olympus" })
	step := Decide(broken, Observation{Refused: errors.New("spec.type: no such language")}, noon())
	if step.Invalid == nil || !step.Start.IsZero() {
		t.Fatalf("want a schedule that is not in order to start nothing, got %+v", step)
	}
	for _, want := range []string{"spec.schedule", "Mars/Olympus", v1beta2.AnnotationStartDeadline, `"soon"`, "spec.template: spec.type"} {
		if !strings.Contains(step.Invalid.Error(), want) {
			t.Errorf("want %q among all that is wrong, got: %v", want, step.Invalid)
		}
	}
}

// TestYear lets a whole year pass over a schedule, as the controller would: it wakes when it is told to, and writes down
// what it did. Each day has its run, to the second, in a zone that puts its clocks.
func TestYear(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := hourly(func(s *v1beta2.ScheduledSparkApplication) {
		s.Spec.Schedule, s.Spec.TimeZone = "30 2 * * *", "Europe/Berlin"
		s.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, berlin))
		s.Status = v1beta2.ScheduledSparkApplicationStatus{}
	})
	names, now := map[string]bool{}, s.CreationTimestamp.Time
	for end := now.AddDate(1, 0, 0); now.Before(end); {
		step := Decide(s, Observation{}, now)
		record(s, step)
		if !step.Start.IsZero() {
			names[s.Status.LastRunName] = true
			if !s.Status.LastRun.Time.Equal(now) {
				t.Fatalf("the run of %s was made at %s", s.Status.LastRun, now)
			}
			clock := now.In(berlin).Format("15:04:05")
			if want := map[bool]string{true: "03:00:00", false: "02:30:00"}[now.In(berlin).Format(time.DateOnly) == "2026-03-29"]; clock != want {
				t.Errorf("%s: the clock shows %s, want %s", now.In(berlin).Format(time.DateOnly), clock, want)
			}
		}
		if !s.Status.NextRun.After(now) {
			t.Fatalf("at %s the next run is said to be at %s", now, s.Status.NextRun)
		}
		now = s.Status.NextRun.Time
	}
	if len(names) != 365 {
		t.Errorf("want 365 runs with names of their own, got %d", len(names))
	}
}

func TestRunName(t *testing.T) {
	long := strings.Repeat("a-very-long-name.", 4)[:63]
	for _, name := range []string{"report", long, long[:62] + "x"} {
		s := hourly(func(s *v1beta2.ScheduledSparkApplication) { s.Name = name })
		if got := runName(s, noon()); len(got) > 63 || !strings.HasSuffix(got, fmt.Sprintf("-%d", noon().Unix())) {
			t.Errorf("%s is no name for a run", got)
		}
	}
	a := hourly(func(s *v1beta2.ScheduledSparkApplication) { s.Name = long })
	b := hourly(func(s *v1beta2.ScheduledSparkApplication) { s.Name = long[:62] + "x" })
	if runName(a, noon()) == runName(b, noon()) {
		t.Error("two schedules whose names begin alike have runs of one name")
	}
}
