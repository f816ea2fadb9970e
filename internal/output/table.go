package output

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Column is a column of a table of things of one kind.
type Column[T any] struct {
	// Header is the column's title.
	Header string
	// Wide columns are shown in the form Wide only.
	Wide bool
	// Cell is what the column says of a thing.
	Cell func(T) string
}

// Rows writes things as lines of a table: the title once, then a line for each, also for those that come later. A
// column gets wider when it has to, so that lines that follow each other for hours stay readable.
type Rows[T any] struct {
	columns []Column[T]
	out     io.Writer
	widths  []int
	titled  bool
}

// NewRows returns a table of the columns that the form shows.
func NewRows[T any](out io.Writer, form Form, columns []Column[T]) *Rows[T] {
	shown := slices.DeleteFunc(slices.Clone(columns), func(c Column[T]) bool { return c.Wide && form != Wide })
	return &Rows[T]{columns: shown, out: out, widths: make([]int, len(shown))}
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
	var lines [][]string
	if !r.titled {
		r.titled = true
		title := make([]string, 0, len(r.columns))
		for _, column := range r.columns {
			title = append(title, column.Header)
		}
		lines = append(lines, title)
	}
	for _, thing := range things {
		lines = append(lines, r.Cells(thing))
	}
	for _, cells := range lines {
		for i, cell := range cells {
			r.widths[i] = max(r.widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range lines {
		r.line(cells)
	}
}

func (r *Rows[T]) line(cells []string) {
	var line strings.Builder
	for i, cell := range cells {
		if i > 0 {
			line.WriteString("  ")
		}
		line.WriteString(cell + strings.Repeat(" ", r.widths[i]-utf8.RuneCountInString(cell)))
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
