package supervise

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"brazier.sh/brazier/internal/localcluster/part"
)

const (
	// eager is how often a part is probed until it is healthy, relaxed how often from then on.
	eager   = 100 * time.Millisecond
	relaxed = 5 * time.Second
	// patience is how long a part may be unhealthy, with everything that it needs healthy, before it is restarted.
	patience = 90 * time.Second
)

// machine is what a runner does to the world; tests have one of their own.
type machine interface {
	// obtain returns the part's process: the one that runs already as described, or a new one.
	obtain(p part.Part) (process, error)
	probe(ctx context.Context, check part.Check) error
	// tend does what has to be done now and then for a running part.
	tend(p part.Part) error
}

// process is a running part.
type process interface {
	pid() int
	// done is closed when the process has ended; reason says how.
	done() <-chan struct{}
	reason() string
	// terminate ends the process, politely at first, and returns when it has ended.
	terminate()
}

// runner keeps one part running until it is told to leave it or to stop it.
type runner struct {
	part    part.Part
	digest  string
	machine machine
	board   *board
	log     *slog.Logger

	cancel   context.CancelCauseFunc
	finished chan struct{}
	state    State
	delay    backoff
}

// errStop and errLeave are why a runner ends: with its part, or without.
var (
	errStop  = fmt.Errorf("the part is to stop")
	errLeave = fmt.Errorf("the part is left alone")
)

func startRunner(p part.Part, digest string, m machine, b *board, log *slog.Logger) *runner {
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &runner{
		part: p, digest: digest, machine: m, board: b, log: log.With("part", p.Name),
		cancel: cancel, finished: make(chan struct{}),
		state: State{Name: p.Name, Listens: p.Listens},
	}
	go r.run(ctx)
	return r
}

// end ends the runner, and its part if the cause is errStop, and returns when that is done.
func (r *runner) end(cause error) {
	r.cancel(cause)
	<-r.finished
}

func (r *runner) run(ctx context.Context) {
	defer close(r.finished)
	for attempt := 0; ctx.Err() == nil; attempt++ {
		r.state.Restarts = attempt
		healthyFor, problem := r.live(ctx)
		if ctx.Err() != nil {
			break
		}
		delay := r.delay.after(healthyFor)
		r.log.Warn("part ended", "problem", problem, "delay", delay)
		r.post(BackingOff, 0, problem)
		sleep(ctx, delay)
	}
	r.post(Stopped, 0, "")
}

// live sees the part through one life: from its dependencies' health to its end. It returns how long the part was
// healthy at the last, and why it ended.
func (r *runner) live(ctx context.Context) (time.Duration, string) {
	err := r.board.wait(ctx, r.part.After, func(name string) { r.post(Waiting, 0, "needs "+name) })
	if err != nil {
		return 0, err.Error()
	}
	running, err := r.machine.obtain(r.part)
	if err != nil {
		return 0, err.Error()
	}
	r.log.Info("part runs", "pid", running.pid())
	r.post(Starting, running.pid(), "")
	healthyFor, problem := r.watch(ctx, running)
	if context.Cause(ctx) == errStop { //nolint:errorlint // it is set as it is, in end
		running.terminate()
	}
	return healthyFor, problem
}

// watch probes the part until it ends, has to be ended because it hangs, or the runner is told to end.
func (r *runner) watch(ctx context.Context, running process) (time.Duration, string) {
	var healthySince time.Time
	lastGood := time.Now()
	for {
		interval := eager
		problem := r.machine.probe(ctx, r.part.Healthy)
		switch {
		case problem == nil:
			interval, lastGood = relaxed, time.Now()
			if healthySince.IsZero() {
				healthySince = lastGood
				r.post(Healthy, running.pid(), "")
			}
		case ctx.Err() != nil:
		case !healthySince.IsZero():
			healthySince = time.Time{}
			r.post(Unhealthy, running.pid(), problem.Error())
		default:
			r.post(r.state.Phase, running.pid(), problem.Error())
		}
		if name, _ := r.board.missing(r.part.After); name != "" {
			lastGood = time.Now() // It cannot do better than what it needs.
		}
		if time.Since(lastGood) > patience {
			running.terminate()
			return 0, fmt.Sprintf("not healthy for %v: %v", patience, problem)
		}
		if err := r.machine.tend(r.part); err != nil {
			r.log.Warn("cannot tend the part", "error", err)
		}
		select {
		case <-ctx.Done():
			return 0, ""
		case <-running.done():
			return sinceOrZero(healthySince), running.reason()
		case <-time.After(interval):
		}
	}
}

func sinceOrZero(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return time.Since(t)
}

// post publishes the part's phase, if that or its problem has changed.
func (r *runner) post(phase Phase, pid int, problem string) {
	if r.state.Phase == phase && r.state.PID == pid && r.state.Problem == problem {
		return
	}
	if r.state.Phase != phase {
		r.state.Since = time.Now()
	}
	r.state.Phase, r.state.PID, r.state.Problem = phase, pid, problem
	r.board.post(r.state)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
