// Package invoices writes the invoice lines of a shop that does not exist: a year of customers who come, return and
// leave, seasons and weekdays, products that are bought together, returned goods, and the bad rows that every real
// export has. The same options write the same bytes on every machine, and the report says exactly what was planted, so
// that whatever reads the lines can be checked against the truth.
//
// It is not a library of random data: it knows one shop and one file format, that of the online retail data sets.
package invoices

import (
	"bufio"
	"context"
	"fmt"
	"io"
)

// Header is the first line of the file, without its line break.
const Header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

// Version changes whenever the same options begin to write other bytes. It belongs into the name of whatever keeps them.
const Version = 1

// linesPerCustomer sets the size of the crowd that buys the lines.
const linesPerCustomer = 125

// Options say what to write.
type Options struct {
	// Lines is the number of data lines; the header comes on top.
	Lines int64
	// Seed decides everything else.
	Seed uint64
	// Progress, if set, is told the lines written so far, about once for each day of the shop's year.
	Progress func(lines int64)
}

// Generate writes a file of invoice lines, in the order of their time, and reports what it planted.
func Generate(ctx context.Context, w io.Writer, opts Options) (Report, error) {
	if opts.Lines < 1 {
		return Report{}, fmt.Errorf("lines: %d is too few; ask for 1 or more", opts.Lines)
	}
	g := newGenerator(w, opts)
	_, _ = g.out.WriteString(Header + "\n") // bufio keeps the first error for Flush
	g.report.Bytes = int64(len(Header) + 1)

	var weightSoFar, linesSoFar int64
	for number, d := range g.year.days {
		if err := ctx.Err(); err != nil {
			return Report{}, fmt.Errorf("generate invoices: %w", context.Cause(ctx))
		}
		weightSoFar += d.weight
		due := mulDiv(opts.Lines, weightSoFar, g.year.weight)
		g.trade(number, due-linesSoFar)
		linesSoFar = due
		if opts.Progress != nil {
			opts.Progress(due)
		}
	}
	if err := g.out.Flush(); err != nil {
		return Report{}, fmt.Errorf("write invoices: %w", err)
	}
	return g.report, nil
}

// generator is the state of one Generate.
type generator struct {
	dice      *dice
	year      year
	catalogue *catalogue
	crowd     *crowd
	lines     int64
	invoice   int
	month     int
	shelf     wheel // what is bought this month, by product
	picked    []int // by product, the invoice that it was last put on
	returns   [][]giveBack
	out       *bufio.Writer
	line      []byte
	report    Report
	seen      ledger
}

func newGenerator(w io.Writer, opts Options) *generator {
	dice := newDice(opts.Seed)
	year := newYear()
	catalogue := newCatalogue(dice)
	g := &generator{
		dice:      dice,
		year:      year,
		catalogue: catalogue,
		crowd:     newCrowd(dice, opts.Lines),
		lines:     opts.Lines,
		invoice:   300000,
		month:     -1,
		picked:    make([]int, len(catalogue.products)),
		returns:   make([][]giveBack, len(year.days)),
		out:       bufio.NewWriterSize(w, 256<<10),
		seen:      newLedger(len(catalogue.products)),
	}
	g.report.Dropped = make(map[Reason]int64)
	g.report.Affinities = catalogue.affinities()
	return g
}

// trade writes one day's lines, exactly as many as are due.
func (g *generator) trade(number int, due int64) {
	if due == 0 {
		g.postpone(number)
		return
	}
	d := g.year.days[number]
	if d.month != g.month {
		g.month = d.month
		g.shelf = g.catalogue.shelf(d.month)
	}
	g.crowd.open(number)

	first := g.report.Lines
	for end := first + due; g.report.Lines < end; {
		clock := openingSecond(g.report.Lines-first, due)
		if back, ok := g.nextReturn(number); ok {
			g.writeReturn(back, d, clock, end)
			continue
		}
		g.writeOrder(number, d, clock, end)
	}
	g.postpone(number)
}
