package simulation

import (
	"fmt"
	"time"

	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// Options are what is simulated.
type Options struct {
	Trace   *Trace
	Tree    queuetree.Tree
	Cluster Cluster
	// Every is how much time passes between two rounds of decisions at least.
	Every time.Duration
	// HandOver is how long an executor that has to go takes to hand over what it holds; at most its queue's grace.
	HandOver time.Duration
}

// beat is how often it is decided where nothing has happened, as a cool-down may be over.
const beat = time.Minute

// run is one simulation.
type run struct {
	*Options
	engine  Engine
	name    string
	queues  map[string]*queue.Queue
	now     time.Duration
	arrived int
	events  events
	// active are the jobs that wait or run, in the order in which they came, with those that have ended since the last round.
	active []*job
	byID   map[string]*job
	nodes  []*nodes
	// unplaced are the jobs with pods for which there is no node.
	unplaced []*job
	used     queue.Amounts
	users    map[string]*user
	state    queue.State
	// dirty says that something has happened that the next round may make something of.
	dirty   bool
	decided time.Duration
	begun   bool
	*measure
}

// Run replays the trace with an engine.
func Run(name string, engine Engine, o *Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{Options: o, engine: engine, name: name, byID: map[string]*job{}, users: map[string]*user{}, queues: map[string]*queue.Queue{}}
	for i := range o.Tree.Queues {
		r.queues[o.Tree.Queues[i].Name] = &o.Tree.Queues[i]
	}
	for _, pool := range o.Cluster.Pools {
		r.nodes = append(r.nodes, newNodes(pool, o.Tree.Packing))
	}
	r.used = o.Tree.None()
	r.measure = newMeasure(o)
	r.state = queue.State{Shape: o.Tree.Shape, Capacity: o.Cluster.Capacity, ReclaimPercent: o.Tree.ReclaimPercent, Queues: o.Tree.Queues}
	if err := r.loop(); err != nil {
		return nil, fmt.Errorf("engine %s: %w", name, err)
	}
	r.observe(r.now, nil)
	return r.result(), nil
}

// loop lets one thing after the other happen, those before rounds that are due at the same time.
func (r *run) loop() error {
	for {
		next, comes := r.nextEvent()
		due, wanted := r.nextRound(comes)
		switch {
		case wanted && (!comes || due < next):
			r.now = due
			if err := r.round(); err != nil {
				return fmt.Errorf("%s after the first application: %w", r.now.Round(time.Millisecond), err)
			}
		case comes:
			r.now = next
			r.happen()
		default:
			return nil
		}
	}
}

// nextEvent is when something happens next by itself.
func (r *run) nextEvent() (time.Duration, bool) {
	r.events.forget()
	at, comes := r.events.next()
	if r.arrived < len(r.Trace.Applications) {
		if submit := r.Trace.Applications[r.arrived].Submit; !comes || submit <= at {
			return submit, true
		}
	}
	return at, comes
}

// nextRound is when it is decided next: soon after something has happened, else from time to time while there is anything
// that wants something and something that will happen.
func (r *run) nextRound(comes bool) (time.Duration, bool) {
	if r.dirty {
		if !r.begun {
			return r.now, true
		}
		return max(r.now, r.decided+r.Every), true
	}
	if comes && r.wanting() {
		return max(r.now, r.decided+max(beat, r.Every)), true
	}
	if comes {
		return 0, false
	}
	return r.nextTimeout()
}

// wanting reports whether a job wants something that it has not got.
func (r *run) wanting() bool {
	for _, j := range r.active {
		if j.wants() {
			return true
		}
	}
	return false
}

// nextTimeout is when one of those that still wait has waited too long.
func (r *run) nextTimeout() (time.Duration, bool) {
	first, found := time.Duration(0), false
	for _, j := range r.active {
		timeout := r.limitsOf(j).WaitTimeout
		if j.phase != waiting || timeout == 0 {
			continue
		}
		// An engine that has refused nothing when it was time will not do so now.
		if at := j.Submit + timeout + time.Second; at > r.now && (!found || at < first) {
			first, found = at, true
		}
	}
	return first, found
}

// limitsOf is the queue of a job; the root may have no object.
func (r *run) limitsOf(j *job) *queue.Queue {
	if q, ok := r.queues[j.Queue]; ok {
		return q
	}
	return &queue.Queue{Name: queue.Root}
}

// happen lets the next application come, or the next event happen.
func (r *run) happen() {
	at, comes := r.events.next()
	if r.arrived < len(r.Trace.Applications) {
		if app := &r.Trace.Applications[r.arrived]; !comes || app.Submit <= at {
			r.arrived++
			r.arrive(app)
			return
		}
	}
	switch e := r.events.take(); e.kind {
	case jobDone:
		r.end(e.job, ended)
	case jobOverran:
		r.end(e.job, overran)
	case executorsLeft:
		r.left(e.job, e.count)
	}
}

// epoch is when the first application comes, where the trace does not say.
var epoch = time.Unix(0, 0).UTC()

func (r *run) time(at time.Duration) time.Time { return epoch.Add(at) }

// round has the engine decide, and does what it says.
func (r *run) round() error {
	r.forget()
	r.place()
	r.charge(r.now - r.decided)
	r.dirty, r.decided, r.begun = false, r.now, true
	r.describe()
	decisions, err := r.engine(&r.state)
	if err != nil {
		return err
	}
	r.rounds++
	if err := r.act(&decisions); err != nil {
		return err
	}
	r.place()
	r.observe(r.now, r.active)
	return nil
}

// forget lets go of jobs that have ended.
func (r *run) forget() {
	kept := r.active[:0]
	for _, j := range r.active {
		if j.phase == waiting || j.phase == running {
			kept = append(kept, j)
		} else {
			delete(r.byID, j.ID)
		}
	}
	clear(r.active[len(kept):])
	r.active = kept
}

// describe is the state that is decided on.
func (r *run) describe() {
	r.state.Now = r.time(r.now)
	r.state.Applications = r.state.Applications[:0]
	for _, j := range r.active {
		j.app.UserUsage = j.user.used
		r.state.Applications = append(r.state.Applications, j.app)
	}
	if !r.Tree.Room {
		return
	}
	r.state.Nodes = r.state.Nodes[:0]
	for flavour, nodes := range r.nodes {
		r.state.Nodes = nodes.describe(r.state.Nodes, flavour)
	}
}

// act does what was decided. An engine that decides what cannot be is wrong, and so would be what is reported of it.
func (r *run) act(decisions *queue.Decisions) error {
	for _, admit := range decisions.Admit {
		j, ok := r.byID[admit.App]
		if !ok || j.phase != waiting {
			return fmt.Errorf("%s was let in and does not wait", admit.App)
		}
		r.admit(j, admit.Admit)
	}
	for _, lift := range decisions.Lift {
		j, ok := r.byID[lift.App]
		if !ok || j.phase != running || lift.Count > j.app.Groups[0].Gated {
			return fmt.Errorf("%d executors of %s were let go and do not wait", lift.Count, lift.App)
		}
		r.start(j, lift.Flavour, lift.Count)
	}
	for slot, amount := range r.used {
		if amount > r.Cluster.Capacity[slot] {
			return fmt.Errorf("%d of %s are used of %d", amount, r.Tree.Resources[slot%len(r.Tree.Resources)], r.Cluster.Capacity[slot])
		}
	}
	for _, take := range decisions.Reclaim {
		if err := r.take(take); err != nil {
			return err
		}
	}
	for _, refuse := range decisions.Refuse {
		j, ok := r.byID[refuse.App]
		if !ok || j.phase != waiting {
			return fmt.Errorf("%s was refused and does not wait", refuse.App)
		}
		j.reason = refuse.Reason
		r.leave(j, refused)
	}
	r.dirty = r.dirty || len(decisions.Admit) > 0 || len(decisions.Reclaim) > 0
	return nil
}
