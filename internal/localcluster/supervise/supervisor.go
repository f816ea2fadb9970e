package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

// ErrAnother says that a supervisor runs already.
var ErrAnother = errors.New("another supervisor is running")

// Supervisor keeps a list of parts running.
type Supervisor struct {
	machine machine
	digest  func(part.Part) (string, error)
	board   *board
	log     *slog.Logger

	mu      sync.Mutex
	runners []*runner
}

// New returns a supervisor with nothing to run yet.
func New(l layout.Layout, log *slog.Logger) *Supervisor {
	return &Supervisor{machine: host{layout: l}, digest: Digest, board: newBoard(), log: log}
}

// Apply makes the supervisor run exactly these parts: those that run as described are left alone, others are started,
// restarted or stopped.
func (s *Supervisor) Apply(parts []part.Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	digests := make([]string, len(parts))
	for i, p := range parts {
		digest, err := s.digest(p)
		if err != nil {
			return err
		}
		digests[i] = digest
	}
	current := map[string]*runner{}
	for _, r := range slices.Backward(s.runners) {
		i := slices.IndexFunc(parts, func(p part.Part) bool { return p.Name == r.part.Name })
		if i >= 0 && digests[i] == r.digest {
			current[r.part.Name] = r
			continue
		}
		r.end(errStop)
		s.board.remove(r.part.Name)
	}
	s.runners = nil
	for i, p := range parts {
		r := current[p.Name]
		if r == nil {
			r = startRunner(p, digests[i], s.machine, s.board, s.log)
		}
		s.runners = append(s.runners, r)
	}
	return nil
}

// States returns the state of every part, in the order of the parts.
func (s *Supervisor) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	states := make([]State, 0, len(s.runners))
	for _, r := range s.runners {
		state, ok := s.board.get(r.part.Name)
		if !ok {
			state = State{Name: r.part.Name, Phase: Waiting}
		}
		states = append(states, state)
	}
	return states
}

// Stop ends the parts called names, or all where there are none, each before those that it needs.
func (s *Supervisor) Stop(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*runner
	for _, r := range slices.Backward(s.runners) {
		if len(names) > 0 && !slices.Contains(names, r.part.Name) {
			kept = append(kept, r)
			continue
		}
		r.end(errStop)
		s.board.remove(r.part.Name)
	}
	slices.Reverse(kept)
	s.runners = kept
}

// Leave ends the supervisor's work and leaves the parts running, for another supervisor to adopt.
func (s *Supervisor) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runners {
		r.end(errLeave)
	}
	s.runners = nil
}

// Argv is the command line of the supervisor's process: that of brazier's hidden command supervise.
func Argv(program, home string) []string { return []string{program, "supervise", "--home", home} }

// HomeOf returns the home of the cluster whose supervisor has the command line, if it is one.
func HomeOf(argv []string) (home string, ok bool) {
	if len(argv) == 4 && slices.Equal(argv, Argv(argv[0], argv[3])) {
		return argv[3], true
	}
	return "", false
}

// Run is the supervisor's process: it serves on the layout's socket until ctx ends, when it leaves the parts running,
// or until it is told to stop, when it stops them.
func Run(ctx context.Context, l layout.Layout, log *slog.Logger) error {
	lock, err := acquire(filepath.Join(l.Run, "supervisor.lock"))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	s := New(l, log)
	defer s.Leave()
	return serve(ctx, s, l.SupervisorSocket())
}

// acquire takes the lock that only one supervisor can hold; it ends with the process, however that ends.
func acquire(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the supervisor's folder: %w", err)
	}
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the supervisor's lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrAnother
		}
		return nil, errors.Join(fmt.Errorf("take the supervisor's lock: %w", err), lock.Close())
	}
	return lock, nil
}
