package application

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
	"brazier.sh/brazier/internal/spark"
)

// Admissions tells what queues have decided about runs.
type Admissions interface {
	// Queue returns the queue that app is in as it is now; "" where it is in none.
	Queue(ctx context.Context, app *v1beta2.SparkApplication) (string, error)
	// Terms returns on which terms app's current run was let in, on which its plan depends.
	Terms(ctx context.Context, app *v1beta2.SparkApplication) (spark.Queue, error)
	// Verdict returns what was decided about app's current run in the queue that its status names.
	Verdict(app *v1beta2.SparkApplication) admission.Verdict
	// Apply asks for a run that is not claimed yet to be let in with place. It answers what was decided; false is that nothing
	// was yet, and that called is told when that is so.
	Apply(app *v1beta2.SparkApplication, run int64, place *v1beta2.QueuePlace) (admission.Verdict, bool)
	// Notify has told called with each application of which there is something new to say. It must not block.
	Notify(told func(app types.NamespacedName))
}

const (
	// goOn is when a run is gone on with that was let in, begun the priority of that: thousands may be let in at once, and one
	// that has been begun is made whole before others are.
	goOn, begun = time.Millisecond, 1
	// reasonWaiting is the reason of a run of which its queue has said nothing yet.
	reasonWaiting = "Waiting"
	// reasonMoved is the reason of an event that tells of another queue.
	reasonMoved = "Moved"
)

// observeQueue asks what there is to know of app's queue.
func (r *Reconciler) observeQueue(ctx context.Context, app *v1beta2.SparkApplication, seen *Observation) (err error) {
	if r.admissions == nil || app.Status.Queue == nil {
		return nil
	}
	if seen.Queue, err = r.admissions.Queue(ctx, app); err != nil {
		return fmt.Errorf("find the application's queue: %w", err)
	}
	seen.Verdict = r.admissions.Verdict(app)
	return nil
}

// enter returns the queue that a new run of app is in, as its plan needs to know it; nil where it is in none.
func (r *Reconciler) enter(ctx context.Context, app *v1beta2.SparkApplication) (*spark.Queue, error) {
	if r.admissions == nil {
		return nil, nil
	}
	name, err := r.admissions.Queue(ctx, app)
	switch {
	case err != nil:
		return nil, fmt.Errorf("find the application's queue: %w", err)
	case name == "":
		return nil, nil
	}
	return &spark.Queue{Name: name}, nil
}

// applies asks for app's next run to be let in before it is claimed, so that one status tells of both, and reports whether the
// answer has to be waited for. A run after one that was in a queue is claimed first: what is left of that one counts.
func (r *Reconciler) applies(app *v1beta2.SparkApplication, place *v1beta2.QueuePlace) bool {
	if place == nil || app.Status.Queue != nil {
		return false
	}
	verdict, answered := r.admissions.Apply(app, app.Status.Run+1, place)
	place.Admitted = verdict.Admitted
	return !answered
}

// terms are what the plan of app's current run, which was let in, needs to know of its queue; nil where it is in none.
func (r *Reconciler) terms(ctx context.Context, app *v1beta2.SparkApplication) (*spark.Queue, error) {
	if app.Status.Queue == nil || r.admissions == nil {
		return nil, nil
	}
	terms, err := r.admissions.Terms(ctx, app)
	if err != nil {
		return nil, fmt.Errorf("find the terms of queue %s: %w", app.Status.Queue.Name, err)
	}
	return &terms, nil
}

// placeOf is what a run asks of its queue; nil where it is in none.
func placeOf(queue *spark.Queue, demand spark.Demand, at time.Time) *v1beta2.QueuePlace {
	if queue == nil {
		return nil
	}
	return &v1beta2.QueuePlace{
		Name: queue.Name, Since: metav1.NewTime(at), Driver: demand.Driver, Executor: demand.Executor, Minimum: demand.Minimum,
	}
}

// waits reports whether the current run of app waits for its queue to let it in.
func waits(app *v1beta2.SparkApplication) bool {
	return state(app) == v1beta2.ApplicationStateSubmitted && app.Status.Queue != nil && app.Status.Queue.Admitted == nil
}

// queued decides for a run that its queue has not let in yet. Nothing is made of it before that.
func queued(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	if !waits(app) {
		return Step{}, false
	}
	switch verdict := seen.Verdict; {
	case seen.Queue == "":
		step := stay(app, "it is in no queue any more")
		step.LeavesQueue = true
		return step, true
	case verdict.Refused:
		return Step{
			Action: Wait, State: v1beta2.ApplicationStateFailed, Because: "its queue has refused it",
			Failure: fmt.Sprintf("queue %s has not let it in: %s", app.Status.Queue.Name, verdict.Message), Ended: now, Cause: CauseQueue,
		}, true
	case verdict.Admitted != nil:
		step := stay(app, "its queue has let it in")
		step.Admission = verdict.Admitted
		return step, true
	}
	return stay(app, "it waits in its queue"), true
}

// takenBack decides for a run that others have more right to the room of. It is nobody's failure: the next one waits in the
// queue as a new one does, and uses up no retry.
func takenBack(app *v1beta2.SparkApplication, seen Observation, _ time.Time) (Step, bool) {
	if !seen.Verdict.TakenBack || !admitted(app) || !underWay(state(app)) || seen.CurrentEnded() {
		return Step{}, false
	}
	return Step{
		Action: Wait, State: v1beta2.ApplicationStatePendingRerun, Because: seen.Verdict.Message, TakenBack: true,
	}, true
}

// letsIn reports whether status tells from then on that the run was let in.
func (s Step) letsIn() bool {
	return s.Admission != nil || s.Claimed != nil && s.Claimed.Queue != nil && s.Claimed.Queue.Admitted != nil
}

func admitted(app *v1beta2.SparkApplication) bool {
	return app.Status.Queue != nil && app.Status.Queue.Admitted != nil
}

// overrun decides for a run that goes on for longer than it has said: by that word it may have gone before others.
func overrun(app *v1beta2.SparkApplication, seen Observation, now time.Time) (Step, bool) {
	left, limited := untilOverrun(app, now)
	if !limited || left > 0 || seen.CurrentEnded() {
		return Step{}, false
	}
	return failed(app, fmt.Sprintf("it ran for longer than its annotation %s says: %s",
		v1alpha1.AnnotationMaxRunTime, app.Annotations[v1alpha1.AnnotationMaxRunTime]), now, CauseRunTime), true
}

// untilOverrun returns how long a run may still go on, if its queue was told.
func untilOverrun(app *v1beta2.SparkApplication, now time.Time) (time.Duration, bool) {
	if !admitted(app) || !underWay(state(app)) {
		return 0, false
	}
	limit, err := time.ParseDuration(app.Annotations[v1alpha1.AnnotationMaxRunTime])
	if err != nil || limit <= 0 { // one that is not valid was refused when the run was claimed
		return 0, false
	}
	return app.Status.Queue.Admitted.At.Add(limit).Sub(now), true
}

// inTime has step look again when its run should have ended.
func inTime(app *v1beta2.SparkApplication, step Step, now time.Time) Step {
	if left, limited := untilOverrun(app, now); limited && (step.After == 0 || left < step.After) {
		step.After = left
	}
	return step
}

// recordQueue writes into status what became of the run in its queue. A run that was let in keeps its place when it has
// ended: what is left of it still counts.
func recordQueue(app *v1beta2.SparkApplication, seen Observation, step Step, now time.Time) {
	status := &app.Status
	if step.LeavesQueue || calledOff(step.State) && !admitted(app) {
		status.Queue = nil
	}
	place := status.Queue
	switch {
	case place == nil || calledOff(step.State):
		meta.RemoveStatusCondition(&status.Conditions, v1beta2.ConditionAdmitted)
	case step.TakenBack:
		setCondition(app, v1beta2.ConditionAdmitted, metav1.ConditionFalse, seen.Verdict.Reason, seen.Verdict.Message, now)
	case step.Cause == CauseQueue:
		setCondition(app, v1beta2.ConditionAdmitted, metav1.ConditionFalse, seen.Verdict.Reason, seen.Verdict.Message, now)
	case !underWay(step.State):
	case step.Claimed != nil:
		tellPlace(app, Observation{}, now)
	default:
		follow(place, seen, step)
		tellPlace(app, seen, now)
	}
}

// follow has a place be in the queue that the application is in now, and be let in where it was.
func follow(place *v1beta2.QueuePlace, seen Observation, step Step) {
	if step.Admission != nil {
		place.Admitted = step.Admission
	}
	if seen.Queue != "" { // what was let in stays in its queue until it is put into another
		place.Name = seen.Queue
	}
}

func tellPlace(app *v1beta2.SparkApplication, seen Observation, now time.Time) {
	place := app.Status.Queue
	status, reason, message := metav1.ConditionFalse, seen.Verdict.Reason, seen.Verdict.Message
	switch {
	case place.Admitted != nil:
		status, reason, message = metav1.ConditionTrue, "Admitted", "let in by queue "+place.Name
	case reason == "":
		reason, message = reasonWaiting, "it waits in queue "+place.Name
	}
	setCondition(app, v1beta2.ConditionAdmitted, status, reason, message, now)
}

// tellQueue says once of a run that it was let in, was taken back, or is in another queue.
func (r *Reconciler) tellQueue(before, app *v1beta2.SparkApplication, step Step) {
	was, is := before.Status.Queue, app.Status.Queue
	say := func(reason, note string, args ...any) {
		r.events.Eventf(app, nil, corev1.EventTypeNormal, reason, string(step.Action), "%s", shorten(fmt.Sprintf(note, args...), maxEventNote))
	}
	letIn := func() {
		say("Admitted", "let in by queue %s after %s", is.Name, max(0, is.Admitted.At.Sub(is.Since.Time)))
	}
	switch {
	case step.Claimed != nil:
		if step.letsIn() {
			letIn()
		}
	case was == nil:
	case is == nil && step.LeavesQueue:
		say(reasonMoved, "it is in no queue any more; it was in %s", was.Name)
	case is == nil:
	case is.Name != was.Name:
		say(reasonMoved, "it is in queue %s now; it was in %s", is.Name, was.Name)
	case was.Admitted == nil && is.Admitted != nil:
		letIn()
	}
}

// admissionSource wakes an application when there is something new to say of its place in a queue.
func (r *Reconciler) admissionSource() source.Source {
	return source.Func(func(_ context.Context, q queue) error {
		if r.admissions != nil {
			r.admissions.Notify(func(app types.NamespacedName) { q.Add(reconcile.Request{NamespacedName: app}) })
		}
		return nil
	})
}
