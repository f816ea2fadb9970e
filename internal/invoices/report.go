package invoices

// Reason says why a line does not count. The first that applies, in the order of Reasons, is the one that is reported.
type Reason string

// The reasons, in words that a user reads.
const (
	BadColumns  Reason = "wrong number of columns"
	BadNumber   Reason = "unreadable number"
	BadDate     Reason = "unreadable date"
	NoCustomer  Reason = "no customer"
	Returned    Reason = "returned goods"
	BadQuantity Reason = "quantity not above zero"
	BadPrice    Reason = "price not above zero"
)

// Reasons lists every reason in order of priority.
func Reasons() []Reason {
	return []Reason{BadColumns, BadNumber, BadDate, NoCustomer, Returned, BadQuantity, BadPrice}
}

// Affinity is a pair of products that customers buy together far more often than chance would have it.
type Affinity struct {
	Lead    string `json:"lead"`
	Partner string `json:"partner"`
}

// Report says what Generate wrote. Apart from Lines, Bytes, Duplicates and Dropped, it counts kept lines only: those
// with a customer, a quantity and a price above zero, and nothing unreadable.
type Report struct {
	Lines      int64            `json:"lines"`
	Bytes      int64            `json:"bytes"`
	Kept       int64            `json:"kept"`
	Dropped    map[Reason]int64 `json:"dropped"`
	Duplicates int64            `json:"duplicates"` // lines that repeat an earlier one, whether or not they are kept
	Customers  int64            `json:"customers"`
	Invoices   int64            `json:"invoices"`
	Products   int64            `json:"products"`
	// RevenueCents is the sum of quantity times price.
	RevenueCents int64 `json:"revenueCents"`
	// MonthCents is the revenue by month, from January.
	MonthCents [12]int64  `json:"monthCents"`
	Affinities []Affinity `json:"affinities"`
}

// ledger remembers what has been counted once.
type ledger struct {
	invoice  int // the last invoice with a line that was kept
	products []bool
}

func newLedger(products int) ledger {
	return ledger{products: make([]bool, products)}
}

// count enters one written line into the report. reason is empty if the line is kept.
func (g *generator) count(e entry, month int, reason Reason) {
	g.report.Lines++
	if reason != "" {
		g.report.Dropped[reason]++
		return
	}
	g.report.Kept++
	cents := int64(e.quantity) * int64(e.cents)
	g.report.RevenueCents += cents
	g.report.MonthCents[month] += cents
	if !e.customer.bought {
		e.customer.bought = true
		g.report.Customers++
	}
	if g.seen.invoice != e.invoice {
		g.seen.invoice = e.invoice
		g.report.Invoices++
	}
	if !g.seen.products[e.product] {
		g.seen.products[e.product] = true
		g.report.Products++
	}
}
