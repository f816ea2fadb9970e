package why

import (
	"fmt"
	"strings"
	"time"

	"github.com/mitchellh/go-wordwrap"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/scene"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// few is how much evidence of a cause is shown unless all is asked for; of one that is waited for more, since it is told
	// node by node.
	few, fewWaiting = 4, 10
	// narrowest is the width below which lines are not wrapped any further.
	narrowest = 40
)

// writer puts a scene and its causes into words for a person.
type writer struct {
	width  int
	colour bool
	zone   *time.Location
	all    bool
	// command is a command line of this program's for the user to copy.
	command func(verb string, args ...string) string

	out strings.Builder
}

// text is the whole answer.
func (w *writer) text(s *scene.Scene, causes []v1alpha1.Cause) string {
	w.wrap(0, terminal.Strong, headline(s, causes))
	switch {
	case len(causes) > 0:
		w.causes(s, causes)
	case completed(s):
	case s.Case.Ended || s.Case.Application == nil:
		w.unknown(s)
	default:
		w.doing(s)
	}
	w.unread(s)
	w.otherRuns(s)
	return w.out.String()
}

// causes writes those that follow from nothing, each with its consequences below it.
func (w *writer) causes(s *scene.Scene, causes []v1alpha1.Cause) {
	number := 0
	for i, cause := range causes {
		if cause.Follows != "" {
			continue
		}
		number++
		w.line(0, terminal.Plain, "")
		w.cause(s, fmt.Sprintf("%d. ", number), cause)
		w.consequences(s, number, following(causes[i+1:]))
	}
}

// following are the causes up to the next one that follows from nothing.
func following(causes []v1alpha1.Cause) []v1alpha1.Cause {
	for i, cause := range causes {
		if cause.Follows == "" {
			return causes[:i]
		}
	}
	return causes
}

// consequences are folded into a line each, unless all is asked for.
func (w *writer) consequences(s *scene.Scene, number int, causes []v1alpha1.Cause) {
	if len(causes) == 0 {
		return
	}
	if w.all {
		for i, cause := range causes {
			w.line(0, terminal.Plain, "")
			w.cause(s, fmt.Sprintf("%d.%d. In consequence: ", number, i+1), cause)
		}
		return
	}
	w.line(3, terminal.Plain, "in consequence (--all shows more)")
	for _, cause := range causes {
		w.item(5, "- ", cause.Why)
	}
}

func (w *writer) cause(s *scene.Scene, number string, cause v1alpha1.Cause) {
	w.block(0, number, terminal.Bad, cause.Why)
	w.wrap(3, terminal.Faint, fmt.Sprintf("%s, confidence %s; %s", cause.Code, cause.Confidence, again(cause)))
	if len(cause.Evidence) > 0 {
		w.line(3, terminal.Plain, "because")
	}
	shown, limit := cause.Evidence, few
	if cause.Waiting {
		limit = fewWaiting
	}
	if !w.all && len(shown) > limit+1 {
		shown = shown[:limit]
	}
	for _, proof := range shown {
		w.proof(s, proof)
	}
	if more := len(cause.Evidence) - len(shown); more > 0 {
		w.line(5, terminal.Faint, fmt.Sprintf("and %d more (--all shows them)", more))
	}
	for _, fix := range cause.Fixes {
		w.fix(fix)
	}
}

// again says whether it would help to do nothing but try again, or to wait.
func again(cause v1alpha1.Cause) string {
	switch {
	case cause.Waiting && cause.Transient:
		return "it may pass by itself"
	case cause.Waiting:
		return "it does not pass by itself"
	case cause.Transient:
		return "another attempt may well succeed"
	}
	return "another attempt would fail the same way"
}

// proof is shown verbatim below where it was said, and when.
func (w *writer) proof(s *scene.Scene, proof v1alpha1.Proof) {
	where := proof.Object
	if proof.Field != "" {
		where += "  " + proof.Field
	}
	if proof.At != nil && !proof.At.IsZero() {
		where += "  " + clock(proof.At.Time, s.Case.Now, w.zone)
	}
	w.wrap(5, terminal.Faint, where)
	for text := range strings.Lines(proof.Text) {
		w.wrap(7, terminal.Plain, strings.TrimRight(text, "\r\n"))
	}
}

// fix is written so that its command or its change can be copied: those are never wrapped.
func (w *writer) fix(fix v1alpha1.Fix) {
	w.item(3, "fix ["+string(fix.Risk)+"] ", fix.Say)
	if fix.Command != "" {
		w.line(7, terminal.Good, fix.Command)
	}
	if fix.Change == "" {
		return
	}
	for text := range strings.Lines(fix.Change) {
		w.line(7, terminal.Good, strings.TrimRight(text, "\r\n"))
	}
}

// unread says what there may be to see for somebody with more rights, or a second time.
func (w *writer) unread(s *scene.Scene) {
	if unread := s.Case.Cluster.Unread; len(unread) > 0 {
		w.line(0, terminal.Plain, "")
		w.wrap(0, terminal.Faint, "Not read: "+strings.Join(unread, "; ")+".")
	}
}

// otherRuns names the runs that can be asked for.
func (w *writer) otherRuns(s *scene.Scene) {
	var others []int64
	for _, run := range s.Runs {
		if run != s.Run {
			others = append(others, run)
		}
	}
	if len(others) == 0 {
		return
	}
	runs := "run " + scene.List(others)
	if len(others) > 1 {
		runs = "runs " + scene.List(others)
	}
	w.line(0, terminal.Plain, "")
	w.wrap(0, terminal.Faint, fmt.Sprintf("Of %s something is known as well:", runs))
	w.line(2, terminal.Faint, w.command("why", s.Case.Name, "--attempt", fmt.Sprint(others[len(others)-1])))
}

// item writes text behind a mark, and below the text what does not fit the line.
func (w *writer) item(indent int, mark, text string) {
	w.block(indent, mark, terminal.Plain, text)
}

// wrap writes text, by words, within the width.
func (w *writer) wrap(indent int, t terminal.Tone, text string) {
	w.block(indent, "", t, text)
}

func (w *writer) block(indent int, mark string, t terminal.Tone, text string) {
	width := max(w.width-indent-len(mark), narrowest)
	for line := range strings.Lines(wordwrap.WrapString(text, uint(width))) {
		w.line(indent, t, mark+strings.TrimRight(line, " \n"))
		mark = strings.Repeat(" ", len(mark))
	}
}

// line writes text as it is.
func (w *writer) line(indent int, t terminal.Tone, text string) {
	if text != "" {
		w.out.WriteString(strings.Repeat(" ", indent) + w.paint(t, text))
	}
	w.out.WriteByte('\n')
}

func (w *writer) paint(t terminal.Tone, text string) string {
	if !w.colour {
		return text
	}
	return t.Paint(text)
}
