package applog

import (
	"fmt"
	"io"
	"strings"
	"time"

	"brazier.sh/brazier/internal/terminal"
)

// Printer writes lines for people, or for programs that read logs.
type Printer struct {
	// Out is where they are written.
	Out io.Writer
	// Names puts the log's name before each line.
	Names bool
	// Colour gives each log a colour of its own.
	Colour bool
	// Timestamps puts the line's time before it.
	Timestamps bool

	width   int
	colours map[string]int
}

// Print writes a line.
func (p *Printer) Print(line Line) {
	var text strings.Builder
	if p.Names {
		p.width = max(p.width, len(line.From.Name), len("executor 1"))
		prefix := line.From.Name + strings.Repeat(" ", p.width-len(line.From.Name)) + " │"
		if p.Colour {
			prefix = terminal.PaintNth(p.colour(line.From.Name), prefix)
		}
		text.WriteString(prefix + " ")
	}
	if p.Timestamps && !line.At.IsZero() {
		text.WriteString(line.At.UTC().Format(time.RFC3339Nano) + " ")
	}
	fmt.Fprintln(p.Out, text.String()+line.Text)
}

func (p *Printer) colour(name string) int {
	if p.colours == nil {
		p.colours = map[string]int{}
	}
	n, known := p.colours[name]
	if !known {
		n = len(p.colours)
		p.colours[name] = n
	}
	return n
}
