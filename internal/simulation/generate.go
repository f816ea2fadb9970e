package simulation

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"brazier.sh/brazier/internal/queuetree"
)

// Day says what a generated trace is like.
type Day struct {
	// Seed makes the trace: the same gives the same.
	Seed         uint64
	Applications int
	Span         time.Duration
	// Load is how much work comes, of what the cluster's CPUs could do in that time.
	Load float64
}

// habit is what the applications of a queue are like. Nobody's cluster is copied here: what matters for queues is that
// arrivals follow the hours, that a few applications are most of the work, and that teams differ in both.
type habit struct {
	// peak is the hour around which most come, and swing how much more than at the other end of the day, of 1.
	peak, swing float64
	// part is how many come of all, and work how much of all work they are.
	part, work float64
	// sigma is how heavy the tail of their work is: the larger, the more of it is in few applications.
	sigma float64
	// runs is how long most of them would like to take, and widest the most executors one asks for.
	runs   time.Duration
	widest int64
	// cpu and memory are what an executor may have: CPUs, and GiB for each of them.
	cpu, memory []int64
	driver      Pod
	// minimum is the part of its executors that one can begin with; fixed is how many need all of them.
	minimum, fixed float64
	// brief is how many of those that are soon over say so.
	brief float64
}

// habits are given to queues in turn.
var habits = []habit{
	// What runs every night: much work, in wide applications.
	{
		peak: 2, swing: 0.9, part: 1, work: 4, sigma: 1.6, runs: 25 * time.Minute, widest: 2000,
		cpu: []int64{4, 5}, memory: []int64{4, 8}, driver: Pod{CPU: 2000, Memory: 8 << 30}, minimum: 0.25, fixed: 0.2,
	},
	// What people start by hand: most of it small, and some of it huge.
	{
		peak: 14, swing: 0.95, part: 4, work: 2, sigma: 2.2, runs: 4 * time.Minute, widest: 1000,
		cpu: []int64{2, 4}, memory: []int64{4, 8}, driver: Pod{CPU: 1000, Memory: 4 << 30}, minimum: 0.1, fixed: 0.1, brief: 0.3,
	},
	// What comes all day long, and is much the same each time.
	{
		peak: 11, swing: 0.3, part: 3, work: 2, sigma: 1, runs: 10 * time.Minute, widest: 200,
		cpu: []int64{2, 4}, memory: []int64{4}, driver: Pod{CPU: 1000, Memory: 2 << 30}, minimum: 0.5, fixed: 0.5, brief: 0.2,
	},
	// What takes hours, in the evening.
	{
		peak: 18, swing: 0.5, part: 0.5, work: 3, sigma: 1.4, runs: 90 * time.Minute, widest: 500,
		cpu: []int64{8, 12}, memory: []int64{6, 8}, driver: Pod{CPU: 4000, Memory: 16 << 30}, minimum: 0.25, fixed: 0.2,
	},
}

// Generate makes up a trace for the queues of a tree that have no parts, on a cluster.
func Generate(o *Options, day Day) (*Trace, error) {
	if day.Applications < 1 || day.Applications > 10_000_000 || day.Span < time.Minute || day.Span > mostTime || !(day.Load > 0 && day.Load <= 100) {
		return nil, errors.New("a trace has from 1 to 10000000 applications, in a minute or more, whose load is above 0 and at most 100")
	}
	g := generator{dice: rand.New(rand.NewPCG(day.Seed, 0x627261_7a696572)), day: day, leaves: o.leaves()} //nolint:gosec // The same seed has to give the same trace.
	works, parts := 0.0, 0.0
	for i := range g.leaves {
		works, parts = works+habitOf(i).work, parts+habitOf(i).part
	}
	cpuTime := day.Load * float64(o.cpu()) * day.Span.Seconds()
	given := 0
	for i, leaf := range g.leaves {
		count := int(math.Round(float64(day.Applications) * habitOf(i).part / parts))
		if i == len(g.leaves)-1 {
			count = day.Applications - given
		}
		count = min(count, day.Applications-given)
		given += count
		g.queue(leaf, habitOf(i), count, cpuTime*habitOf(i).work/works)
	}
	sortByTime(g.apps)
	begin := g.apps[0].Submit
	for i := range g.apps {
		g.apps[i].Submit -= begin
		g.apps[i].ID = fmt.Sprintf("app-%05d", i+1)
	}
	return &Trace{Applications: g.apps}, nil
}

func habitOf(i int) *habit { return &habits[i%len(habits)] }

// cpu is all CPU of the cluster, in thousandths.
func (o *Options) cpu() int64 {
	var all int64
	for flavour := range o.Tree.Flavours {
		all += o.Cluster.Capacity[o.Tree.At(flavour)]
	}
	return all
}

type generator struct {
	dice   *rand.Rand
	day    Day
	leaves []string
	apps   []Application
}

// queue adds count applications of one queue, which are cpuTime of work together (thousandths of a CPU, by seconds).
func (g *generator) queue(leaf string, h *habit, count int, cpuTime float64) {
	weights, sum := make([]float64, count), 0.0
	for i := range weights {
		weights[i] = math.Exp(h.sigma * g.dice.NormFloat64())
		sum += weights[i]
	}
	for _, weight := range weights {
		g.apps = append(g.apps, g.application(leaf, h, cpuTime*weight/sum))
	}
}

// application is one that is cpuTime of work.
func (g *generator) application(leaf string, h *habit, cpuTime float64) Application {
	cpu := pick(g.dice, h.cpu)
	app := Application{
		Queue: leaf, User: fmt.Sprintf("%s-%d", leaf, g.dice.IntN(8)+1), Submit: g.arrival(h),
		Driver: h.driver, Executor: Pod{CPU: cpu * 1000, Memory: cpu * pick(g.dice, h.memory) << 30},
	}
	work := max(math.Ceil(cpuTime/float64(app.Executor.CPU)), 1) // executor-seconds
	runs := h.runs.Seconds() * math.Exp(0.7*g.dice.NormFloat64())
	app.Maximum = min(max(int64(work/runs), 1), h.widest)
	app.Minimum = max(int64(float64(app.Maximum)*h.minimum), 1)
	app.Work = time.Duration(work) * time.Second
	if g.dice.Float64() < h.fixed {
		takes := time.Duration(math.Ceil(work/float64(app.Maximum))) * time.Second
		app.Fixed, app.Minimum, app.Work = true, app.Maximum, takes*time.Duration(app.Maximum)
	}
	if longest := app.Work / time.Duration(app.Minimum); longest < 100*time.Second && g.dice.Float64() < h.brief {
		app.MaxRunTime = 2 * time.Minute
	}
	return app
}

func pick(dice *rand.Rand, of []int64) int64 { return of[dice.IntN(len(of))] }

// arrival is a time at which one comes: more come around the peak, as a cosine over the day has it.
func (g *generator) arrival(h *habit) time.Duration {
	for {
		at := time.Duration(g.dice.Float64() * float64(g.day.Span)).Truncate(time.Second)
		hour := math.Mod(at.Hours(), 24)
		if g.dice.Float64()*(1+h.swing) <= 1+h.swing*math.Cos((hour-h.peak)*math.Pi/12) {
			return at
		}
	}
}

// Write writes a trace as ReadTrace reads it.
func (t *Trace) Write(out io.Writer) error {
	w := csv.NewWriter(out)
	header := slices.Concat(required, optional)
	record := make([]string, len(header))
	err := w.Write(header)
	for i := range t.Applications {
		for column, name := range header {
			record[column] = t.cell(&t.Applications[i], name)
		}
		err = errors.Join(err, w.Write(record))
	}
	w.Flush()
	if err := errors.Join(err, w.Error()); err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	return nil
}

func (t *Trace) cell(app *Application, column string) string {
	switch column {
	case columnID:
		return app.ID
	case columnQueue:
		return app.Queue
	case columnUser:
		return app.User
	case columnSubmit:
		if !t.Begin.IsZero() {
			return t.Begin.Add(app.Submit).Format(time.RFC3339Nano)
		}
		return seconds(app.Submit)
	case columnDriverCPU:
		return quantity("cpu", app.Driver.CPU)
	case columnDriverMemory:
		return quantity("memory", app.Driver.Memory)
	case columnExecutorCPU:
		return quantity("cpu", app.Executor.CPU)
	case columnExecutorMemory:
		return quantity("memory", app.Executor.Memory)
	case columnGPUs:
		return whole(app.Executor.GPUs)
	case columnMinimum:
		return whole(app.Minimum)
	case columnMaximum:
		return whole(app.Maximum)
	case columnPriority:
		if app.Priority != nil {
			return whole(int64(*app.Priority))
		}
	case columnWork:
		if !app.Fixed {
			return seconds(app.Work)
		}
	case columnDuration:
		if app.Fixed {
			return seconds(app.Work / time.Duration(app.Minimum))
		}
	case columnMaxRunTime:
		if app.MaxRunTime > 0 {
			return seconds(app.MaxRunTime)
		}
	}
	return ""
}

func quantity(name string, amount int64) string {
	q := queuetree.Quantity(name, amount)
	return q.String()
}

func seconds(span time.Duration) string { return strconv.FormatFloat(span.Seconds(), 'f', -1, 64) }
func whole(n int64) string              { return strconv.FormatInt(n, 10) }
