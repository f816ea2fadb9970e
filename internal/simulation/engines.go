package simulation

import (
	"cmp"
	"slices"

	"brazier.sh/brazier/internal/queue"
)

// Engine decides: the operator's own, or one of those that it is compared with.
type Engine func(*queue.State) (queue.Decisions, error)

// The engines by name.
const (
	Brazier = "brazier"
	FIFO    = "fifo"
	Static  = "static"
)

// Engines are the names of engines, the operator's own first.
func Engines() []string { return []string{Brazier, FIFO, Static} }

// EngineOf is the engine of a name.
func EngineOf(name string) (Engine, bool) {
	switch name {
	case Brazier:
		return decide, true
	case FIFO:
		return fifo, true
	case Static:
		return static, true
	}
	return nil, false
}

// decide is the operator's engine.
func decide(state *queue.State) (queue.Decisions, error) { return queue.Decide(state), nil }

// fifo is one line for the whole cluster, as there is without queues: the oldest application goes first, with its driver and
// its minimum, and while it does not fit none does that is younger. What is left goes to executors of those that run, the
// oldest first. Nothing is given back.
func fifo(state *queue.State) (queue.Decisions, error) {
	var out queue.Decisions
	tree := newTree(state)
	line := newLine(state, tree, slices.Clone(state.Capacity))
	for i := range state.Applications {
		line.join(&state.Applications[i])
	}
	line.serve(&out)
	return out, nil
}

// static has the cluster divided for good among the queues without parts: each has what it is guaranteed, and its part by
// weight of what is guaranteed to nobody. In each is a line of its own. Nothing is lent and nothing given back.
func static(state *queue.State) (queue.Decisions, error) {
	var out queue.Decisions
	tree := newTree(state)
	lines := map[string]*line{}
	for _, leaf := range tree.leaves {
		lines[leaf.name] = newLine(state, tree, leaf.partition)
	}
	for i := range state.Applications {
		if line, ok := lines[state.Applications[i].Queue]; ok {
			line.join(&state.Applications[i])
		}
	}
	for _, leaf := range tree.leaves {
		lines[leaf.name].serve(&out)
	}
	return out, nil
}

// line is applications that share an amount of everything, first come, first served.
type line struct {
	state            *queue.State
	tree             *tree
	all, free        queue.Amounts
	waiting, running []*queue.Application
}

func newLine(state *queue.State, tree *tree, amounts queue.Amounts) *line {
	return &line{state: state, tree: tree, all: amounts, free: slices.Clone(amounts)}
}

func (l *line) join(app *queue.Application) {
	if app.Admitted == nil {
		l.waiting = append(l.waiting, app)
		return
	}
	l.running = append(l.running, app)
	for slot, amount := range l.state.Charge(app) {
		l.free[slot] -= amount
	}
}

func byAge(a, b *queue.Application) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// serve lets in whom there is room for, and then executors of those that run.
func (l *line) serve(out *queue.Decisions) {
	slices.SortFunc(l.waiting, byAge)
	slices.SortFunc(l.running, byAge)
	for _, app := range l.waiting {
		admission, demand, ever := l.admission(app)
		if admission == nil && !ever {
			continue // it would not fit if nothing ran, and holds up nobody
		}
		if admission == nil {
			break
		}
		l.take(demand)
		out.Admit = append(out.Admit, queue.Admit{App: app.ID, Admit: *admission})
	}
	for _, app := range l.running {
		l.grow(app, out)
	}
}

// admission is where app goes in with its minimum, on the first flavours that have room for all of it; and whether it
// would if nothing else ran.
func (l *line) admission(app *queue.Application) (admission *queue.Admission, demand queue.Amounts, ever bool) {
	flavours := l.tree.nodes[app.Queue]
	if flavours == nil {
		return nil, nil, false
	}
	for _, driver := range flavours.drivers {
		for _, executor := range flavours.executors {
			demand := l.state.None()
			add(demand[l.state.At(driver):], app.Driver, 1)
			add(demand[l.state.At(executor):], app.Executor, app.Minimum)
			if fit(demand, l.free) {
				counts := make([]int64, len(l.state.Flavours))
				counts[executor] = app.Minimum
				return &queue.Admission{Driver: driver, Executors: counts, At: l.state.Now}, demand, true
			}
			ever = ever || fit(demand, l.all)
		}
	}
	return nil, nil, ever
}

// grow lets executors of app go, as many as there is room for.
func (l *line) grow(app *queue.Application, out *queue.Decisions) {
	flavours := l.tree.nodes[app.Queue]
	if flavours == nil {
		return
	}
	for i := range app.Groups {
		gated := app.Groups[i].Gated
		for _, flavour := range flavours.executors {
			count := min(gated, most(app.Groups[i].Size, l.free[l.state.At(flavour):]))
			if count <= 0 {
				continue
			}
			demand := l.state.None()
			add(demand[l.state.At(flavour):], app.Groups[i].Size, count)
			l.take(demand)
			gated -= count
			out.Lift = append(out.Lift, queue.Lift{App: app.ID, Group: app.Groups[i].Name, Flavour: flavour, Count: count})
		}
	}
}

func (l *line) take(demand queue.Amounts) {
	for slot, amount := range demand {
		l.free[slot] -= amount
	}
}

func add(amounts queue.Amounts, size queue.Size, times int64) {
	for i, amount := range size {
		amounts[i] += times * amount
	}
}

func fit(demand, free queue.Amounts) bool {
	for slot, amount := range demand {
		if amount > 0 && amount > free[slot] {
			return false
		}
	}
	return true
}

// most is how many of a size fit.
func most(size queue.Size, free queue.Amounts) int64 {
	count := int64(mostExecutors)
	for i, amount := range size {
		if amount > 0 {
			count = min(count, free[i]/amount)
		}
	}
	return count
}
