package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/evidence"
)

// carryOut gathers what task asks for, makes something of it, and writes it down.
func (r *Recorder) carryOut(ctx context.Context, app *v1beta2.SparkApplication, driver *corev1.Pod, task task) error {
	id, now := runOf(app), r.clock.Now()
	known := r.runs.update(id, now, func(known *run) {
		known.application, known.number = v1alpha1.ApplicationReference{Name: app.Name, UID: app.UID}, numberOf(app)
	})
	seen, err := r.gather(ctx, app, driver, known, task)
	if err != nil {
		return err
	}
	known = r.runs.update(id, now, func(known *run) {
		if task.logs {
			known.read += len(known.unread)
			known.unread = nil
		}
		if task.events || task.end {
			known.eventsAt = now
		}
		if task.log || task.end {
			known.logAt = now
		}
		merged := evidence.Merge(known.evidence, seen)
		over(merged.Holds, seen.Holds, now)
		if !apiequality.Semantic.DeepEqual(merged, known.evidence) {
			known.evidence, known.changed = merged, true
		}
	})
	if !task.closed && !task.write && !task.events && !task.log && !task.suspended {
		return nil // logs only: they are written with the pods
	}
	return r.conclude(ctx, app, driver, known, task, now)
}

// gather reads what task asks for.
func (r *Recorder) gather(
	ctx context.Context, app *v1beta2.SparkApplication, driver *corev1.Pod, known *run, task task,
) (v1alpha1.Evidence, error) {
	var seen v1alpha1.Evidence
	if task.refusal {
		seen.Refusals = []v1alpha1.Refusal{{
			Message: evidence.Say(app.Status.AppState.ErrorMessage), At: app.Status.LastSubmissionAttemptTime,
		}}
	}
	if task.suspended {
		seen.Holds = append(seen.Holds, suspension(app))
	}
	if task.logs {
		seen.Logs = append(seen.Logs, r.executorsLogs(ctx, app.Namespace, known.unread)...)
	}
	if driver != nil && (task.end || task.events || task.log) {
		whole, err := r.whole(ctx, driver)
		if err != nil {
			return seen, err
		}
		seen.Pods = append(seen.Pods, evidence.OfPod(whole))
		if task.end || task.log {
			logs, err := r.driversLogs(ctx, whole)
			if err != nil && task.end && r.clock.Now().Sub(endOf(app, whole)) < logPatience {
				return seen, err
			}
			seen.Logs = append(logs, seen.Logs...)
		}
	}
	if task.end || task.events {
		events, err := r.events(ctx, app.Namespace, asked(app, driver, known), app.Status.RunSubmitTime.Time)
		if err != nil {
			return seen, err
		}
		seen.Events = events
	}
	seen.Holds = slices.Concat(seen.Holds, wait(app), holds(evidence.Merge(known.evidence, seen).Pods))
	return seen, nil
}

// conclude makes something of what is known, writes it down where it is worth it, and tells the application's controller.
func (r *Recorder) conclude(
	ctx context.Context, app *v1beta2.SparkApplication, driver *corev1.Pod, known *run, task task, now time.Time,
) error {
	id := runOf(app)
	failed := task.end || task.refusal
	record := recordOf(app, known, now)
	if task.end { // which may be seen before status tells of it
		record.State = string(v1beta2.ApplicationStateFailed)
		if record.Ended == nil {
			record.Ended = new(metav1.NewTime(endOrNow(app, driver, now)))
		}
	}
	record.Causes = r.causesOf(app, record.Evidence, failed, now)
	worth := known.stored || worthTelling(known, now) || len(record.Causes) > 0
	write := task.write || task.closed || known.changed && worth && !task.suspended
	if write {
		stored, err := r.stored(ctx, client.ObjectKeyFromObject(record))
		if err != nil {
			return err
		}
		if stored != nil {
			record.Evidence = evidence.Merge(stored.Evidence, record.Evidence)
		}
		record.Causes = r.causesOf(app, record.Evidence, failed || task.closed, now)
		if err := r.store(ctx, stored, record); err != nil {
			return err
		}
	}
	before := known.verdict
	after := verdict{causes: record.Causes, looked: failed || !task.closed, ended: failed, driverless: driver == nil && !task.closed}
	if task.refusal {
		after.refusal = app.Status.AppState.ErrorMessage
	}
	written := known.seen
	r.runs.update(id, now, func(known *run) {
		known.verdict = after
		if write {
			known.changed, known.stored, known.written = known.seen != written, true, now
		}
	})
	if task.closed && !failed {
		r.runs.forget(id)
	}
	if after.looked != before.looked || after.ended != before.ended || !apiequality.Semantic.DeepEqual(after.causes, before.causes) {
		r.notify(id.app)
	}
	return nil
}

func endOrNow(app *v1beta2.SparkApplication, driver *corev1.Pod, now time.Time) time.Time {
	if end := endOf(app, driver); !end.IsZero() {
		return end
	}
	return now
}

func (r *Recorder) causesOf(app *v1beta2.SparkApplication, seen v1alpha1.Evidence, ended bool, now time.Time) []v1alpha1.Cause {
	return diagnose.Causes(&diagnose.Case{
		Namespace: app.Namespace, Name: app.Name, Application: app, Evidence: seen, Ended: ended, Now: now,
		Cluster: diagnose.Cluster{Unread: []string{"nodes, quotas and claims: the recorder does not read them"}},
	}, r.rules...)
}

// recordOf returns the record of app's current run, with what is known of it by now.
func recordOf(app *v1beta2.SparkApplication, known *run, now time.Time) *v1alpha1.RunRecord {
	record := blank(app.Namespace, known, now)
	record.SparkApplicationID, record.State = app.Status.SparkApplicationID, string(app.Status.AppState.State)
	if !app.Status.RunSubmitTime.IsZero() && !refusedUnclaimed(app) {
		record.Began = app.Status.RunSubmitTime.DeepCopy()
	}
	if !app.Status.TerminationTime.IsZero() {
		record.Ended = app.Status.TerminationTime.DeepCopy()
	}
	return record
}

// blank returns the record of a run whose application may be gone.
func blank(namespace string, known *run, now time.Time) *v1alpha1.RunRecord {
	return &v1alpha1.RunRecord{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: v1alpha1.RunRecordName(known.application, known.number),
			Labels: map[string]string{
				v1beta2.LabelAppName: known.application.Name, v1beta2.LabelRun: strconv.FormatInt(known.number, 10),
			},
			Annotations: map[string]string{v1alpha1.AnnotationWrittenAt: now.UTC().Format(time.RFC3339)},
		},
		Application: known.application, Run: known.number, Evidence: known.evidence,
	}
}

// stored returns the record that there is, nil for none.
func (r *Recorder) stored(ctx context.Context, key client.ObjectKey) (*v1alpha1.RunRecord, error) {
	record := new(v1alpha1.RunRecord)
	err := r.cluster.Get(ctx, key, record)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read record %s: %w", key.Name, err)
	}
	return record, nil
}

// store writes record over what is stored. Where another has written in between it is an error, and done again.
func (r *Recorder) store(ctx context.Context, stored, record *v1alpha1.RunRecord) error {
	if err := evidence.Fit(record); err != nil {
		return err
	}
	var err error
	if stored == nil {
		err = r.cluster.Create(ctx, record)
	} else {
		if unchanged(stored, record) {
			return nil
		}
		record.ResourceVersion, record.UID, record.CreationTimestamp = stored.ResourceVersion, stored.UID, stored.CreationTimestamp
		err = r.cluster.Patch(ctx, record, client.MergeFromWithOptions(stored, client.MergeFromWithOptimisticLock{}))
	}
	switch {
	case err == nil:
		return nil
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), stored != nil && apierrors.IsNotFound(err):
		return nil // nobody wants it any more
	}
	return fmt.Errorf("write record %s: %w", record.Name, err)
}

func unchanged(stored, record *v1alpha1.RunRecord) bool {
	return apiequality.Semantic.DeepEqual(stored.Evidence, record.Evidence) && apiequality.Semantic.DeepEqual(stored.Causes, record.Causes) &&
		stored.State == record.State && stored.Ended.Equal(record.Ended)
}

// letGo writes down what is known of the runs of app beside the current one, and forgets them.
func (r *Recorder) letGo(ctx context.Context, app types.NamespacedName, current runID) error {
	var errs []error
	for _, id := range r.runs.others(app, current) {
		if err := r.close(ctx, id); err != nil {
			errs = append(errs, err)
			continue
		}
		r.runs.forget(id)
	}
	return errors.Join(errs...)
}

// close ends the record of a run that is over, with what is known of it. Where there is none yet it is worth one if executors
// were lost. The run may be over because its application was deleted: then the record keeps the state that it had.
func (r *Recorder) close(ctx context.Context, id runID) error {
	known, now := r.runs.look(id), r.clock.Now()
	if known == nil || known.application.UID == "" || !known.stored && (!known.changed || !lostBefore(known, time.Time{})) {
		return nil
	}
	if known.verdict.ended && !known.changed {
		return nil // as it was written with the run's end
	}
	record := blank(id.app.Namespace, known, now)
	stored, err := r.stored(ctx, client.ObjectKeyFromObject(record))
	if err != nil {
		return err
	}
	if stored == nil && !known.changed {
		return nil // somebody has removed it
	}
	if stored != nil {
		record.Evidence = evidence.Merge(stored.Evidence, record.Evidence)
		record.SparkApplicationID, record.State, record.Began, record.Causes = stored.SparkApplicationID, stored.State, stored.Began, stored.Causes
		record.Ended = stored.Ended
	}
	if record.Ended == nil {
		record.Ended = new(metav1.NewTime(now))
	}
	return r.store(ctx, stored, record)
}
