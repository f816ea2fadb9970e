package invoices

// Shares, of 100,000.
const (
	guestShare     = 8_000  // of orders: bought without an account
	onceShare      = 30_000 // of customers: never come back
	wholesaleShare = 12_000 // of customers: buy by the dozen
	regularShare   = 45_000 // of customers: were there before the year began
)

// home and away: where the shop's customers live, by weight.
var countries = []struct {
	name   string
	weight int
}{
	{"Germany", 610},
	{"Austria", 105},
	{"Switzerland", 78},
	{"Netherlands", 52},
	{"France", 46},
	{"Denmark", 24},
	{"Belgium", 21},
	{"Poland", 17},
	{"Italy", 14},
	{"Czechia", 10},
	{"Sweden", 8},
	{"Luxembourg", 6},
	{"Spain", 5},
	{"Norway", 2},
	{"Ireland", 1},
	{"Iceland", 1},
}

type customer struct {
	id        int
	country   int
	activity  int // how often this customer comes, compared with the others
	until     int // the last day on which this customer comes back
	wholesale bool
	bought    bool // has at least one line that counts
}

// crowd is everyone who ever buys. Customers are born with their first order, come back in proportion to their
// activity, which has a heavy tail, and leave at the end of their life.
type crowd struct {
	dice    *dice
	where   wheel
	count   int
	active  []*customer
	turn    wheel // over active, by activity
	planned int64 // newcomers over the year
	born    int64
}

func newCrowd(d *dice, lines int64) *crowd {
	c := &crowd{dice: d}
	for _, country := range countries {
		c.where.add(country.weight)
	}
	size := max(lines/linesPerCustomer, 20)
	regulars := size * regularShare / 100_000
	for range regulars {
		regular := c.add()
		regular.until = 20 + d.below(700)
		c.active = append(c.active, regular)
	}
	c.planned = size - regulars
	return c
}

// open readies the crowd for a day: who has left does not come any more.
func (c *crowd) open(today int) {
	c.turn.ends = c.turn.ends[:0]
	stay := c.active[:0]
	for _, who := range c.active {
		if who.until < today {
			continue
		}
		stay = append(stay, who)
		c.turn.add(who.activity)
	}
	c.active = stay
}

// next returns who orders now, when done of the year's total lines are sold.
func (c *crowd) next(today int, done, total int64) *customer {
	if c.born <= mulDiv(c.planned, done, total) || len(c.turn.ends) == 0 {
		return c.welcome(today)
	}
	return c.active[c.turn.spin(c.dice)]
}

// welcome adds a newcomer, who may come back from tomorrow on.
func (c *crowd) welcome(today int) *customer {
	newcomer := c.add()
	c.born++
	if !c.dice.chance(onceShare) {
		newcomer.until = today + 30 + c.dice.below(60)<<c.dice.below(4)
		c.active = append(c.active, newcomer)
	}
	return newcomer
}

func (c *crowd) add() *customer {
	c.count++
	return &customer{
		id:        9_999 + c.count,
		country:   c.where.spin(c.dice),
		activity:  4000 / (4 + c.dice.below(400)),
		wholesale: c.dice.chance(wholesaleShare),
	}
}
