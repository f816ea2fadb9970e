package scheduled

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// lateAfter is how long after its time a run counts as late. Shorter delays are those of an operator that starts anew.
const lateAfter = time.Minute

// metrics are what docs/metrics.md lists. No label takes values that a schedule could make up.
type metrics struct {
	runs    prometheus.Counter
	skipped *prometheus.CounterVec
	now     *gauges
}

// newMetrics returns metrics whose gauges are counted in cached when they are asked for, so that they are right after a
// restart too.
func newMetrics(cached client.Reader, clock clock.PassiveClock) *metrics {
	m := &metrics{
		runs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "brazier_schedule_runs_total", Help: "Runs of schedules that were started.",
		}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "brazier_schedule_skipped_total", Help: "Runs of schedules that were left out, by why.",
		}, []string{"reason"}),
		now: &gauges{
			cached: cached, clock: clock,
			schedules: prometheus.NewDesc("brazier_schedules", "ScheduledSparkApplications there are, by state.", []string{"state"}, nil),
			late:      prometheus.NewDesc("brazier_schedules_late", "ScheduledSparkApplications whose next run is more than a minute late.", nil, nil),
		},
	}
	for _, reason := range []string{skipSuspended, skipLate} { // a counter that appears with its first run has no rate then
		m.skipped.WithLabelValues(reason)
	}
	return m
}

// The values of the label reason.
const (
	skipSuspended = "suspended"
	skipLate      = "too_late"
)

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{m.runs, m.skipped, m.now} {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

// count counts what step, of which status tells by now, has done for s.
func (m *metrics) count(s *v1beta2.ScheduledSparkApplication, step Step) {
	if !step.Start.IsZero() {
		m.runs.Inc()
	}
	switch {
	case step.Skipped == "":
	case s.Spec.Suspend:
		m.skipped.WithLabelValues(skipSuspended).Inc()
	default:
		m.skipped.WithLabelValues(skipLate).Inc()
	}
}

// gauges count in the cache what there is when they are asked.
type gauges struct {
	cached          client.Reader
	clock           clock.PassiveClock
	schedules, late *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	out <- g.schedules
	out <- g.late
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	var all v1beta2.ScheduledSparkApplicationList
	if err := g.cached.List(context.Background(), &all, client.UnsafeDisableDeepCopy); err != nil {
		out <- prometheus.NewInvalidMetric(g.schedules, err)
		return
	}
	byState, late := make(map[string]int), 0
	for i := range all.Items {
		byState[stateLabel(&all.Items[i])]++
		if isLate(&all.Items[i], g.clock.Now()) {
			late++
		}
	}
	for _, state := range []string{stateNew, stateScheduled, stateSuspended, stateInvalid} {
		out <- prometheus.MustNewConstMetric(g.schedules, prometheus.GaugeValue, float64(byState[state]), state)
	}
	out <- prometheus.MustNewConstMetric(g.late, prometheus.GaugeValue, float64(late))
}

// The values of the label state.
const (
	stateNew       = "New"
	stateScheduled = string(v1beta2.ScheduleStateScheduled)
	stateSuspended = "Suspended"
	stateInvalid   = string(v1beta2.ScheduleStateFailedValidation)
)

func stateLabel(s *v1beta2.ScheduledSparkApplication) string {
	switch {
	case s.Status.ScheduleState == v1beta2.ScheduleStateFailedValidation:
		return stateInvalid
	case s.Spec.Suspend:
		return stateSuspended
	case s.Status.ScheduleState == v1beta2.ScheduleStateScheduled:
		return stateScheduled
	default:
		return stateNew
	}
}

// isLate reports whether the next run of s should have begun by now: it waits for another, or nobody sees to it.
func isLate(s *v1beta2.ScheduledSparkApplication, now time.Time) bool {
	next := s.Status.NextRun
	return stateLabel(s) == stateScheduled && !next.IsZero() && now.Sub(next.Time) > lateAfter
}
