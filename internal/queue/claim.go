package queue

// claim is what an application, or one more executor of it, would take: on which flavours, and how much in all.
type claim struct {
	demand Amounts
	// driver is the flavour of the driver, executors how many there would be of each flavour.
	driver    int
	executors []int64
	// size is that of each executor, and driverSize the driver's.
	size, driverSize Size
	// grows is one more executor of an application that runs.
	grows bool
	// priority is the application's.
	priority int32
}

// claims are the ways in which app could be let in, the preferred first: its executors on the preferred flavour as far as
// they fit, the rest on the next ones; then all on one flavour, for those that have to be given back what they take.
func (r *round) claims(n *node, app *application) []claim {
	var spread, uniform []claim
	for _, driver := range n.driversA {
		c := claim{demand: r.None(), driver: driver, executors: make([]int64, len(r.Flavours)), size: app.Executor, driverSize: app.Driver, priority: app.Priority}
		c.demand.addSize(r.At(driver), app.Driver, 1)
		if len(n.execsA) > 1 {
			if over, ok := r.spread(n, c, app.Minimum); ok {
				spread = append(spread, over)
			}
		}
		for _, flavour := range n.execsA {
			one := c
			one.demand = append(Amounts(nil), c.demand...)
			one.executors = make([]int64, len(r.Flavours))
			one.executors[flavour] = app.Minimum
			one.demand.addSize(r.At(flavour), app.Executor, app.Minimum)
			uniform = append(uniform, one)
		}
	}
	return append(spread, uniform...)
}

// spread puts count executors beside c's driver, on the preferred flavour as far as they fit, then on the next.
func (r *round) spread(n *node, c claim, count int64) (claim, bool) {
	for _, flavour := range n.execsA {
		if count == 0 {
			break
		}
		fit := r.mostThatFit(n, c, flavour, count)
		c.demand.addSize(r.At(flavour), c.size, fit)
		c.executors[flavour] += fit
		count -= fit
	}
	return c, count == 0
}

// mostThatFit is how many of count executors of flavour fit beside c.
func (r *round) mostThatFit(n *node, c claim, flavour int, count int64) int64 {
	fits := func(count int64) bool {
		c.demand.addSize(r.At(flavour), c.size, count)
		_, lacks := n.lacks(now, c.demand)
		if !lacks {
			_, lacks = n.lacks(later, c.demand)
		}
		c.demand.addSize(r.At(flavour), c.size, -count)
		return !lacks
	}
	if fits(count) {
		return count
	}
	least, most := int64(0), count // least fits, most does not
	for most-least > 1 {
		if middle := (least + most) / 2; fits(middle) {
			least = middle
		} else {
			most = middle
		}
	}
	return least
}
