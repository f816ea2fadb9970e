package invoices

// returnShare is the share of orders, of 100,000, of which something comes back.
const returnShare = 12_000

// pack is the quantities in which wholesalers buy, by weight.
var (
	packs   = []int{6, 12, 24, 48, 96, 240, 600}
	packing = newWheel([]int{30, 34, 20, 9, 5, 2, 1})
)

// giveBack is something that will be returned: what was on the invoice's line, with the quantity below zero.
type giveBack struct{ entries []entry }

// writeOrder writes the invoice of whoever comes next, but no line beyond end.
func (g *generator) writeOrder(today int, d day, clock int, end int64) {
	g.invoice++
	order := entry{invoice: g.invoice, country: g.crowd.where.spin(g.dice)}
	if !g.dice.chance(guestShare) {
		order.customer = g.crowd.next(today, g.report.Lines, g.lines)
		order.country = order.customer.country
	}
	var bought []entry
	for size := g.basketSize(); size > 0 && g.report.Lines < end; size-- {
		e := order
		e.product = g.shelf.spin(g.dice)
		for e.product >= 0 && g.picked[e.product] != g.invoice && g.report.Lines < end {
			g.picked[e.product] = g.invoice
			e = g.fill(e)
			g.write(e, d, clock, end)
			bought = append(bought, e)
			e.product = g.companion(e.product)
		}
	}
	if g.dice.chance(returnShare) {
		g.plan(today, bought)
	}
}

// companion returns the product that goes into the basket together with one, or -1.
func (g *generator) companion(product int) int {
	if !g.dice.chance(leadShare) {
		return -1
	}
	return g.catalogue.products[product].sibling
}

// basketSize has a mean near 16 and a tail to 244.
func (g *generator) basketSize() int {
	size := 1 + g.dice.below(12)
	if g.dice.chance(45_000) {
		size += g.dice.below(25)
	}
	if g.dice.chance(10_000) {
		size += g.dice.below(60)
	}
	if g.dice.chance(1_000) {
		size += g.dice.below(150)
	}
	return size
}

// fill decides how many of its product are bought, and for how much: from 48 on, a tenth less.
func (g *generator) fill(e entry) entry {
	e.cents = g.catalogue.products[e.product].cents
	e.quantity = 1 + g.dice.below(4)
	if e.customer != nil && e.customer.wholesale {
		e.quantity = packs[packing.spin(g.dice)]
	}
	if e.quantity >= 48 {
		e.cents = max(e.cents*9/10, 1)
	}
	return e
}

// plan lets one to three of the lines come back, three to thirty days later; those of the last days never do.
func (g *generator) plan(today int, bought []entry) {
	when := today + 3 + g.dice.below(28)
	if len(bought) == 0 || when >= len(g.returns) {
		return
	}
	var back giveBack
	for range min(1+g.dice.below(3), len(bought)) {
		e := bought[len(back.entries)]
		e.quantity = -(1 + g.dice.below(e.quantity))
		back.entries = append(back.entries, e)
	}
	g.returns[when] = append(g.returns[when], back)
}

// nextReturn takes the next thing that comes back today, if now is its turn between the orders.
func (g *generator) nextReturn(today int) (giveBack, bool) {
	waiting := g.returns[today]
	if len(waiting) == 0 || !g.dice.chance(15_000) {
		return giveBack{}, false
	}
	g.returns[today] = waiting[1:]
	return waiting[0], true
}

// postpone moves what was not brought back today to tomorrow.
func (g *generator) postpone(today int) {
	if today+1 < len(g.returns) {
		g.returns[today+1] = append(g.returns[today+1], g.returns[today]...)
	}
	g.returns[today] = nil
}

// writeReturn writes the credit note of what comes back, but no line beyond end.
func (g *generator) writeReturn(back giveBack, d day, clock int, end int64) {
	g.invoice++
	for _, e := range back.entries {
		if g.report.Lines >= end {
			return
		}
		e.invoice = g.invoice
		e.credit = true
		g.write(e, d, clock, end)
	}
}
