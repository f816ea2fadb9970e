package supervise

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/localcluster/part"
)

// fakeMachine runs parts that exist in memory only. Its zero value starts whatever it is told to, healthy at once.
type fakeMachine struct {
	mu      sync.Mutex
	next    int
	running map[string]*fakeProcess
	starts  []string
	stops   []string
	sick    map[string]bool
}

type fakeProcess struct {
	machine *fakeMachine
	name    string
	number  int
	ended   chan struct{}
	once    sync.Once
}

func (m *fakeMachine) obtain(p part.Part) (process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if running := m.running[p.Name]; running != nil {
		return running, nil
	}
	m.next++
	made := &fakeProcess{machine: m, name: p.Name, number: m.next, ended: make(chan struct{})}
	if m.running == nil {
		m.running = map[string]*fakeProcess{}
	}
	m.running[p.Name] = made
	m.starts = append(m.starts, p.Name)
	return made, nil
}

func (m *fakeMachine) probe(_ context.Context, check part.Check) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sick[check.Socket] {
		return errors.New("no answer")
	}
	return nil
}

func (m *fakeMachine) tend(part.Part) error { return nil }

func (m *fakeMachine) kill(name string) {
	m.mu.Lock()
	running := m.running[name]
	delete(m.running, name)
	m.mu.Unlock()
	running.once.Do(func() { close(running.ended) })
}

func (m *fakeMachine) setSick(name string, sick bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sick == nil {
		m.sick = map[string]bool{}
	}
	m.sick[name] = sick
}

func (m *fakeMachine) started() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.starts...)
}

func (p *fakeProcess) pid() int              { return p.number }
func (p *fakeProcess) done() <-chan struct{} { return p.ended }
func (p *fakeProcess) reason() string        { return "killed" }

func (p *fakeProcess) terminate() {
	p.machine.mu.Lock()
	p.machine.stops = append(p.machine.stops, p.name)
	p.machine.mu.Unlock()
	p.machine.kill(p.name)
}

func newTest(m *fakeMachine) *Supervisor {
	return &Supervisor{
		machine: m, board: newBoard(), log: slog.New(slog.DiscardHandler),
		digest: func(p part.Part) (string, error) { return p.Argv[0], nil },
	}
}

// describe makes a part whose health check carries its name, and whose digest is its program.
func describe(name, program string, after ...string) part.Part {
	return part.Part{Name: name, Argv: []string{program}, After: after, Healthy: part.Check{Socket: name}}
}

func phases(s *Supervisor) map[string]Phase {
	found := map[string]Phase{}
	for _, state := range s.States() {
		found[state.Name] = state.Phase
	}
	return found
}

func apply(t *testing.T, s *Supervisor, parts ...part.Part) {
	t.Helper()
	if err := s.Apply(parts); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func TestDependenciesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		m.setSick("etcd", true)
		s := newTest(m)
		defer s.Stop()
		apply(t, s, describe("etcd", "v1"), describe("api", "v1", "etcd"))
		if diff := cmp.Diff(map[string]Phase{"etcd": Starting, "api": Waiting}, phases(s)); diff != "" {
			t.Errorf("a part is not started before those that it needs are healthy\n-want +got:\n%s", diff)
		}
		m.setSick("etcd", false)
		time.Sleep(time.Second)
		synctest.Wait()
		if diff := cmp.Diff(map[string]Phase{"etcd": Healthy, "api": Healthy}, phases(s)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestKilledPartComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		s := newTest(m)
		defer s.Stop()
		apply(t, s, describe("etcd", "v1"))
		time.Sleep(time.Minute)
		m.kill("etcd")
		time.Sleep(firstDelay + eager)
		synctest.Wait()
		state := s.States()[0]
		if state.Phase != Healthy || state.Restarts != 1 || state.PID != 2 {
			t.Errorf("got %+v, want it healthy, restarted once, as another process", state)
		}
	})
}

func TestDelayGrowsAndIsForgotten(t *testing.T) {
	var b backoff
	var got []time.Duration
	for range 10 {
		got = append(got, b.after(0))
	}
	got = append(got, b.after(settled))
	want := []time.Duration{
		200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond,
		6400 * time.Millisecond, 12800 * time.Millisecond, 25600 * time.Millisecond, maxDelay, maxDelay, firstDelay,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a part that fails again and again is started ever more rarely, one that had worked at once\n-want +got:\n%s", diff)
	}
}

func TestHungPartIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		s := newTest(m)
		defer s.Stop()
		apply(t, s, describe("etcd", "v1"))
		m.setSick("etcd", true)
		time.Sleep(patience / 2)
		synctest.Wait()
		if diff := cmp.Diff(map[string]Phase{"etcd": Unhealthy}, phases(s)); diff != "" {
			t.Errorf("a part that does not answer is not ended at once\n-want +got:\n%s", diff)
		}
		time.Sleep(patience)
		synctest.Wait()
		if diff := cmp.Diff([]string{"etcd", "etcd"}, m.started()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPartIsNotBlamedForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		s := newTest(m)
		defer s.Stop()
		apply(t, s, describe("etcd", "v1"), describe("api", "v1", "etcd"))
		m.setSick("etcd", true)
		m.setSick("api", true)
		time.Sleep(patience + 10*time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"etcd", "api", "etcd"}, m.started()); diff != "" {
			t.Errorf("restarting the API server does not help where etcd is ill\n-want +got:\n%s", diff)
		}
	})
}

func TestOnlyWhatChangedIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		s := newTest(m)
		defer s.Stop()
		apply(t, s, describe("etcd", "v1"), describe("api", "v1"), describe("old", "v1"))
		apply(t, s, describe("etcd", "v1"), describe("api", "v2"), describe("new", "v1"))
		if diff := cmp.Diff([]string{"old", "api"}, m.stops); diff != "" {
			t.Errorf("stopped: -want +got:\n%s", diff)
		}
		want := map[string]Phase{"etcd": Healthy, "api": Healthy, "new": Healthy}
		if diff := cmp.Diff(want, phases(s)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestStopEndsDependentsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		s := newTest(m)
		apply(t, s, describe("etcd", "v1"), describe("api", "v1", "etcd"), describe("kubelet", "v1", "api"))
		s.Stop("kubelet")
		s.Stop()
		if diff := cmp.Diff([]string{"kubelet", "api", "etcd"}, m.stops); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

func TestPartsOutliveTheSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{}
		first := newTest(m)
		apply(t, first, describe("etcd", "v1"))
		first.Leave()
		second := newTest(m)
		defer second.Stop()
		apply(t, second, describe("etcd", "v1"))
		if diff := cmp.Diff([]string{"etcd"}, m.started()); diff != "" {
			t.Errorf("the next supervisor adopts what runs\n-want +got:\n%s", diff)
		}
	})
}
