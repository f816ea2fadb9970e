// Package terminal is how Brazier talks to the person in front of it: streams, steps with progress, and tables.
// Results go to Out, so that they can be piped; progress goes to Err. It knows nothing of Kubernetes or Spark.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// defaultWidth is assumed where the terminal does not tell its width.
const defaultWidth = 100

// Streams are the three standard streams of a command. Results go to Out, progress and errors to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// System returns the streams of this process.
func System() Streams {
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
}

// Interactive reports whether Err is a terminal on which lines can be redrawn.
func (s Streams) Interactive() bool {
	return isTerminal(s.Err)
}

// Colour reports whether colours are wanted: on a terminal, unless NO_COLOR is set (see no-color.org).
func (s Streams) Colour() bool {
	return s.Interactive() && os.Getenv("NO_COLOR") == ""
}

// Width returns the columns of the terminal, or a usual width where there is none.
func (s Streams) Width() int {
	if file, ok := s.Err.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return defaultWidth
}

// Table writes aligned columns to Out. Cells that read as numbers are aligned to the right.
func (s Streams) Table(header []string, rows [][]string) {
	widths := make([]int, len(header))
	numeric := make([]bool, len(header))
	for i, cell := range header {
		widths[i] = utf8.RuneCountInString(cell)
		numeric[i] = len(rows) > 0
	}
	for _, row := range rows {
		for i, cell := range row[:min(len(row), len(header))] {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			numeric[i] = numeric[i] && isNumber(cell)
		}
	}
	s.row(header, widths, numeric)
	for _, row := range rows {
		s.row(row, widths, numeric)
	}
}

func (s Streams) row(cells []string, widths []int, numeric []bool) {
	var line strings.Builder
	for i, cell := range cells[:min(len(cells), len(widths))] {
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if i > 0 {
			line.WriteString("  ")
		}
		if numeric[i] {
			line.WriteString(pad + cell)
		} else {
			line.WriteString(cell + pad)
		}
	}
	fmt.Fprintln(s.Out, strings.TrimRight(line.String(), " "))
}

func isNumber(cell string) bool {
	return cell != "" && strings.Trim(cell, "0123456789.,+-%") == ""
}
