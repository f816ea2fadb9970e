package queue

import (
	"math"
	"time"

	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// history is what each user has used lately: parts of the cluster times seconds, half of which is forgotten in each
// half-life.
type history struct {
	used map[string]float64
	at   time.Time
}

// forgotten is how little of what was used is as good as nothing.
const forgotten = 1e-9

// pass has the time until now pass, in which applications have had what they have now.
func (h *history) pass(s *situation) {
	now := s.Now
	if h.used == nil {
		h.used = make(map[string]float64)
	}
	passed := now.Sub(h.at).Seconds()
	first := h.at.IsZero()
	h.at = now
	if first || passed <= 0 {
		return
	}
	keep := math.Exp2(-passed / s.tree.HalfLife.Seconds())
	for user := range h.used {
		if h.used[user] *= keep; h.used[user] < forgotten {
			delete(h.used, user)
		}
	}
	for i := range s.Applications {
		if part := dominant(s, &s.Applications[i]); part > 0 {
			h.used[s.Applications[i].User] += part * passed
		}
	}
}

// dominant is the largest part of any resource that an application has of all there is.
func dominant(s *situation, a *engine.Application) float64 {
	charge := s.Charge(a)
	var most float64
	for r := range s.Resources {
		var has, all int64
		for flavour := range s.Flavours {
			slot := s.At(flavour) + r
			has, all = has+charge[slot], all+min(s.Capacity[slot], queuetree.Most)
		}
		if has > 0 && all > 0 {
			most = max(most, float64(has)/float64(all))
		}
	}
	return most
}
