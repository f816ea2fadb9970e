package queue

import (
	"fmt"
	"time"

	engine "brazier.sh/brazier/internal/queue"
)

const (
	// window is how far back it is looked at how many runs a queue has let in.
	window = time.Hour
	// fewest is of how many of them something can be told at all.
	fewest = 3
)

// rates are when each queue has let runs in lately. They begin anew with the operator: what is made of them is a guess.
type rates struct {
	since    time.Time
	admitted map[string][]time.Time
}

// note takes down that a queue has let a run in.
func (r *rates) note(queue string, at time.Time) {
	if r.admitted == nil {
		r.admitted = make(map[string][]time.Time)
	}
	kept := r.admitted[queue]
	for len(kept) > 0 && at.Sub(kept[0]) > window {
		kept = kept[1:]
	}
	r.admitted[queue] = append(kept, at)
}

// until is how long it takes until a run in some place of a queue is let in, if that goes on as it did.
func (r *rates) until(queue string, place int, now time.Time) (time.Duration, bool) {
	span, count := min(window, now.Sub(r.since)), 0
	for _, at := range r.admitted[queue] {
		if now.Sub(at) <= window {
			count++
		}
	}
	if count < fewest || span <= 0 {
		return 0, false
	}
	return time.Duration(float64(span) / float64(count) * float64(place)), true
}

// guess says when a run that waits would start at the rate of late; "" where that cannot be told, or time does not help. It is said
// coarsely, as status is written whenever the words change.
func (r *rates) guess(queue string, wait engine.Wait, now time.Time) string {
	switch wait.Reason {
	case engine.NoQueue, engine.NotALeaf, engine.Draining, engine.NothingSuits, engine.TooBig:
		return ""
	}
	until, ok := r.until(queue, wait.Place, now)
	if !ok {
		return ""
	}
	return "; at the rate of late it starts " + coarsely(until)
}

func coarsely(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return "within two minutes"
	case d < 10*time.Minute:
		return "within ten minutes"
	case d < time.Hour:
		return fmt.Sprintf("within %d minutes", (int(d.Minutes())/20+1)*20)
	case d < 24*time.Hour:
		return fmt.Sprintf("within %d hours", int(d.Hours())+1)
	}
	return "after more than a day"
}
