package queue

import (
	"maps"
	"sync"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
)

// gaveUp is after what time nobody asks any more whether it was let in.
const gaveUp = 30 * time.Second

// applicants are first runs that nobody has claimed yet. A round about them saves a status: one that is let in at once is
// claimed and let in by one write. Nothing of them has to be remembered: they ask again.
type applicants struct {
	lock sync.Mutex
	all  map[types.UID]applicant
	// came has a round soon.
	came func()
}

type applicant struct {
	run   int64
	place *v1beta2.QueuePlace
	// since is when it came, asked when it asked last.
	since, asked time.Time
}

// apply takes a run in, and reports whether it is not to be waited for any longer that there is a round about it.
func (a *applicants) apply(uid types.UID, run int64, place *v1beta2.QueuePlace, now time.Time) (overdue bool) {
	a.lock.Lock()
	known, ok := a.all[uid]
	same := ok && known.run == run && asMuch(known.place, place)
	if !same {
		known = applicant{run: run, place: place, since: now}
	}
	known.asked = now
	if a.all == nil {
		a.all = make(map[types.UID]applicant)
	}
	a.all[uid] = known
	came := a.came
	a.lock.Unlock()
	if !same && came != nil {
		came()
	}
	return now.Sub(known.since) >= admission.Patience
}

// asMuch reports whether a run asks of the same queue for the same in two places.
func asMuch(a, b *v1beta2.QueuePlace) bool {
	return a.Name == b.Name && a.Minimum == b.Minimum &&
		apiequality.Semantic.DeepEqual(a.Driver, b.Driver) && apiequality.Semantic.DeepEqual(a.Executor, b.Executor)
}

// waiting returns those that are waited for, and forgets the others.
func (a *applicants) waiting(now time.Time) map[types.UID]applicant {
	a.lock.Lock()
	defer a.lock.Unlock()
	maps.DeleteFunc(a.all, func(_ types.UID, known applicant) bool { return now.Sub(known.asked) > gaveUp })
	return maps.Clone(a.all)
}

// forget takes out one that has become of something else meanwhile.
func (a *applicants) forget(uid types.UID) {
	a.lock.Lock()
	defer a.lock.Unlock()
	delete(a.all, uid)
}

// onCame has called when there is a new one.
func (a *applicants) onCame(call func()) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.came = call
}

// of returns an application as the applicant that it is; false where it is none any more.
func (known applicant) of(object *v1beta2.SparkApplication) (member, bool) {
	app := see(object)
	switch state := object.Status.AppState.State; {
	case object.Status.Run >= known.run, object.Status.Queue != nil, app.deleting, app.suspended, state.Ended():
		return member{}, false
	}
	app.run, app.place, app.state = known.run, known.place, v1beta2.ApplicationStateSubmitted
	return app, true
}
