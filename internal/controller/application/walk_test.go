package application

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
)

// A walk leads one application through a random sequence of what users, nodes and crashes do to it, against a model of
// the cluster, and checks after every event what must hold whatever happens.
const (
	walks      = 3000
	walkEvents = 60
	// settleSteps is how many steps an application may take to come to rest when nothing happens any more.
	settleSteps = 200
)

func TestRandomWalks(t *testing.T) {
	for seed := range uint64(walks) {
		m := newModel(seed)
		for range walkEvents {
			m.event()
		}
		m.settle()
		if m.fault != "" {
			t.Fatalf("seed %d: %s\n%s", seed, m.fault, strings.Join(m.story, "\n"))
		}
	}
}

// pod is a driver pod of the model.
type pod struct {
	Driver
	run       int64
	executors int
	// sidecar keeps the pod running after its driver's end, until the pod is limited.
	sidecar bool
}

// current reports whether p is the driver of the run that status tells of.
func (m *model) current(p *pod) bool {
	if p.Submission != "" {
		return p.Submission == m.app.Status.SubmissionID
	}
	return p.run == m.app.Status.Run
}

// live is a driver that takes up room: it is there and has not ended.
func (p *pod) live() bool { return p.Ended == nil }

// model is a cluster with one application in it.
type model struct {
	dice  *rand.Rand
	now   time.Time
	app   *v1beta2.SparkApplication
	pods  []*pod
	stale Observation // what the operator saw a while ago
	// lagging is a cache that hardly ever catches up.
	lagging bool
	// startLimit is how long drivers may take to start, if that is limited.
	startLimit time.Duration
	// queue is the queue that the application is in, and verdict what that has decided about the run of verdictRun.
	queue      string
	verdict    admission.Verdict
	verdictRun int64
	story      []string
	fault      string

	begun   map[int64]bool // runs whose driver was seen to run by the operator
	made    int64          // the run that this process of the operator has made a driver for
	edited  bool           // since the application ended
	lastRun int64
}

func newModel(seed uint64) *model {
	m := &model{dice: rand.New(rand.NewPCG(seed, 1)), now: noon, begun: make(map[int64]bool)}
	m.app = application(v1beta2.ApplicationStateNew)
	m.lagging = m.dice.IntN(2) == 0
	m.startLimit = time.Duration(m.dice.IntN(2)) * 20 * time.Second
	policies := []v1beta2.RestartPolicyType{
		v1beta2.RestartPolicyNever, v1beta2.RestartPolicyOnFailure, v1beta2.RestartPolicyAlways,
	}
	restart(policies[m.dice.IntN(len(policies))], int32(m.dice.IntN(3)))(m.app)
	if m.dice.IntN(2) == 0 {
		m.queue = "etl"
	}
	if m.dice.IntN(3) == 0 {
		m.inherit()
	}
	return m
}

// inherit lets another operator have led the application so far, into any state, and be gone since. It does not write
// status before its submission is done, so that there may be a driver of which status does not tell.
func (m *model) inherit() {
	states := []v1beta2.ApplicationStateType{
		"", "SUBMITTED", "RUNNING", "SUCCEEDING", "COMPLETED", "FAILING", "FAILED", "SUBMISSION_FAILED", "PENDING_RERUN",
		"INVALIDATING", "SUSPENDING", "SUSPENDED", "RESUMING", "UNKNOWN",
	}
	left := states[m.dice.IntN(len(states))]
	status := &m.app.Status
	status.AppState.State = left
	driver := &pod{Driver: Driver{Name: "pi-driver", Submission: "theirs", Created: m.now, Accepted: m.now}, sidecar: m.dice.IntN(3) == 0}
	if left != v1beta2.ApplicationStateNew {
		attempts(int32(1+m.dice.IntN(3)), int32(1+m.dice.IntN(3)))(m.app)
		status.SubmissionID, status.DriverInfo.PodName = "theirs", driver.Name
	}
	switch left {
	case v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStateCompleted:
		driver.end(m.now, true)
		status.TerminationTime = metav1.NewTime(m.now)
	case v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateFailed:
		driver.end(m.now, false)
		status.TerminationTime = metav1.NewTime(m.now)
	case v1beta2.ApplicationStateFailedSubmission, v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateResuming:
		status.SubmissionID = "earlier"
	case v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateUnknown:
		driver.Running, driver.executors = true, m.dice.IntN(3)
	}
	if left != v1beta2.ApplicationStateSuspended && m.dice.IntN(4) > 0 {
		m.pods = append(m.pods, driver)
	}
	m.say("another operator leaves it with %d drivers", len(m.pods))
	m.see()
}

// event lets one thing happen.
func (m *model) event() {
	switch m.dice.IntN(20) {
	case 0:
		m.pass(time.Duration(m.dice.IntN(30)) * time.Second)
	case 1:
		m.drivers("starts", func(p *pod) { p.Running = p.live() })
	case 2:
		m.drivers("succeeds", func(p *pod) { p.end(m.now, p.Running || p.Ended != nil && p.Ended.Success) })
	case 3:
		m.drivers("fails", func(p *pod) { p.end(m.now, false) })
	case 4:
		m.drivers("is deleted by somebody", func(p *pod) { p.Deleting = true })
	case 5:
		m.drivers("is preempted", func(p *pod) { p.Deleting, p.Cause = true, CauseDisrupted })
	case 6:
		m.collect()
	case 7:
		m.drivers("makes an executor", func(p *pod) {
			if p.Running && p.live() {
				p.executors++
			}
		})
	case 8:
		m.edit()
	case 9:
		m.say("user toggles suspend")
		m.app.Spec.Suspend = !m.app.Spec.Suspend
		m.app.Generation++
	case 10:
		m.step(m.stale, false)
	case 11:
		m.step(m.see(), true)
	case 12:
		m.pass(-time.Duration(m.dice.IntN(60)) * time.Second) // the operator's clock is put right
	case 13:
		m.say("the API server fails before anything is done")
		Decide(m.app, m.see(), m.now)
	case 14:
		m.say("drivers are deleted at once, their executors with them")
		m.pods = nil
	case 15:
		m.queue = []string{"", "etl", "ads"}[m.dice.IntN(3)]
		m.say("user puts it into queue %q", m.queue)
	case 16, 17:
		m.judge()
	default:
		if m.lagging && m.dice.IntN(5) > 0 {
			m.step(m.stale, false)
		} else {
			m.step(m.see(), false)
		}
	}
	m.check()
}

func (m *model) say(format string, args ...any) {
	m.story = append(m.story, fmt.Sprintf("%-18s ", state(m.app))+fmt.Sprintf(format, args...))
}

func (m *model) pass(d time.Duration) {
	m.say("%s pass", d)
	m.now = m.now.Add(d)
}

func (m *model) drivers(what string, do func(*pod)) {
	for _, p := range m.pods {
		m.say("driver of run %d %s", p.run, what)
		do(p)
	}
}

func (p *pod) end(now time.Time, success bool) {
	if p.Ended == nil {
		p.Running, p.Ended = false, &Ending{Success: success, Message: "driver container failed", At: now}
	}
}

// judge has the queue decide something about the current run.
func (m *model) judge() {
	m.verdictRun = m.app.Status.Run
	switch {
	case admitted(m.app):
		m.verdict = admission.Verdict{TakenBack: true, Reason: "TakenBack", Message: "others want it"}
	case m.dice.IntN(10) == 0:
		m.verdict = admission.Verdict{Refused: true, Reason: "TooManyWait", Message: "too many wait"}
	default:
		m.verdict = admission.Verdict{Admitted: &v1beta2.QueueAdmission{At: metav1.NewTime(m.now), Driver: "default"}}
	}
	m.say("the queue decides: %+v", m.verdict)
}

// hear is what is known of the queue's word: of what it has said about another run nothing.
func (m *model) hear(seen Observation) Observation {
	seen.Queue, seen.Verdict = "", admission.Verdict{}
	if m.app.Status.Queue == nil {
		return seen
	}
	seen.Queue = m.queue
	if m.verdictRun == m.app.Status.Run {
		seen.Verdict = m.verdict
	}
	return seen
}

// collect is what kubelet and garbage collector do about pods that were told to go.
func (m *model) collect() {
	m.pods = slices.DeleteFunc(m.pods, func(p *pod) bool {
		if p.Deleting {
			m.say("driver of run %d goes", p.run)
		}
		return p.Deleting // its executors, which it owns, go with it
	})
}

func (m *model) edit() {
	m.say("user edits")
	m.app.Spec.Arguments = append(m.app.Spec.Arguments, "x")
	m.app.Spec.Driver.PodName = []string{"", "a", "b"}[m.dice.IntN(3)]
	m.app.Generation++
	m.edited = true
}

// see is a true observation. The operator may act on it late.
func (m *model) see() Observation {
	seen := Observation{StartLimit: m.startLimit}
	for _, p := range m.pods {
		driver := p.Driver
		driver.Current = m.current(p)
		driver.Lingering = p.sidecar && p.Ended != nil && !p.Deleting
		seen.Drivers = append(seen.Drivers, driver)
		for i := range p.executors {
			seen.Executors = append(seen.Executors, Executor{
				Name: fmt.Sprintf("run-%d-exec-%d", p.run, i), State: v1beta2.ExecutorStateRunning,
			})
		}
	}
	m.stale = seen
	return seen
}

// step is a reconciliation. The cache of pods may be stale; that of applications is not, or the write is refused.
// An operator that crashes has acted and does not report.
func (m *model) step(seen Observation, crash bool) {
	for i := range seen.Drivers { // the run is compared when the pods are listed
		p := m.find(seen.Drivers[i].Name)
		seen.Drivers[i].Current = p != nil && m.current(p) && seen.Drivers[i].Current
	}
	seen = m.hear(m.seeMissing(seen))
	before := state(m.app)
	step := Decide(m.app, seen, m.now)
	m.say("step %s to %s: %s", step.Action, step.State, step.Because)
	step = m.act(step)
	if crash {
		m.say("crash before the report")
		m.made = 0
		return
	}
	if step.State == v1beta2.ApplicationStateRunning {
		m.begun[m.app.Status.Run] = true
	}
	record(m.app, seen, step, m.now)
	if before.Ended() && state(m.app) != before {
		if !m.edited {
			m.fault = fmt.Sprintf("left %s for %s without an edit", before, state(m.app))
		}
	}
	if state(m.app).Ended() && !before.Ended() {
		m.edited = false
	}
}

// seeMissing does to the model what observeMissing does to a cluster.
func (m *model) seeMissing(seen Observation) Observation {
	if _, found := seen.Current(); found || !hadDriver(m.app) && (m.made == 0 || m.made != m.app.Status.Run) {
		return seen
	}
	seen.DriverGone = true
	for _, p := range m.pods {
		if m.current(p) {
			driver := p.Driver
			driver.Current = true
			seen.Drivers, seen.DriverGone = append(slices.Clone(seen.Drivers), driver), false
		}
	}
	return seen
}

func (m *model) find(name string) *pod {
	for _, p := range m.pods {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// act does to the model what act.go does to a cluster.
func (m *model) act(step Step) Step {
	switch step.Action {
	case Claim:
		if m.dice.IntN(10) == 0 {
			return refused(step, fmt.Errorf("the plan is not valid"))
		}
		step.Claimed = &Claimed{Run: m.app.Status.Run + 1, At: m.now, SubmissionID: "ours"}
		if m.queue != "" {
			step.Claimed.Queue = &v1beta2.QueuePlace{Name: m.queue, Since: metav1.NewTime(m.now)}
		}
	case Submit:
		return m.submit(step)
	case Release:
		m.release()
	case Stop:
		for _, p := range m.pods {
			p.Deleting = true
		}
		m.release()
	case Limit:
		if p := m.find(step.Limited.Pod); p != nil {
			p.sidecar = false
		}
	}
	return step
}

func (m *model) release() {
	for _, p := range m.pods {
		p.executors = 0
	}
}

func (m *model) submit(step Step) Step {
	if m.dice.IntN(10) == 0 {
		return refused(step, fmt.Errorf("the API server says no"))
	}
	if m.app.Status.Queue != nil && !admitted(m.app) {
		m.fault = "something is made of a run that its queue has not let in"
	}
	run, name := m.app.Status.Run, m.app.Spec.Driver.PodName
	if name == "" {
		name = "pi-driver"
	}
	for _, p := range m.pods {
		if p.run != run { // earlierDriversGone, and adopt for the first run
			if p.Submission != "" && p.live() && !p.Deleting {
				m.fault = "a driver that another operator has made is in the way of a run"
			}
			if p.Name == name && !p.Deleting {
				p.Deleting = true
			}
			return step
		}
	}
	if m.find(name) != nil {
		m.made = run
		return step // adopted
	}
	if m.begun[run] {
		m.fault = fmt.Sprintf("run %d is submitted again after it was seen to run", run)
	}
	if m.made == run {
		m.fault = fmt.Sprintf("run %d is given a second driver", run)
	}
	m.made = run
	m.say("driver of run %d is made as %s", run, name)
	m.pods = append(m.pods, &pod{
		run: run, Driver: Driver{Name: name, Created: m.now, Accepted: m.now}, sidecar: m.dice.IntN(3) == 0,
	})
	return step
}

// check checks what must hold at every moment.
func (m *model) check() {
	live := 0
	for _, p := range m.pods {
		if p.live() {
			live++
		}
	}
	switch {
	case m.fault != "":
	case live > 1:
		m.fault = fmt.Sprintf("%d drivers are live at once", live)
	case m.app.Status.Run < m.lastRun:
		m.fault = fmt.Sprintf("the run counter went back from %d to %d", m.lastRun, m.app.Status.Run)
	case m.app.Status.ExecutionAttempts < 0 || m.app.Status.SubmissionAttempts < 0:
		m.fault = "attempts are negative"
	}
	m.lastRun = m.app.Status.Run
}

// settle lets drivers end well and pods go, and expects the application to come to rest with nothing left.
func (m *model) settle() {
	m.say("from here on nothing befalls it")
	m.app.Spec.Suspend = false
	m.app.Spec.RestartPolicy = v1beta2.RestartPolicy{}
	m.app.Generation++
	m.verdict = admission.Verdict{}
	for range settleSteps {
		if waits(m.app) {
			m.judge()
		}
		if m.fault != "" {
			return
		}
		m.step(m.see(), false)
		m.check()
		m.collect()
		m.drivers("succeeds", func(p *pod) { p.end(m.now, true) })
		m.pass(time.Minute)
	}
	switch {
	case !state(m.app).Ended():
		m.fault = "the application never ends"
	case m.see().ExecutorsLive():
		m.fault = "executors are left"
	case m.see().Unended():
		m.fault = "a driver is left that may still run"
	case slices.ContainsFunc(m.see().Drivers, func(d Driver) bool { return d.Lingering }):
		m.fault = "sidecars are left running"
	case !released(m.app):
		m.fault = "the run was never released"
	case m.app.Status.TerminationTime == metav1.Time{}:
		m.fault = "an application that has ended does not say when"
	}
}
