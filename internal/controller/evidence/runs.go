package evidence

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/evidence"
)

const (
	// maxRuns is how many runs of which there is something to tell are remembered at once, those that were seen last: a
	// replica that stands by is told of none that is over.
	maxRuns = 2000
	// maxPods is how many pods are remembered of a run: half of them the first ones, half the last ones.
	maxPods = 40
	// maxFailed is how many failed executors of a run are told from each other.
	maxFailed = 2000
	// maxLogs is of how many executors that ended badly the log is read.
	maxLogs = 3
)

// runID tells runs from each other. A submission has an ID that is never used again, where an application's name and a
// run's number may be; a submission that was refused before there was a run has none.
type runID struct {
	app        types.NamespacedName
	submission string
	refused    bool
}

// runOf returns the current run of app.
func runOf(app *v1beta2.SparkApplication) runID {
	id := runID{app: types.NamespacedName{Namespace: app.Namespace, Name: app.Name}, submission: app.Status.SubmissionID}
	if refusedUnclaimed(app) {
		id.submission, id.refused = string(app.UID), true
	}
	return id
}

// numberOf returns the number of app's current run. A refused submission that took none is one of the next run.
func numberOf(app *v1beta2.SparkApplication) int64 {
	if refusedUnclaimed(app) {
		return app.Status.Run + 1
	}
	return app.Status.Run
}

// refused reports whether the last submission of app was refused.
func refused(app *v1beta2.SparkApplication) bool {
	switch app.Status.AppState.State {
	case v1beta2.ApplicationStateFailedSubmission:
		return true
	case v1beta2.ApplicationStateFailed:
		return strings.HasPrefix(app.Status.AppState.ErrorMessage, "failed to run spark-submit")
	}
	return false
}

func refusedUnclaimed(app *v1beta2.SparkApplication) bool {
	return refused(app) && (app.Status.SubmissionID == "" || app.Status.LastSubmissionAttemptTime.After(app.Status.RunSubmitTime.Time))
}

// run is what is remembered of a run of which there is something to tell.
type run struct {
	// application and number are what the record is called after; they are known once the application was looked at.
	application v1alpha1.ApplicationReference
	number      int64
	evidence    v1alpha1.Evidence
	failed      map[types.UID]bool
	// unread are the executors that ended badly whose logs are to be read, read how many were.
	unread []*v1alpha1.Pod
	read   int
	// first is when the first thing of note was seen, touched when the last one was.
	first, touched time.Time
	// changed says that something was seen since the record was written; stored that there is a record.
	changed, stored bool
	// seen counts what was seen, so that what is seen while the record is being written is not taken for written.
	seen    int
	written time.Time
	// eventsAt and logAt are when events were listed and the driver's log was read last.
	eventsAt, logAt time.Time
	verdict         verdict
}

// verdict is what is made of a run.
type verdict struct {
	causes        []v1alpha1.Cause
	looked, ended bool
	// driverless says that it is about a run whose driver is not there yet.
	driverless bool
	// refusal is the refusal that it is about.
	refusal string
}

// runs are the runs that are remembered. The zero value is none.
type runs struct {
	lock sync.Mutex
	all  map[runID]*run
}

// Telling implements executors.Observer.
func (*Recorder) Telling(pod *corev1.Pod) bool { return evidence.Notable(pod) }

// Observe implements executors.Observer.
func (r *Recorder) Observe(owner types.NamespacedName, pod *corev1.Pod, gone bool) {
	id := runID{app: owner, submission: pod.Labels[v1beta2.LabelSubmissionID]}
	if r.runs.observe(id, pod, gone, r.clock.Now()) {
		r.wake(owner)
	}
}

// observe takes a pod down, and reports whether there is something new to tell.
func (s *runs) observe(id runID, pod *corev1.Pod, gone bool, now time.Time) bool {
	notable := evidence.Notable(pod)
	s.lock.Lock()
	defer s.lock.Unlock()
	known := s.all[id]
	if known == nil {
		if !notable {
			return false
		}
		known = s.add(id, now)
	}
	known.countExecutor(pod)
	at := slices.IndexFunc(known.evidence.Pods, func(p v1alpha1.Pod) bool { return p.Name == pod.Name && p.UID == pod.UID })
	if at < 0 && !notable {
		return false
	}
	seen := evidence.OfPod(pod)
	if gone && seen.Deleted == nil {
		seen.Deleted = new(metav1.NewTime(now))
	}
	known.touched = now
	switch {
	case at < 0:
		known.evidence.Pods = append(known.evidence.Pods, seen)
		known.bound()
	case !notable && !gone && !known.stored && !endedBadly(&known.evidence.Pods[at]):
		// It has waited, and does not any more, before anybody was told of it.
		known.evidence.Pods = slices.Delete(known.evidence.Pods, at, at+1)
		return false
	default:
		known.evidence.Pods[at] = evidence.MergePod(known.evidence.Pods[at], seen)
	}
	if evidence.Bad(pod) {
		known.fail(pod.UID, &seen)
	}
	known.changed = true
	known.seen++
	return true
}

func (s *runs) add(id runID, now time.Time) *run {
	if s.all == nil {
		s.all = make(map[runID]*run)
	}
	if len(s.all) >= maxRuns {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(s.all)), func(a, b runID) int { return s.all[a].touched.Compare(s.all[b].touched) })
		delete(s.all, oldest)
	}
	added := &run{first: now, touched: now, failed: make(map[types.UID]bool)}
	s.all[id] = added
	return added
}

// countExecutor counts executors by the numbers that Spark gives them, of which it uses none twice.
func (r *run) countExecutor(pod *corev1.Pod) {
	if number, err := strconv.ParseInt(pod.Labels[v1beta2.LabelSparkExecutorID], 10, 64); err == nil {
		r.evidence.Executors.Seen = max(r.evidence.Executors.Seen, number)
	}
}

// fail counts an executor that has ended badly, and has its log read if it is one of the first.
func (r *run) fail(uid types.UID, pod *v1alpha1.Pod) {
	if pod.Role != v1alpha1.RoleExecutor || r.failed[uid] || len(r.failed) >= maxFailed {
		return
	}
	r.failed[uid] = true
	r.evidence.Executors.Failed = int64(len(r.failed))
	if r.read+len(r.unread) < maxLogs {
		r.unread = append(r.unread, pod)
	}
}

// bound drops a pod from the middle where there are too many.
func (r *run) bound() {
	if len(r.evidence.Pods) > maxPods {
		r.evidence.Pods = slices.Delete(r.evidence.Pods, maxPods/2, maxPods/2+1)
		r.evidence.Dropped++
	}
}

// endedBadly reports whether a container of pod has.
func endedBadly(pod *v1alpha1.Pod) bool {
	return slices.ContainsFunc(pod.Containers, func(c v1alpha1.Container) bool {
		return c.Previous != nil || c.Terminated != nil && (c.Terminated.ExitCode != 0 || c.Terminated.Reason == "OOMKilled")
	}) || pod.Phase == string(corev1.PodFailed)
}

// look returns what is known of a run, to be read by who looks; nil for nothing.
func (s *runs) look(id runID) *run {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.snapshot(id)
}

func (s *runs) snapshot(id runID) *run {
	known := s.all[id]
	if known == nil {
		return nil
	}
	copied := *known
	copied.evidence = *known.evidence.DeepCopy()
	copied.unread = slices.Clone(known.unread)
	return &copied
}

// update changes what is known of a run, which is remembered from then on, and returns it as it is then.
func (s *runs) update(id runID, now time.Time, change func(*run)) *run {
	s.lock.Lock()
	defer s.lock.Unlock()
	known := s.all[id]
	if known == nil {
		known = s.add(id, now)
	}
	known.touched = now
	change(known)
	return s.snapshot(id)
}

func (s *runs) forget(id runID) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.all, id)
}

// others returns the runs of app that are remembered beside one.
func (s *runs) others(app types.NamespacedName, current runID) []runID {
	s.lock.Lock()
	defer s.lock.Unlock()
	var ids []runID
	for id := range s.all {
		if id.app == app && id != current {
			ids = append(ids, id)
		}
	}
	return ids
}

func (s *runs) applications() []types.NamespacedName {
	s.lock.Lock()
	defer s.lock.Unlock()
	apps := make(map[types.NamespacedName]bool, len(s.all))
	for id := range s.all {
		apps[id.app] = true
	}
	return slices.Collect(maps.Keys(apps))
}

func (s *runs) verdict(id runID) (causes []v1alpha1.Cause, looked, ended bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	known := s.all[id]
	if known == nil {
		return nil, false, false
	}
	return known.verdict.causes, known.verdict.looked, known.verdict.ended
}
