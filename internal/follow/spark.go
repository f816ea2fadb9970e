package follow

import "time"

// spark is what the driver's REST API says.
type spark struct {
	polled bool
	at     time.Time
	jobs   []job
	stages []stage
	active int
	done   int
	failed int
}

type job struct {
	id           int
	name         string
	stages, done int
}

type stage struct {
	id, attempt int
	name        string
	tasks, done int
	failed      int
	active      int
	// since and before are a moment and how many tasks were done then: what the rate is measured from.
	since  time.Time
	before int
}

// seeSpark takes what was polled at a moment. A stage that was not there at the poll before began at that poll at the
// earliest, with nothing done; only the first poll of all cannot tell.
func (m *model) seeSpark(next spark, at time.Time) {
	for i := range next.stages {
		s := &next.stages[i]
		s.since, s.before = at, s.done
		if m.spark.polled {
			s.since, s.before = m.spark.at, 0
		}
		for _, old := range m.spark.stages {
			if old.id == s.id && old.attempt == s.attempt {
				s.since, s.before = old.since, old.before
			}
		}
	}
	next.polled, next.at = true, at
	m.spark = next
}

// rate returns the tasks per second that the stage does, and how long the rest will take; both are 0 while unknown.
func (s stage) rate(now time.Time) (float64, time.Duration) {
	elapsed := now.Sub(s.since).Seconds()
	if elapsed < 1 || s.done <= s.before {
		return 0, 0
	}
	rate := float64(s.done-s.before) / elapsed
	return rate, time.Duration(float64(s.tasks-s.done) / rate * float64(time.Second))
}
