package queue

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
)

// ledger is what was decided and is not to be seen yet: it is laid over what is seen, so that nothing is decided twice. It
// holds nothing that cannot be decided again, so that an operator that was killed begins with an empty one.
type ledger struct {
	// admitted are runs that were let in, until their status says so.
	admitted map[runKey]admitted
	// wholly are runs that have to stop, until they are not under way any more.
	wholly map[runKey]string
	// refused are runs that were refused, until their status says so.
	refused map[runKey]struct{}
	// lifted are pods that were let go, by flavour, until they are seen without their gate.
	lifted map[podKey]int
	// taken are pods that were told to go, until they are seen to.
	taken map[podKey]struct{}
	// stuck are pods that cannot be let go as they are, until they are gone.
	stuck map[podKey]struct{}
	// reclaimed is when something was taken from an application last.
	reclaimed map[types.UID]time.Time
}

// runKey is a run of an application.
type runKey struct {
	uid types.UID
	run int64
}

// podKey is a pod of an application. Spark gives no name twice.
type podKey struct {
	uid types.UID
	pod string
}

// admitted is an admission with what the run asked for then.
type admitted struct {
	place     *v1beta2.QueuePlace
	admission *v1beta2.QueueAdmission
}

func newLedger() *ledger {
	return &ledger{
		admitted: make(map[runKey]admitted), wholly: make(map[runKey]string), refused: make(map[runKey]struct{}), lifted: make(map[podKey]int),
		taken: make(map[podKey]struct{}), stuck: make(map[podKey]struct{}), reclaimed: make(map[types.UID]time.Time),
	}
}

func (a *member) runKey() runKey { return runKey{a.uid, a.run} }

// settle forgets what is seen by now, or will never be.
func (l *ledger) settle(apps []member) {
	runs, pods := make(map[runKey]*member, len(apps)), make(map[podKey]*pod)
	uids := make(map[types.UID]bool, len(apps))
	for i := range apps {
		app := &apps[i]
		runs[app.runKey()], uids[app.uid] = app, true
		for j := range app.pods {
			pods[podKey{app.uid, app.pods[j].name}] = &app.pods[j]
		}
	}
	for key, a := range l.admitted {
		if app := runs[key]; app == nil || !app.waits() || !asMuch(a.place, app.place) {
			delete(l.admitted, key)
		}
	}
	for key := range l.wholly {
		if app := runs[key]; app == nil || !app.runs() {
			delete(l.wholly, key)
		}
	}
	for key := range l.refused {
		if app := runs[key]; app == nil || !app.waits() {
			delete(l.refused, key)
		}
	}
	for key := range l.lifted {
		if p := pods[key]; p == nil || !p.gated {
			delete(l.lifted, key)
		}
	}
	for key := range l.taken {
		if p := pods[key]; p == nil || p.leaving {
			delete(l.taken, key)
		}
	}
	for key := range l.stuck {
		if p := pods[key]; p == nil || !p.gated {
			delete(l.stuck, key)
		}
	}
	for uid := range l.reclaimed {
		if !uids[uid] {
			delete(l.reclaimed, uid)
		}
	}
}

// lay changes what was seen of app to what it is about to be.
func (l *ledger) lay(app *member) {
	if a, ok := l.admitted[app.runKey()]; ok {
		place := *app.place
		place.Admitted = a.admission
		app.place = &place
	}
	kept := app.pods[:0]
	for _, p := range app.pods {
		key := podKey{app.uid, p.name}
		if flavour, ok := l.lifted[key]; ok {
			p.gated, p.flavour = false, flavour
		}
		if _, ok := l.taken[key]; ok {
			p.leaving = true
		}
		if _, ok := l.stuck[key]; ok {
			continue
		}
		kept = append(kept, p)
	}
	app.pods = kept
}
