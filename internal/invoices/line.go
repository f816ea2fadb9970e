package invoices

import (
	"strconv"
	"unicode/utf8"
)

// Bad rows: shares, of 100,000 lines. README.md of examples/retail tells users these numbers.
const (
	truncatedShare     = 60  // the line ends early
	extraColumnShare   = 30  // one column too many
	badNumberShare     = 100 // quantity or price that is no number
	badDateShare       = 80
	freeShare          = 250 // price of zero
	negativePriceShare = 20  // a correction in the books
	writeOffShare      = 150 // quantity of zero or below, but no returned goods
	duplicateShare     = 1_000
)

// defect is what is wrong with one line as it is written.
type defect int

const (
	sound defect = iota
	truncated
	extraColumn
	badNumber
	badDate
	free
	negativePrice
	writeOff
)

var (
	defects    = newWheel([]int{100_000 - 690, truncatedShare, extraColumnShare, badNumberShare, badDateShare, freeShare, negativePriceShare, writeOffShare})
	badNumbers = []string{"", "n/a", "1.2.3", "#REF!", "12 pcs", "--", "l0"}
	badDates   = []string{"", "2025-02-30 10:15:00", "2025-13-01 09:00:00", "31.12.2025", "0000-00-00 00:00:00", "yesterday"}
)

// entry is one line of an invoice before it is written.
type entry struct {
	invoice  int
	credit   bool // a credit note: its number begins with C
	product  int
	quantity int
	cents    int
	customer *customer // nil for a guest
	country  int
}

// write writes the line of e, with whatever goes wrong with it, perhaps twice, but nothing beyond end.
func (g *generator) write(e entry, d day, clock int, end int64) {
	what := defect(defects.spin(g.dice))
	if what == writeOff && e.credit {
		what = sound
	}
	e, reason := g.spoil(e, what)
	g.line = g.render(g.line[:0], e, d, clock, what)
	copies := 1
	if g.dice.chance(duplicateShare) && g.report.Lines+1 < end {
		copies = 2
		g.report.Duplicates++
	}
	for range copies {
		_, _ = g.out.Write(g.line) // bufio keeps the first error for Flush
		g.report.Bytes += int64(len(g.line))
		g.count(e, d.month, reason)
	}
}

// spoil changes the numbers of e as its defect wants, and returns the first reason for which the line is dropped.
func (g *generator) spoil(e entry, what defect) (entry, Reason) {
	switch what {
	case free:
		e.cents = 0
	case negativePrice:
		e.cents = -e.cents
	case writeOff:
		e.quantity = -g.dice.below(20)
	}
	switch {
	case what == truncated, what == extraColumn:
		return e, BadColumns
	case what == badNumber:
		return e, BadNumber
	case what == badDate:
		return e, BadDate
	case e.customer == nil:
		return e, NoCustomer
	case e.credit:
		return e, Returned
	case e.quantity <= 0:
		return e, BadQuantity
	case e.cents <= 0:
		return e, BadPrice
	}
	return e, ""
}

// render appends the line of e to b.
func (g *generator) render(b []byte, e entry, d day, clock int, what defect) []byte {
	p := &g.catalogue.products[e.product]
	if e.credit {
		b = append(b, 'C')
	}
	b = strconv.AppendInt(b, int64(e.invoice), 10)
	b = append(b, ',')
	b = append(b, p.code...)
	b = append(b, ',')
	unique := len(b) // no other line begins like this one up to here
	b = append(b, p.field...)
	if what == extraColumn {
		b = append(b, ",second choice"...)
	}
	b = append(b, ',')
	b = g.appendNumbers(b, e, d, clock, what)
	b = append(b, ',')
	if e.customer != nil {
		b = strconv.AppendInt(b, int64(e.customer.id), 10)
	}
	last := len(b) // the last comma; a line cut before it has too few columns
	b = append(b, ',')
	b = append(b, countries[e.country].name...)
	if what == truncated {
		b = cut(b, unique, last, g.dice)
	}
	return append(b, '\n')
}

// cut ends b somewhere from low to high, between two characters.
func cut(b []byte, low, high int, d *dice) []byte {
	end := low + d.below(high-low+1)
	for !utf8.RuneStart(b[end]) {
		end--
	}
	return b[:end]
}

// appendNumbers appends quantity, date and price.
func (g *generator) appendNumbers(b []byte, e entry, d day, clock int, what defect) []byte {
	var noise string
	if what == badNumber {
		noise = badNumbers[g.dice.below(len(badNumbers))]
	}
	inQuantity := what == badNumber && g.dice.chance(50_000)
	if inQuantity {
		b = append(b, noise...)
	} else {
		b = strconv.AppendInt(b, int64(e.quantity), 10)
	}
	b = append(b, ',')
	if what == badDate {
		b = append(b, badDates[g.dice.below(len(badDates))]...)
	} else {
		b = appendTime(b, d.date, clock)
	}
	b = append(b, ',')
	if what == badNumber && !inQuantity {
		return append(b, noise...)
	}
	return appendMoney(b, e.cents)
}

// appendTime appends date and the second of the day: 2025-01-31 08:26:00.
func appendTime(b []byte, date string, second int) []byte {
	b = append(b, date...)
	for i, n := range [3]int{second / 3600, second / 60 % 60, second % 60} {
		b = append(b, " ::"[i], byte('0'+n/10), byte('0'+n%10))
	}
	return b
}

// appendMoney appends cents as 12.50.
func appendMoney(b []byte, cents int) []byte {
	if cents < 0 {
		b = append(b, '-')
		cents = -cents
	}
	b = strconv.AppendInt(b, int64(cents/100), 10)
	return append(b, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}
