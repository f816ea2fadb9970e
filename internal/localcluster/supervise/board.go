package supervise

import (
	"context"
	"sync"
)

// board is where runners post their parts' states, and wait for those of others.
type board struct {
	mu      sync.Mutex
	states  map[string]State
	changed chan struct{}
}

func newBoard() *board {
	return &board{states: map[string]State{}, changed: make(chan struct{})}
}

func (b *board) post(state State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.states[state.Name] = state
	b.notify()
}

func (b *board) remove(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.states, name)
	b.notify()
}

func (b *board) notify() {
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *board) get(name string) (State, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state, ok := b.states[name]
	return state, ok
}

// missing returns the first of names that is not healthy, and a channel that is closed at the next change.
func (b *board) missing(names []string) (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if b.states[name].Phase != Healthy {
			return name, b.changed
		}
	}
	return "", b.changed
}

// wait returns when all of names are healthy; waiting is called with each name that is waited for.
func (b *board) wait(ctx context.Context, names []string, waiting func(name string)) error {
	said := ""
	for {
		name, changed := b.missing(names)
		if name == "" {
			return nil
		}
		if name != said {
			waiting(name)
			said = name
			continue // What was just posted is a change too.
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		}
	}
}
