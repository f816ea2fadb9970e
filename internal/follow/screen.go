package follow

import (
	"fmt"
	"strings"
	"time"

	"brazier.sh/brazier/internal/terminal"
)

// screen is where the narrator's lines, the driver's log and the block meet: the block stays below everything else.
type screen struct {
	streams     terminal.Streams
	interactive bool
	colour      bool
	drawn       int
}

func newScreen(streams terminal.Streams) *screen {
	return &screen{streams: streams, interactive: streams.Interactive(), colour: streams.Colour()}
}

// tell appends what has happened, elapsed after the beginning.
func (s *screen) tell(lines []line, elapsed time.Duration) {
	for _, line := range lines {
		if line.live && s.interactive {
			continue
		}
		s.erase()
		text := fmt.Sprintf("%7s  %-13s %s", short(elapsed), line.subject, line.text)
		fmt.Fprintln(s.streams.Err, s.paint(strings.TrimRight(text, " "), line.tone))
	}
}

// quote appends lines of somebody else's, set off from the narrator's.
func (s *screen) quote(lines []string) {
	s.erase()
	for _, text := range lines {
		fmt.Fprintln(s.streams.Err, s.paint("         │ "+strings.TrimRight(text, "\r\n"), faint))
	}
}

// log appends a line of the driver's log.
func (s *screen) log(text string) {
	s.erase()
	fmt.Fprintln(s.streams.Out, text)
}

// draw replaces the block; an empty one takes it away.
func (s *screen) draw(block []line) {
	if !s.interactive {
		return
	}
	width := s.streams.Width()
	var text strings.Builder
	text.WriteString(s.up())
	for _, line := range block {
		text.WriteString(s.paint(cut(line.text, width-1), line.tone))
		text.WriteByte('\n')
	}
	fmt.Fprint(s.streams.Err, text.String())
	s.drawn = len(block)
}

func (s *screen) erase() {
	fmt.Fprint(s.streams.Err, s.up())
	s.drawn = 0
}

// up moves to the block's first line and clears everything from there.
func (s *screen) up() string {
	if s.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", s.drawn)
}

// cut shortens text to width columns: a line that wraps cannot be redrawn.
func cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(width-1, 0)]) + "…"
}

func (s *screen) paint(text string, tone tone) string {
	if !s.colour {
		return text
	}
	return tone.Paint(text)
}
