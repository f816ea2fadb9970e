//go:build resilience

package resilience

import (
	"time"

	"brazier.sh/brazier/test/operated"
)

// Kubelet starts a container again at once, then after 10 seconds, then after twice as long each time.
const firstBackoff = 10 * time.Second

// kept is an operator that is started again whenever it has ended, as kubelet does.
type kept struct {
	world    *world
	operator *operated.Operator
	starts   int
	// due is when it is to be started again; zero while it runs.
	due     time.Time
	backoff time.Duration
}

// keep starts an operator and returns when it leads.
func (w *world) keep() *kept {
	w.t.Helper()
	k := &kept{world: w, operator: w.Operate(w.t, operated.Binary("NEW"), elected), starts: 1}
	w.awaitLeading(k.operator)
	return k
}

// tend starts the operator again if it has ended and its time has come. A world calls it while it waits.
func (k *kept) tend() {
	if k == nil {
		return
	}
	select {
	case <-k.operator.Done():
	default:
		return
	}
	if k.due.IsZero() {
		k.due, k.backoff = time.Now().Add(k.backoff), max(firstBackoff, 2*k.backoff)
	}
	if time.Now().Before(k.due) {
		return
	}
	k.world.t.Logf("the operator is started again after: %s", k.operator.LastLine(k.world.t))
	k.operator, k.due = k.world.Operate(k.world.t, operated.Binary("NEW"), elected), time.Time{}
	k.starts++
}
