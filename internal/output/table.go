package output

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"brazier.sh/brazier/internal/terminal"
)

// Column is a column of a table of things of one kind.
type Column[T any] struct {
	// Header is the column's title.
	Header string
	// Wide columns are shown in the form Wide only.
	Wide bool
	// Cell is what the column says of a thing.
	Cell func(T) string
	// Tone sets the cell off from others, where colours are wanted; without it none is.
	Tone func(T) terminal.Tone
}

// Rows writes things as lines of a table: the title once, then a line for each, also for those that come later. A
// column gets wider when it has to, so that lines that follow each other for hours stay readable.
type Rows[T any] struct {
	columns []Column[T]
	out     io.Writer
	widths  []int
	titled  bool
	colour  bool
}

// NewRows returns a table on streams.Out of the columns that the form shows.
func NewRows[T any](streams terminal.Streams, form Form, columns []Column[T]) *Rows[T] {
	shown := slices.DeleteFunc(slices.Clone(columns), func(c Column[T]) bool { return c.Wide && form != Wide })
	return &Rows[T]{columns: shown, out: streams.Out, widths: make([]int, len(shown)), colour: streams.ColourOut()}
}

// Cells are what the table shows of a thing.
func (r *Rows[T]) Cells(thing T) []string {
	cells := make([]string, 0, len(r.columns))
	for _, column := range r.columns {
		cells = append(cells, cmp.Or(column.Cell(thing), "-"))
	}
	return cells
}

// Print writes a line for each of things.
func (r *Rows[T]) Print(things ...T) {
	titles := make([]string, 0, len(r.columns))
	for _, column := range r.columns {
		titles = append(titles, column.Header)
	}
	var lines [][]string
	for _, thing := range things {
		lines = append(lines, r.Cells(thing))
	}
	if !r.titled {
		r.widen(titles)
	}
	for _, cells := range lines {
		r.widen(cells)
	}
	if !r.titled {
		r.titled = true
		r.line(titles, nil)
	}
	for i, cells := range lines {
		r.line(cells, r.tones(things[i]))
	}
}

func (r *Rows[T]) widen(cells []string) {
	for i, cell := range cells {
		r.widths[i] = max(r.widths[i], utf8.RuneCountInString(cell))
	}
}

// tones are those of a thing's cells; nil where colours are not wanted.
func (r *Rows[T]) tones(thing T) []terminal.Tone {
	if !r.colour {
		return nil
	}
	tones := make([]terminal.Tone, len(r.columns))
	for i, column := range r.columns {
		if column.Tone != nil {
			tones[i] = column.Tone(thing)
		}
	}
	return tones
}

func (r *Rows[T]) line(cells []string, tones []terminal.Tone) {
	var line strings.Builder
	for i, cell := range cells {
		if i > 0 {
			line.WriteString("  ")
		}
		pad := strings.Repeat(" ", r.widths[i]-utf8.RuneCountInString(cell))
		if tones != nil {
			cell = tones[i].Paint(cell)
		}
		line.WriteString(cell + pad)
	}
	fmt.Fprintln(r.out, strings.TrimRight(line.String(), " "))
}

// Cut shortens text to so many characters, and its first line.
func Cut(text string, limit int) string {
	text, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	runes := []rune(strings.TrimSpace(text))
	if len(runes) > limit {
		return string(runes[:max(limit-1, 0)]) + "…"
	}
	if rest != "" {
		return string(runes) + " …"
	}
	return string(runes)
}
