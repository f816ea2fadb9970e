package simulation

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Trace is what came, and when.
type Trace struct {
	// Begin is the time of the first application, where the trace has times of day.
	Begin        time.Time
	Applications []Application
}

// Application is one that came.
type Application struct {
	ID, Queue, User string
	// Submit is when it came, from the first application of the trace on.
	Submit time.Duration
	// Driver and Executor are the sizes of its pods.
	Driver, Executor Pod
	// Minimum and Maximum are with how many executors it can begin, and how many it wants.
	Minimum, Maximum int64
	// Work is how long it would take with one executor.
	Work time.Duration
	// Fixed says that the trace gave its duration: it has as many executors as it begins with.
	Fixed bool
	// Priority is what it said; nil is nothing.
	Priority *int32
	// MaxRunTime is how long it has declared to run at most; 0 is that it has not.
	MaxRunTime time.Duration
	// Line is where in the trace it is.
	Line int
}

// Pod is what a pod requests: CPU in thousandths, memory in bytes, and GPUs.
type Pod struct{ CPU, Memory, GPUs int64 }

// The columns of a trace.
const (
	columnID             = "id"
	columnQueue          = "queue"
	columnUser           = "user"
	columnSubmit         = "submit"
	columnDriverCPU      = "driver_cpu"
	columnDriverMemory   = "driver_memory"
	columnExecutorCPU    = "executor_cpu"
	columnExecutorMemory = "executor_memory"
	columnGPUs           = "gpus"
	columnMinimum        = "executors_minimum"
	columnMaximum        = "executors_maximum"
	columnWork           = "work"
	columnDuration       = "duration"
	columnPriority       = "priority"
	columnMaxRunTime     = "max_run_time"
)

// required are the columns that a trace has to have; it needs work or duration as well.
var required = []string{
	columnID, columnQueue, columnSubmit, columnDriverCPU, columnDriverMemory, columnExecutorCPU, columnExecutorMemory, columnMinimum,
}

// optional are those that it may have.
var optional = []string{columnUser, columnGPUs, columnMaximum, columnWork, columnDuration, columnPriority, columnMaxRunTime}

// Bounds that keep sums within 64 bits: beyond them a number is a slip of the pen.
const (
	mostTime      = 10 * 365 * 24 * time.Hour
	mostExecutors = 100_000
	// mostErrors is how many errors are listed before the rest is left out.
	mostErrors = 10
)

// ReadTrace reads a trace: a table of comma-separated values whose first line names the columns, in any order. Lines that
// begin with # are left out. What is wrong is listed by line and column.
func ReadTrace(in io.Reader) (*Trace, error) {
	reader := newReader(in)
	header, err := reader.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the trace is empty; its first line names the columns: %s", strings.Join(required, ","))
		}
		return nil, fmt.Errorf("read the trace's first line: %w", err)
	}
	columns, err := columnsOf(header)
	if err != nil {
		return nil, err
	}
	r := rows{columns: columns, ids: map[string]int{}}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("read the trace: %w", err))
			break
		}
		r.line, _ = reader.FieldPos(0)
		r.read(record)
		if len(r.errs) >= mostErrors {
			r.errs = append(r.errs[:mostErrors], errors.New("and maybe more; the rest of the trace was not read"))
			break
		}
	}
	if err := errors.Join(r.errs...); err != nil {
		return nil, err
	}
	return r.trace()
}

func newReader(in io.Reader) *csv.Reader {
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // it was peeked at, so it is there
	}
	reader := csv.NewReader(buffered)
	reader.Comment, reader.FieldsPerRecord, reader.ReuseRecord, reader.TrimLeadingSpace = '#', -1, true, true
	return reader
}

// columnsOf says in which place each column is.
func columnsOf(header []string) (map[string]int, error) {
	columns := map[string]int{}
	known := slices.Concat(required, optional)
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("line 1: %q is not a column of a trace; write some of %s", header[i], strings.Join(known, ", "))
		}
		if _, twice := columns[name]; twice {
			return nil, fmt.Errorf("line 1: the column %q is there twice; leave one out", header[i])
		}
		columns[name] = i
	}
	for _, name := range required {
		if _, ok := columns[name]; !ok {
			return nil, fmt.Errorf("line 1: the column %q is missing; a trace has %s, and %s or %s", name, strings.Join(required, ", "), columnWork, columnDuration)
		}
	}
	_, work := columns[columnWork]
	_, duration := columns[columnDuration]
	if !work && !duration {
		return nil, fmt.Errorf("line 1: there is neither a column %q (executor-seconds) nor %q; one of them says when an application ends", columnWork, columnDuration)
	}
	return columns, nil
}

// rows reads line by line.
type rows struct {
	columns map[string]int
	record  []string
	line    int
	ids     map[string]int
	errs    []error
	apps    []Application
	// submits are times of day, or since a beginning; origin says which.
	submits []time.Time
	origin  string
}

func (r *rows) read(record []string) {
	before := len(r.errs)
	r.record = record
	if len(record) != len(r.columns) {
		r.errs = append(r.errs, fmt.Errorf("line %d: %d fields where the first line names %d columns", r.line, len(record), len(r.columns)))
		return
	}
	app := Application{
		ID: r.id(), Queue: r.text(columnQueue), User: r.cell(columnUser), Line: r.line,
		Driver:   Pod{CPU: r.amount(columnDriverCPU, "cpu"), Memory: r.amount(columnDriverMemory, "memory")},
		Executor: Pod{CPU: r.amount(columnExecutorCPU, "cpu"), Memory: r.amount(columnExecutorMemory, "memory"), GPUs: r.count(columnGPUs, 0, 0)},
		Minimum:  r.count(columnMinimum, 1, 1), Priority: r.priority(), MaxRunTime: r.time(columnMaxRunTime),
	}
	app.Maximum = r.count(columnMaximum, app.Minimum, app.Minimum)
	submit := r.submit()
	r.work(&app)
	if len(r.errs) > before {
		return
	}
	r.ids[app.ID] = r.line
	r.apps, r.submits = append(r.apps, app), append(r.submits, submit)
}

// trace puts the applications in order.
func (r *rows) trace() (*Trace, error) {
	if len(r.apps) == 0 {
		return nil, errors.New("the trace has no applications below its first line")
	}
	first := slices.MinFunc(r.submits, time.Time.Compare)
	trace := &Trace{Applications: r.apps}
	if r.origin != "seconds" {
		trace.Begin = first
	}
	for i := range r.apps {
		r.apps[i].Submit = r.submits[i].Sub(first)
		if r.apps[i].Submit > mostTime {
			return nil, fmt.Errorf("line %d, %s: is more than ten years after the first application; is it a slip of the pen?", r.apps[i].Line, columnSubmit)
		}
	}
	sortByTime(trace.Applications)
	return trace, nil
}

// sortByTime puts applications into the order in which they came, and those of one time in that of the trace.
func sortByTime(apps []Application) {
	slices.SortStableFunc(apps, func(a, b Application) int { return int(min(max(a.Submit-b.Submit, -1), 1)) })
}
