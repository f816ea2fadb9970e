package scheduled

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

func state(s v1beta2.ScheduleState) option {
	return func(schedule *v1beta2.ScheduledSparkApplication) { schedule.Status.ScheduleState = s }
}

func next(at time.Time) option {
	return func(s *v1beta2.ScheduledSparkApplication) { s.Status.NextRun = metav1.NewTime(at) }
}

func TestMetrics(t *testing.T) {
	scheduled := state(v1beta2.ScheduleStateScheduled)
	tests := map[string]struct {
		reason string
		s      *v1beta2.ScheduledSparkApplication
		step   Step
		want   map[string]float64
	}{
		"Started": {
			reason: "A run was started, and the next is not due.",
			s:      hourly(scheduled, next(noon().Add(time.Hour))), step: Step{Start: noon()},
			want: map[string]float64{"brazier_schedule_runs_total": 1, "brazier_schedules Scheduled": 1},
		},
		"New": {
			reason: "Nobody has looked at it yet.",
			s:      hourly(),
			want:   map[string]float64{"brazier_schedules New": 1},
		},
		"Suspended": {
			reason: "A time that passes while it is suspended is left out, and late for nobody.",
			s:      hourly(scheduled, suspended, next(noon().Add(-time.Hour))), step: Step{Skipped: "it is suspended"},
			want: map[string]float64{"brazier_schedule_skipped_total suspended": 1, "brazier_schedules Suspended": 1},
		},
		"TooLate": {
			reason: "What its own deadline leaves out is told from what its user does.",
			s:      hourly(scheduled, next(noon().Add(time.Hour))), step: Step{Skipped: "it is more than 10m0s late"},
			want: map[string]float64{"brazier_schedule_skipped_total too_late": 1, "brazier_schedules Scheduled": 1},
		},
		"Late": {
			reason: "Its run waits for another, or nobody sees to it.",
			s:      hourly(scheduled, next(noon().Add(-lateAfter-time.Second))),
			want:   map[string]float64{"brazier_schedules Scheduled": 1, "brazier_schedules_late": 1},
		},
		"NotLateYet": {
			reason: "An operator that starts anew is late by some seconds.",
			s:      hourly(scheduled, next(noon().Add(-lateAfter))),
			want:   map[string]float64{"brazier_schedules Scheduled": 1},
		},
		"Invalid": {
			reason: "A schedule that cannot be read will never run, suspended or not.",
			s:      hourly(suspended, state(v1beta2.ScheduleStateFailedValidation)),
			want:   map[string]float64{"brazier_schedules FailedValidation": 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMetrics(cache{s: tt.s}, testclock.NewFakePassiveClock(noon()))
			registry := prometheus.NewRegistry()
			if err := m.register(registry); err != nil {
				t.Fatal(err)
			}
			m.count(tt.s, tt.step)
			if diff := cmp.Diff(tt.want, values(t, registry)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// cache holds one schedule.
type cache struct {
	client.Reader
	s *v1beta2.ScheduledSparkApplication
}

func (c cache) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1beta2.ScheduledSparkApplicationList).Items = []v1beta2.ScheduledSparkApplication{*c.s}
	return nil
}

// values returns what a registry shows that is not 0, by name and label.
func values(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := []string{family.GetName()}
			for _, label := range metric.GetLabel() {
				name = append(name, label.GetValue())
			}
			if value := metric.GetCounter().GetValue() + metric.GetGauge().GetValue(); value != 0 {
				values[strings.Join(name, " ")] = value
			}
		}
	}
	return values
}
