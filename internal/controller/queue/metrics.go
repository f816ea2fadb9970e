package queue

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	engine "brazier.sh/brazier/internal/queue"
)

// metrics are what docs/metrics.md lists. Queues are made by those who run the platform, so their names may be labels.
type metrics struct {
	running, waiting, share       *prometheus.GaugeVec
	used, guaranteed, leaving     *prometheus.GaugeVec
	admissions, refusals, lifts   *prometheus.CounterVec
	takenExecutors, takenEntirely *prometheus.CounterVec
	waits                         *prometheus.HistogramVec
	rounds                        prometheus.Histogram
}

func newMetrics() *metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append([]string{"queue"}, labels...))
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, append([]string{"queue"}, labels...))
	}
	return &metrics{
		running:        gauge("brazier_queue_running", "Applications that run in a queue and its parts."),
		waiting:        gauge("brazier_queue_waiting", "Applications that wait in a queue and its parts."),
		share:          gauge("brazier_queue_share_ratio", "Weighted dominant share of a queue beyond its guarantee, of 1."),
		used:           gauge("brazier_queue_used", "What applications of a queue and its parts have.", "flavour", "resource"),
		guaranteed:     gauge("brazier_queue_guaranteed", "What a queue and its parts are guaranteed.", "flavour", "resource"),
		leaving:        gauge("brazier_queue_leaving", "The part of what is used that is being given back.", "flavour", "resource"),
		admissions:     counter("brazier_queue_admissions_total", "Runs that a queue has let in."),
		refusals:       counter("brazier_queue_refusals_total", "Runs that a queue has refused.", "reason"),
		lifts:          counter("brazier_queue_executors_let_go_total", "Executors whose gate was lifted."),
		takenExecutors: counter("brazier_queue_executors_taken_back_total", "Executors that were told to go, by the ground on which.", "ground"),
		takenEntirely:  counter("brazier_queue_applications_taken_back_total", "Runs that were stopped to wait again, by the ground on which.", "ground"),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "brazier_queue_wait_seconds", Help: "From the claim of a run until its queue has let it in.",
			Buckets: []float64{0.5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600},
		}, []string{"queue"}),
		rounds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "brazier_queue_round_seconds", Help: "How long a round of decisions takes, with what is done about them.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30},
		}),
	}
}

func (m *metrics) register(registry prometheus.Registerer) error {
	for _, collector := range []prometheus.Collector{
		m.running, m.waiting, m.share, m.used, m.guaranteed, m.leaving, m.admissions, m.refusals, m.lifts, m.takenExecutors,
		m.takenEntirely, m.waits, m.rounds,
	} {
		if err := registry.Register(collector); err != nil {
			return err
		}
	}
	return nil
}

func (m *metrics) admitted(queue string, waited time.Duration) {
	m.admissions.WithLabelValues(queue).Inc()
	m.waits.WithLabelValues(queue).Observe(max(0, waited.Seconds()))
}

func (m *metrics) refused(queue string, reason engine.Reason) {
	m.refusals.WithLabelValues(queue, string(reason)).Inc()
}

func (m *metrics) lifted(queue string, pods int) {
	m.lifts.WithLabelValues(queue).Add(float64(pods))
}

func (m *metrics) reclaimed(queue string, ground engine.Ground, executors, applications int) {
	m.takenExecutors.WithLabelValues(queue, string(ground)).Add(float64(executors))
	m.takenEntirely.WithLabelValues(queue, string(ground)).Add(float64(applications))
}

// show shows what queues have. Those that are gone are shown no more.
func (m *metrics) show(s *situation, decided engine.Decisions, took time.Duration) {
	m.rounds.Observe(took.Seconds())
	for _, gauges := range []*prometheus.GaugeVec{m.running, m.waiting, m.share, m.used, m.guaranteed, m.leaving} {
		gauges.Reset()
	}
	for _, u := range decided.Queues {
		m.running.WithLabelValues(u.Queue).Set(float64(u.Running))
		m.waiting.WithLabelValues(u.Queue).Set(float64(u.Waiting))
		m.share.WithLabelValues(u.Queue).Set(u.Share)
		m.begin(u.Queue)
		for flavour := range s.Flavours {
			for r, resource := range s.Resources {
				labels, slot := []string{u.Queue, s.Flavours[flavour].Name, resource}, s.At(flavour)+r
				m.used.WithLabelValues(labels...).Set(unit(resource, u.Used[slot]))
				m.guaranteed.WithLabelValues(labels...).Set(unit(resource, u.Guaranteed[slot]))
				m.leaving.WithLabelValues(labels...).Set(unit(resource, u.Leaving[slot]))
			}
		}
	}
}

// begin has a queue's counters begin at 0: one that appears with its first count has no rate then.
func (m *metrics) begin(queue string) {
	m.admissions.WithLabelValues(queue)
	m.waits.WithLabelValues(queue)
	m.lifts.WithLabelValues(queue)
	for _, reason := range []engine.Reason{engine.WaitedTooLong, engine.TooManyWait} {
		m.refusals.WithLabelValues(queue, string(reason))
	}
	for _, ground := range []engine.Ground{engine.ForGuarantee, engine.ForFairness, engine.ForHead} {
		m.takenExecutors.WithLabelValues(queue, string(ground))
		m.takenEntirely.WithLabelValues(queue, string(ground))
	}
}

// unit is an amount in the unit that metrics have: CPUs and bytes.
func unit(resource string, amount int64) float64 {
	if resource == "cpu" {
		return float64(amount) / 1000
	}
	return float64(amount)
}
