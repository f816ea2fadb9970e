package evidence

import "k8s.io/utils/clock"

// NewAt returns a recorder whose time is that of a clock.
func NewAt(clock clock.WithTicker) *Recorder {
	r := New()
	r.clock = clock
	return r
}
