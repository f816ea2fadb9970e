package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Unit is what Progress counts.
type Unit int

const (
	// Items are counted one by one.
	Items Unit = iota
	// Bytes are shown as MB.
	Bytes
)

const (
	redrawEvery = 100 * time.Millisecond
	// appendEvery is how often a long step says where it is when lines cannot be redrawn, as in a CI log.
	appendEvery = 15 * time.Second
)

// Step is one thing that the user is told about: begun, perhaps in progress for a while, then done or failed.
// It may be used by several goroutines. The zero value is not usable; Streams.Step makes one.
type Step struct {
	mu          sync.Mutex
	out         io.Writer
	interactive bool
	width       int
	name        string
	begun       time.Time
	drawn       time.Time
	ended       bool
}

// Step begins a step: on a terminal its line is redrawn until the step ends, elsewhere lines are appended.
func (s Streams) Step(format string, args ...any) *Step {
	now := time.Now()
	step := &Step{
		out: s.Err, interactive: s.Interactive(), width: s.Width(),
		name: fmt.Sprintf(format, args...), begun: now, drawn: now,
	}
	step.draw("•", "", false)
	return step
}

// Progress says how much of the step is done, with its rate and the time left when total is known (above 0).
func (st *Step) Progress(done, total int64, unit Unit) {
	st.mu.Lock()
	defer st.mu.Unlock()
	every := appendEvery
	if st.interactive {
		every = redrawEvery
	}
	if st.ended || time.Since(st.drawn) < every {
		return
	}
	st.drawn = time.Now()
	st.draw("•", progress(done, total, unit, time.Since(st.begun)), false)
}

// Done ends the step well, with a note if there is something worth saying.
func (st *Step) Done(format string, args ...any) {
	st.end("✓", fmt.Sprintf(format, args...))
}

// Fail ends the step with the error that ended it.
func (st *Step) Fail(err error) {
	st.end("✗", err.Error())
}

func (st *Step) end(mark, note string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.ended {
		return
	}
	st.ended = true
	tail := short(time.Since(st.begun))
	if note != "" {
		tail += "  " + note
	}
	st.draw(mark, tail, true)
}

// draw writes the step's line; last is its final one. A redrawn line is cut to the terminal's width, since a line
// that wraps cannot be redrawn.
func (st *Step) draw(mark, tail string, last bool) {
	line := mark + " " + st.name
	if tail != "" {
		line += "  " + tail
	}
	if !st.interactive {
		fmt.Fprintln(st.out, line)
		return
	}
	if runes := []rune(line); !last && len(runes) >= st.width {
		line = string(runes[:max(st.width-1, 0)])
	}
	line = "\r\x1b[K" + line
	if last {
		line += "\n"
	}
	fmt.Fprint(st.out, line)
}

// progress renders, for example, "42% of 491 MB, 12 MB/s, 24s left".
func progress(done, total int64, unit Unit, elapsed time.Duration) string {
	var parts []string
	if total > 0 {
		parts = append(parts, fmt.Sprintf("%d%% of %s", 100*done/total, unit.Format(float64(total))))
	} else {
		parts = append(parts, unit.Format(float64(done)))
	}
	if rate := float64(done) / elapsed.Seconds(); rate > 0 && elapsed > 0 {
		parts = append(parts, unit.Format(rate)+"/s")
		if total > done {
			left := time.Duration(float64(total-done) / rate * float64(time.Second))
			parts = append(parts, short(left)+" left")
		}
	}
	return strings.Join(parts, ", ")
}

// Format writes an amount for people to read: 12 kB, 491 MB.
func (u Unit) Format(n float64) string {
	switch {
	case u == Items:
		return fmt.Sprintf("%.0f", n)
	case n < 1e3:
		return fmt.Sprintf("%.0f B", n)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", n/1e3)
	default:
		return fmt.Sprintf("%.0f MB", n/1e6)
	}
}

func short(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
