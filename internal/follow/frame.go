package follow

import (
	"fmt"
	"strings"
	"time"
)

// A block that is higher than the terminal cannot be redrawn; these bound it.
const (
	maxJobs   = 3
	maxStages = 5
	barWidth  = 24
)

// frame renders the block that is redrawn on a terminal: the state, the executors and the stages of this moment.
func frame(m *model, elapsed time.Duration, now time.Time) []line {
	if !m.app.seen || m.app.state.Ended() {
		return nil
	}
	block := []line{{text: headline(m, elapsed), tone: strong}}
	if !m.running() {
		return block
	}
	for _, job := range m.spark.jobs[:min(len(m.spark.jobs), maxJobs)] {
		text := fmt.Sprintf("  job %d  %s  %d of %d stages done", job.id, job.name, job.done, job.stages)
		block = append(block, line{text: text, tone: faint})
	}
	for _, stage := range m.spark.stages[:min(len(m.spark.stages), maxStages)] {
		text := fmt.Sprintf("  stage %-4d %s %s", stage.id, stage.bar(), stage.figures(now))
		block = append(block, line{text: text})
	}
	if more := len(m.spark.stages) - maxStages; more > 0 {
		block = append(block, line{text: fmt.Sprintf("  and %d more stages", more), tone: faint})
	}
	return block
}

func headline(m *model, elapsed time.Duration) string {
	state := string(m.app.state)
	if state == "" {
		state = "new"
	}
	parts := []string{fmt.Sprintf("%s  %s", state, short(elapsed))}
	if m.app.attempt > 1 {
		parts = append(parts, fmt.Sprintf("attempt %d", m.app.attempt))
	}
	if m.running() {
		parts = append(parts, fmt.Sprintf("executors %d/%d", m.executors.running, m.wanted()))
	}
	if m.running() && m.spark.polled {
		parts = append(parts, fmt.Sprintf("tasks %d running, %d done", m.spark.active, m.spark.done))
	}
	if m.running() && m.spark.failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", m.spark.failed))
	}
	if m.contact.lost != "" {
		parts = append(parts, "cluster not in reach")
	}
	return strings.Join(parts, "  │  ")
}

// bar draws how much is done, and how much is being done.
func (s stage) bar() string {
	total := max(s.tasks, 1)
	done := barWidth * min(s.done, total) / total
	active := barWidth*min(s.done+s.active, total)/total - done
	return strings.Repeat("━", done) + strings.Repeat("╍", active) + strings.Repeat("─", barWidth-done-active)
}
