package evidence

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

const (
	// settle is how long it takes until what was seen first is written: executors that lose a driver which has just ended
	// well end badly themselves, and there is nothing to tell of that.
	settle = time.Second
	// flush is how often a record that goes on changing is written.
	flush = 5 * time.Second
	// waitBeforeTold is how long a pod may wait before that is worth a record. Nearly all start sooner.
	waitBeforeTold = 10 * time.Second
	// eventsAgain is how often the events of pods that wait are listed, eventsSeldom how often they are at least; the longer
	// they have waited the less often: thousands may wait in a cluster that is full.
	eventsAgain, eventsSeldom = 30 * time.Second, 5 * time.Minute
	// lonely is how long a driver may run without executors before its log is asked why, and logAgain how often it is at
	// least; the longer it has been so the less often.
	lonely, logAgain, logSeldom = 30 * time.Second, time.Minute, 10 * time.Minute
	// tooOld is how long ago a run may have failed that nobody has looked at: an operator that is new in a cluster leaves
	// its history alone.
	tooOld = time.Hour
)

// task is what is to be done about a run.
type task struct {
	// end gathers all there is about a run that has failed, refusal takes down why a submission was not taken.
	end, refusal bool
	// logs reads the logs of executors that have ended badly.
	logs bool
	// events lists the events of pods that wait, or of an application whose driver's pod is not there; log reads the log of
	// a driver that has no executors.
	events, log bool
	// suspended says what holds an application that has no run.
	suspended bool
	// write writes the record, closed with the run.
	write, closed bool
	// forget is for a run of which there is nothing more to tell.
	forget bool
	// after is when to look again.
	after time.Duration
}

func (t task) idle() bool {
	return !t.end && !t.refusal && !t.logs && !t.events && !t.log && !t.suspended && !t.write && !t.closed
}

// decide says what is to be done about app's current run, whose driver's pod may be gone, by what is known of it. It is
// pure.
func decide(app *v1beta2.SparkApplication, driver *corev1.Pod, known *run, now time.Time) task {
	state := app.Status.AppState.State
	switch {
	case refused(app):
		return decideRefused(app, known)
	case state == v1beta2.ApplicationStateSuspended:
		return decideSuspended(app, known, now)
	case hasFailed(app, driver):
		return decideFailed(app, known, now)
	case isOver(state):
		return decideOver(app, driver, known)
	case hasSucceeded(driver):
		return task{} // until status tells of it
	case state == v1beta2.ApplicationStateSubmitted, state == v1beta2.ApplicationStateRunning, state == v1beta2.ApplicationStateUnknown:
		return decideUnderWay(app, driver, known, now)
	}
	return task{}
}

// decideRefused has each refusal taken down once.
func decideRefused(app *v1beta2.SparkApplication, known *run) task {
	if known != nil && known.verdict.refusal == app.Status.AppState.ErrorMessage {
		return task{}
	}
	if known == nil && diagnosed(app) {
		return task{}
	}
	return task{refusal: true, write: true, closed: true}
}

func decideSuspended(app *v1beta2.SparkApplication, known *run, now time.Time) task {
	if known != nil && known.verdict.looked {
		return task{}
	}
	running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
	if running == nil {
		return task{}
	}
	if left := running.LastTransitionTime.Add(waitBeforeTold).Sub(now); left > 0 {
		return task{after: left}
	}
	return task{suspended: true}
}

func decideFailed(app *v1beta2.SparkApplication, known *run, now time.Time) task {
	switch {
	case diagnosed(app): // and told: what comes of the run's pods now are its remains
		return task{forget: known != nil}
	case known != nil && known.verdict.ended:
		return task{}
	case !app.Status.TerminationTime.IsZero() && now.Sub(app.Status.TerminationTime.Time) > tooOld:
		return task{forget: known != nil}
	}
	return task{end: true, logs: true, write: true, closed: true}
}

// decideOver ends the record of a run that has one, or during which executors were lost.
func decideOver(app *v1beta2.SparkApplication, driver *corev1.Pod, known *run) task {
	switch {
	case known == nil:
		return task{}
	case known.stored || lostBefore(known, endOf(app, driver)):
		return task{write: true, closed: true}
	}
	return task{forget: true}
}

// endOf returns when the run ended, the zero time if that is not known.
func endOf(app *v1beta2.SparkApplication, driver *corev1.Pod) time.Time {
	if driver != nil {
		if end := driverEnd(driver); end != nil {
			return end.FinishedAt.Time
		}
	}
	return app.Status.TerminationTime.Time
}

// lostBefore reports whether executors were lost while the run went on, rather than with its end.
func lostBefore(known *run, end time.Time) bool {
	for i := range known.evidence.Pods {
		pod := &known.evidence.Pods[i]
		if pod.Role != v1alpha1.RoleExecutor || !endedBadly(pod) {
			continue
		}
		at := pod.Created.Time
		for j := range pod.Containers {
			if ended := pod.Containers[j].Terminated; ended != nil && ended.Finished.After(at) {
				at = ended.Finished.Time
			}
		}
		if end.IsZero() || end.Sub(at) > settle {
			return true
		}
	}
	return false
}

func decideUnderWay(app *v1beta2.SparkApplication, driver *corev1.Pod, known *run, now time.Time) task {
	var t task
	soon := func(at time.Time) bool {
		left := at.Sub(now)
		if left > 0 && (t.after == 0 || left < t.after) {
			t.after = left
		}
		return left <= 0
	}
	if since := waits(app, driver, known, now, soon); !since.IsZero() {
		again := min(max(eventsAgain, now.Sub(since)/2), eventsSeldom)
		if soon(last(known, func(r *run) time.Time { return r.eventsAt }).Add(again)) {
			t.events = true
			soon(now.Add(again))
		}
	}
	if since, alone := aloneSince(app); alone && soon(since.Add(lonely)) {
		again := min(max(logAgain, now.Sub(since)/2), logSeldom)
		if soon(last(known, func(r *run) time.Time { return r.logAt }).Add(again)) {
			t.log = true
			soon(now.Add(again))
		}
	}
	if known == nil {
		return t
	}
	t.logs = len(known.unread) > 0
	if known.changed && (known.stored || worthTelling(known, now)) && soon(known.first.Add(settle)) && soon(known.written.Add(flush)) {
		t.write = true
	}
	return t
}

// last returns a time of what is known, the zero time for nothing.
func last(known *run, of func(*run) time.Time) time.Time {
	if known == nil {
		return time.Time{}
	}
	return of(known)
}

// waits returns since when the driver, an executor, or the run for its driver, has waited for so long that it is to be told:
// of several the last one; it is now where that is over and nobody has looked since. The zero time is never.
func waits(app *v1beta2.SparkApplication, driver *corev1.Pod, known *run, now time.Time, soon func(time.Time) bool) time.Time {
	var since time.Time
	waitsSince := func(at time.Time) {
		if soon(at.Add(waitBeforeTold)) && at.After(since) {
			since = at
		}
	}
	switch {
	case driver == nil:
		if at := goesSince(app); !at.IsZero() {
			waitsSince(at)
		}
	case driver.Status.Phase == corev1.PodPending:
		waitsSince(driver.CreationTimestamp.Time)
	case known != nil && (known.verdict.driverless || isPending(known, driver.UID)):
		return now
	}
	if known == nil {
		return since
	}
	for i := range known.evidence.Pods {
		if pod := &known.evidence.Pods[i]; pod.Phase == string(corev1.PodPending) && pod.Deleted == nil {
			waitsSince(pod.Created.Time)
		}
	}
	return since
}

// goesSince returns since when there should be a driver of app's run; the zero time for not yet. That its queue lets a run wait
// is told by who decided it, and is nothing to look into: thousands may wait.
func goesSince(app *v1beta2.SparkApplication) time.Time {
	place := app.Status.Queue
	switch {
	case app.Status.AppState.State != v1beta2.ApplicationStateSubmitted, place != nil && place.Admitted == nil:
		return time.Time{}
	case place != nil:
		return place.Admitted.At.Time
	}
	return app.Status.RunSubmitTime.Time
}

// isPending reports whether a pod waited when it was looked at.
func isPending(known *run, pod types.UID) bool {
	return slices.ContainsFunc(known.evidence.Pods, func(p v1alpha1.Pod) bool { return p.UID == pod && p.Phase == string(corev1.PodPending) })
}

// worthTelling reports whether anything was seen that has no end of its own within moments.
func worthTelling(known *run, now time.Time) bool {
	ofNote := func(h v1alpha1.Hold) bool { return h.By != byQueue }
	if len(known.verdict.causes) > 0 || slices.ContainsFunc(known.evidence.Holds, ofNote) {
		return true
	}
	for i := range known.evidence.Pods {
		pod := &known.evidence.Pods[i]
		if pod.Phase != string(corev1.PodPending) || endedBadly(pod) || now.Sub(pod.Created.Time) >= waitBeforeTold {
			return true
		}
	}
	return false
}

// aloneSince returns since when a driver may have been running without executors.
func aloneSince(app *v1beta2.SparkApplication) (time.Time, bool) {
	running := meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRunning)
	if app.Status.AppState.State != v1beta2.ApplicationStateRunning || running == nil {
		return time.Time{}, false
	}
	for _, state := range app.Status.ExecutorState {
		if state == v1beta2.ExecutorStateRunning {
			return time.Time{}, false
		}
	}
	return running.LastTransitionTime.Time, true
}

// hasFailed reports whether the run has, by its driver, which is seen first, or by status.
func hasFailed(app *v1beta2.SparkApplication, driver *corev1.Pod) bool {
	switch app.Status.AppState.State {
	case v1beta2.ApplicationStateFailed, v1beta2.ApplicationStateFailing:
		return true
	case v1beta2.ApplicationStatePendingRerun:
		return app.Status.AppState.ErrorMessage != "" && !app.Status.TerminationTime.IsZero()
	case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateUnknown:
	default:
		return false
	}
	if driver == nil || !app.DeletionTimestamp.IsZero() {
		return false
	}
	end := driverEnd(driver)
	return end != nil && end.ExitCode != 0 || end == nil && driver.Status.Phase == corev1.PodFailed || end == nil && !driver.DeletionTimestamp.IsZero()
}

func hasSucceeded(driver *corev1.Pod) bool {
	if driver == nil {
		return false
	}
	end := driverEnd(driver)
	return end != nil && end.ExitCode == 0
}

// isOver reports whether a run that has not failed is over in a state: it has ended well, or was called off.
func isOver(state v1beta2.ApplicationStateType) bool {
	switch state {
	case v1beta2.ApplicationStateCompleted, v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStatePendingRerun,
		v1beta2.ApplicationStateInvalidating, v1beta2.ApplicationStateSuspending, v1beta2.ApplicationStateResuming:
		return true
	}
	return false
}

func driverEnd(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == v1beta2.DriverContainerName {
			return pod.Status.ContainerStatuses[i].State.Terminated
		}
	}
	return nil
}

// diagnosed reports whether status tells what the current run failed of.
func diagnosed(app *v1beta2.SparkApplication) bool {
	return meta.FindStatusCondition(app.Status.Conditions, v1beta2.ConditionRetryable) != nil
}
