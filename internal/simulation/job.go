package simulation

import (
	"fmt"
	"math"
	"time"

	"brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// phase is how far a job is.
type phase int

const (
	waiting phase = iota
	running
	ended
	overran
	refused
)

// pod is a pod on a node; one without has not found any.
type pod struct{ flavour, node int }

const noNode = -1

// job is an application on its way.
type job struct {
	*Application
	app     queue.Application
	user    *user
	account *account
	phase   phase
	reason  queue.Reason
	// attempt is how often it was let in, and version tells the last of its foreseen ends from earlier ones.
	attempt, version int
	driver           pod
	// executors are those that stay, the oldest first, and leaving those that were told to go, in the order of that.
	executors, leaving []pod
	// working is how many executors work.
	working int64
	done    time.Duration // executor-time
	since   time.Duration // when done was worked out
	// waits is since when it waits, waited for how long it has in all.
	waits, waited time.Duration
	unplaced      bool
}

// wants reports whether it wants something that a round could give.
func (j *job) wants() bool {
	return j.phase == waiting || (j.phase == running && j.app.Groups[0].Gated > 0)
}

// arrive has an application come.
func (r *run) arrive(app *Application) {
	j := &job{Application: app, user: r.userOf(app.User), account: r.accounts[app.Queue], waits: r.now}
	j.app = queue.Application{
		ID: app.ID, Queue: app.Queue, User: app.User, Created: r.time(app.Submit), MaxRunTime: app.MaxRunTime,
		Priority: queuetree.Priority(r.Tree.Objects[app.Queue], app.Priority),
		Driver:   r.size(app.Driver), Executor: r.size(app.Executor), Minimum: app.Minimum,
	}
	j.account.came(app)
	if !r.fitsNodes(j) {
		j.reason, j.phase = queue.TooBig, refused
		j.account.refuse(j)
		return
	}
	r.active, r.byID[app.ID] = append(r.active, j), j
	r.dirty = true
}

// fitsNodes reports whether there is a kind of node on which its pods would fit if it was empty.
func (r *run) fitsNodes(j *job) bool {
	driver, executor := false, false
	for _, nodes := range r.nodes {
		driver = driver || nodes.holds(j.app.Driver)
		executor = executor || nodes.holds(j.app.Executor)
	}
	return driver && executor
}

// admit lets a job in: its driver and the executors that it was let in with start.
func (r *run) admit(j *job, admission queue.Admission) {
	j.phase, j.attempt = running, j.attempt+1
	j.waited += r.now - j.waits
	j.app.Admitted = &admission
	flavours := len(r.Tree.Flavours)
	j.app.Groups = []queue.Group{{Name: "0", Size: j.app.Executor, Held: make([]int64, flavours), Leaving: make([]int64, flavours)}}
	j.driver = pod{admission.Driver, r.nodes[admission.Driver].place(j.app.Driver)}
	j.done, j.since = 0, r.now
	r.use(j, admission.Driver, j.app.Driver, 1)
	for flavour, count := range admission.Executors {
		r.start(j, flavour, count)
	}
	r.update(j)
	if j.MaxRunTime > 0 {
		r.events.add(event{at: r.now + j.MaxRunTime, kind: jobOverran, job: j, attempt: j.attempt})
	}
}

// start has executors of a job run.
func (r *run) start(j *job, flavour int, count int64) {
	for range count {
		j.executors = append(j.executors, pod{flavour, r.nodes[flavour].place(j.app.Executor)})
	}
	j.app.Groups[0].Held[flavour] += count
	r.use(j, flavour, j.app.Executor, count)
	r.update(j)
}

// use charges count pods to a job's queue and the cluster; less than none are given back.
func (r *run) use(j *job, flavour int, size queue.Size, count int64) {
	at := r.Tree.At(flavour)
	for i, amount := range size {
		r.used[at+i] += count * amount
	}
	j.account.use(r.now, size, count)
}

// update works out what a job has done and wants, and when it will be done, after its executors have changed.
func (r *run) update(j *job) {
	j.done += time.Duration(j.working) * (r.now - j.since)
	j.since, j.working = r.now, 0
	missing := j.driver.node == noNode
	for _, executor := range j.executors {
		if executor.node == noNode {
			missing = true
		} else if j.driver.node != noNode {
			j.working++
		}
	}
	if missing && !j.unplaced {
		r.unplaced = append(r.unplaced, j)
	}
	j.unplaced = missing
	// An executor that was told to go is replaced by one that waits, at once.
	j.app.Groups[0].Gated = max(j.Maximum-int64(len(j.executors)), 0)
	j.version++
	if j.working > 0 {
		left := max(j.Work-j.done, 0)
		takes := time.Duration(math.Ceil(float64(left) / float64(j.working)))
		r.events.add(event{at: r.now + takes, kind: jobDone, job: j, attempt: j.attempt, version: j.version})
	}
}

// place looks for nodes for pods that have none.
func (r *run) place() {
	type wanted struct {
		flavour int
		pod     Pod
	}
	none := map[wanted]bool{}
	find := func(p *pod, of Pod, size queue.Size) {
		key := wanted{p.flavour, of}
		if p.node != noNode || none[key] {
			return
		}
		p.node = r.nodes[p.flavour].place(size)
		none[key] = p.node == noNode
	}
	left := r.unplaced
	r.unplaced = nil
	for _, j := range left {
		if !j.unplaced || j.phase != running {
			continue
		}
		find(&j.driver, j.Driver, j.app.Driver)
		for i := range j.executors {
			find(&j.executors[i], j.Executor, j.app.Executor)
		}
		j.unplaced = false
		r.update(j)
	}
}

// take takes executors, or all of a job.
func (r *run) take(take queue.Take) error {
	j, ok := r.byID[take.App]
	if !ok || j.phase != running {
		return fmt.Errorf("something was taken of %s, which does not run", take.App)
	}
	if take.Whole {
		r.stop(j)
		return nil
	}
	handOver := min(r.HandOver, take.Grace)
	leave := r.choose(j, take.Flavour, take.Count)
	if int64(len(leave)) < take.Count || int64(len(j.executors)) < j.Minimum {
		return fmt.Errorf("%d executors were taken of %s, which has no so many to spare", take.Count, take.App)
	}
	j.app.Reclaimed = r.time(r.now)
	j.leaving = append(j.leaving, leave...)
	j.app.Groups[0].Leaving[take.Flavour] += take.Count
	j.account.took(take, handOver)
	r.update(j)
	if handOver == 0 {
		r.left(j, take.Count)
	} else {
		r.events.add(event{at: r.now + handOver, kind: executorsLeft, job: j, attempt: j.attempt, count: take.Count})
	}
	return nil
}

// choose takes count executors of a flavour out of those that stay: those without a node, then the youngest.
func (r *run) choose(j *job, flavour int, count int64) []pod {
	var chosen []pod
	for _, placed := range []bool{false, true} {
		for i := len(j.executors) - 1; i >= 0 && int64(len(chosen)) < count; i-- {
			if e := j.executors[i]; e.flavour == flavour && (e.node != noNode) == placed {
				chosen = append(chosen, e)
				j.executors = append(j.executors[:i], j.executors[i+1:]...)
			}
		}
	}
	return chosen
}

// left has executors that were told to go be gone.
func (r *run) left(j *job, count int64) {
	for _, gone := range j.leaving[:count] {
		r.nodes[gone.flavour].free(gone.node, j.app.Executor)
		j.app.Groups[0].Held[gone.flavour]--
		j.app.Groups[0].Leaving[gone.flavour]--
		r.use(j, gone.flavour, j.app.Executor, -1)
	}
	j.leaving = append(j.leaving[:0], j.leaving[count:]...)
	r.dirty = true
}

// release gives back all that a job has.
func (r *run) release(j *job) {
	r.nodes[j.driver.flavour].free(j.driver.node, j.app.Driver)
	r.use(j, j.driver.flavour, j.app.Driver, -1)
	for _, all := range [][]pod{j.executors, j.leaving} {
		for _, executor := range all {
			r.nodes[executor.flavour].free(executor.node, j.app.Executor)
			r.use(j, executor.flavour, j.app.Executor, -1)
		}
	}
	j.executors, j.leaving, j.working = nil, nil, 0
	j.app.Admitted, j.app.Groups = nil, nil
	r.dirty = true
}

// end has a job end.
func (r *run) end(j *job, how phase) {
	r.release(j)
	j.account.ends(j, r.now, how)
	r.leave(j, how)
}

// stop has a job wait again; what it has done is lost.
func (r *run) stop(j *job) {
	j.account.stopped(j, j.done+time.Duration(j.working)*(r.now-j.since))
	r.release(j)
	j.phase, j.waits, j.attempt = waiting, r.now, j.attempt+1
}

// leave has a job wait or run no more.
func (r *run) leave(j *job, how phase) {
	j.phase, j.attempt = how, j.attempt+1
	if how == refused {
		j.account.refuse(j)
	}
	r.dirty = true
}
