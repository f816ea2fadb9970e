package follow

import (
	"fmt"
	"strings"
	"time"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/terminal"
)

// progressEvery is how often the lines of a log say how far the stages are.
const progressEvery = 5 * time.Second

// neglectAfter is how long an application may stay new before somebody should look at the operator, which takes
// applications up in well under a second.
const neglectAfter = 10 * time.Second

// fewerAfter is how long executors have to be fewer before it is said.
const fewerAfter = 5 * time.Second

// tone is how a line is coloured, where colours are wanted.
type tone = terminal.Tone

const (
	strong = terminal.Strong
	faint  = terminal.Faint
	good   = terminal.Good
	bad    = terminal.Bad
)

// line is one thing that has happened.
type line struct {
	subject, text string
	tone          tone
	// live says that the block shows it too, so that only a log needs the line.
	live bool
}

// narrator tells what changes, each change once. It remembers what it has said, not what it was told, so that a watch
// that begins anew repeats nothing.
type narrator struct {
	state     v1beta2.ApplicationStateType
	attempt   int
	begun     bool
	waited    map[string]bool
	driver    string
	running   int
	wanted    int
	fewer     time.Time
	starved   map[string]bool
	lost      string
	blind     string
	failed    map[string]bool
	progress  time.Time
	figures   map[string]string
	fresh     time.Time
	neglected bool
}

// tell returns what is new in m.
func (n *narrator) tell(m *model, now time.Time) []line {
	var lines []line
	lines = append(lines, n.tellContact(m)...)
	lines = append(lines, n.tellState(m)...)
	lines = append(lines, n.tellNeglect(m, now)...)
	lines = append(lines, n.tellDriver(m)...)
	lines = append(lines, n.tellExecutors(m, now)...)
	return append(lines, n.tellProgress(m, now)...)
}

func (n *narrator) tellContact(m *model) []line {
	var lines []line
	if n.blind != m.contact.blind {
		n.blind = m.contact.blind
		lines = append(lines, line{subject: "pods", text: "not shown: " + n.blind})
	}
	if n.lost == m.contact.lost || n.lost != "" && m.contact.lost != "" {
		return lines
	}
	n.lost = m.contact.lost
	if n.lost == "" {
		return append(lines, line{subject: "cluster", text: "reached again"})
	}
	return append(lines, line{subject: "cluster", text: "cannot be reached, trying again: " + n.lost, tone: bad})
}

func (n *narrator) tellState(m *model) []line {
	attempt := max(m.app.attempt, 1) // It is counted only once the first one has been submitted.
	if !m.app.seen || n.begun && n.state == m.app.state && n.attempt == attempt {
		return nil
	}
	state := line{subject: string(m.app.state)}
	switch m.app.state {
	case v1beta2.ApplicationStateNew, v1beta2.ApplicationStateSucceeding, v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateSuspending:
		return nil // What comes of it is said in a moment.
	case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning:
		if m.app.attempt > 1 {
			state.text = fmt.Sprintf("attempt %d", m.app.attempt)
		}
	case v1beta2.ApplicationStateCompleted:
		state.tone = good
	case v1beta2.ApplicationStateFailed:
		state.text, state.tone = m.app.message, bad
	case v1beta2.ApplicationStatePendingRerun:
		state.text, state.tone = fmt.Sprintf("attempt %d has ended, the next follows: %s", m.app.attempt, m.app.message), bad
	case v1beta2.ApplicationStateFailedSubmission:
		state.text, state.tone = m.app.message, bad
	case v1beta2.ApplicationStateInvalidating:
		state.text = "the specification has changed; the run is stopped and begun anew"
	case v1beta2.ApplicationStateSuspended:
		state.text = "it waits until spec.suspend is false again"
	case v1beta2.ApplicationStateUnknown:
		state.text = "the driver's node cannot be reached"
	}
	n.state, n.attempt, n.begun = m.app.state, attempt, true
	state.text = strings.TrimSuffix(state.text, ": ")
	return []line{state}
}

// tellNeglect says, once, when nobody takes the application up: most often there is no operator.
func (n *narrator) tellNeglect(m *model, now time.Time) []line {
	if !m.app.seen || m.app.state != v1beta2.ApplicationStateNew {
		return nil
	}
	if n.fresh.IsZero() {
		n.fresh = now
	}
	if n.neglected || now.Sub(n.fresh) < neglectAfter {
		return nil
	}
	n.neglected = true
	return []line{{
		subject: "operator", tone: bad,
		text: "has not answered yet; see whether it runs: kubectl --namespace brazier-system get pods",
	}}
}

func (n *narrator) tellDriver(m *model) []line {
	var lines []line
	waiting := m.driver.waiting
	if waiting == "" && m.app.state == v1beta2.ApplicationStateSubmitted && !m.driver.started {
		waiting = m.app.waiting
	}
	// A pod goes to and fro between reasons, such as ErrImagePull and ImagePullBackOff.
	if key := string(m.driver.uid) + waiting; waiting != "" && !n.waited[key] {
		n.waited = remember(n.waited, key)
		lines = append(lines, line{subject: "driver", text: "waits: " + waiting})
	}
	if key := string(m.driver.uid); m.driver.started && n.driver != key {
		n.driver, n.running, n.wanted = key, 0, 0
		lines = append(lines, line{subject: "driver", text: "started: pod " + m.driver.pod})
	}
	return lines
}

func (n *narrator) tellExecutors(m *model, now time.Time) []line {
	var lines []line
	for _, failure := range m.executors.failed {
		if n.failed[failure.pod] {
			continue
		}
		n.failed = remember(n.failed, failure.pod)
		lines = append(lines, line{subject: "executor", text: failure.pod + " has failed: " + failure.why, tone: bad})
	}
	if key := string(m.driver.uid) + m.executors.waiting; m.executors.waiting != "" && !n.starved[key] {
		n.starved = remember(n.starved, key)
		lines = append(lines, line{subject: "executors", text: "wait: " + m.executors.waiting})
	}
	// When the driver has ended its executors go; that is no news.
	if !m.running() {
		return lines
	}
	return append(lines, n.tellCount(m, now)...)
}

// tellCount says how many executors run. That they become fewer is said after a while only: most often the driver lets
// them go because it is about to end.
func (n *narrator) tellCount(m *model, now time.Time) []line {
	running, wanted := m.executors.running, m.wanted()
	if running >= n.running {
		n.fewer = time.Time{}
	} else if n.fewer.IsZero() {
		n.fewer = now
	}
	if running == n.running && (wanted == n.wanted || running == 0) || running < n.running && now.Sub(n.fewer) < fewerAfter {
		return nil
	}
	n.running, n.wanted, n.fewer = running, wanted, time.Time{}
	return []line{{subject: "executors", text: fmt.Sprintf("%d of %d running", running, wanted), live: true}}
}

func remember(said map[string]bool, key string) map[string]bool {
	if said == nil {
		said = map[string]bool{}
	}
	said[key] = true
	return said
}

func (n *narrator) tellProgress(m *model, now time.Time) []line {
	if !m.running() || len(m.spark.stages) == 0 || now.Sub(n.progress) < progressEvery {
		return nil
	}
	first := n.progress.IsZero()
	n.progress = now
	if first {
		return nil // A stage that has only begun says nothing yet.
	}
	var lines []line
	said := map[string]string{}
	for _, stage := range m.spark.stages[:min(len(m.spark.stages), maxStages)] {
		subject := fmt.Sprintf("stage %d", stage.id)
		said[subject] = fmt.Sprintf("%s: %s", stage.name, stage.figures(now))
		if said[subject] != n.figures[subject] {
			lines = append(lines, line{subject: subject, text: said[subject], live: true})
		}
	}
	n.figures = said
	return lines
}

// figures renders, for example, "120/200 tasks, 12/s, 7s left".
func (s stage) figures(now time.Time) string {
	text := fmt.Sprintf("%d/%d tasks", s.done, s.tasks)
	if rate, left := s.rate(now); rate > 0 {
		text += fmt.Sprintf(", %s/s", count(rate))
		if s.done < s.tasks {
			text += fmt.Sprintf(", %s left", short(left))
		}
	}
	if s.failed > 0 {
		text += fmt.Sprintf(", %d failed", s.failed)
	}
	return text
}

func count(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.0f", n)
}

func short(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
