package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Tone is how a text is set off from others, where colours are wanted.
type Tone int

// The tones that there are.
const (
	Plain Tone = iota
	Strong
	Faint
	Good
	Bad
)

// Paint returns text with the codes of the tone around it.
func (t Tone) Paint(text string) string {
	code := ""
	switch t {
	case Strong:
		code = "1"
	case Faint:
		code = "2"
	case Good:
		code = "32"
	case Bad:
		code = "31"
	default:
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// PaintNth returns text in a colour of its own for each small n, so that many sources of lines can be told apart.
func PaintNth(n int, text string) string {
	colours := [...]string{"36", "33", "35", "32", "34", "96", "93", "95", "92", "94"}
	return "\x1b[" + colours[n%len(colours)] + "m" + text + "\x1b[0m"
}

// ColourOut reports whether colours are wanted on Out: on a terminal that can show them, unless NO_COLOR is set (see
// no-color.org).
func (s Streams) ColourOut() bool {
	return isTerminal(s.Out) && os.Getenv("NO_COLOR") == ""
}

// isTerminal reports whether w is a terminal that understands more than lines.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
}
