package queue

import "iter"

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

// claims are the ways in which app could be let in, the preferred first: all its executors on the preferred flavour, then on
// several as far as they fit, then on each of the others.
func (r *round) claims(n *node, app *application) iter.Seq[claim] {
	return func(yield func(claim) bool) {
		for _, driver := range n.driversA {
			for i, flavour := range n.execsA {
				c := r.newClaim(app, driver)
				c.executors[flavour] = app.Minimum
				c.demand.addSize(r.At(flavour), app.Executor, app.Minimum)
				if !yield(c) {
					return
				}
				if i > 0 || len(n.execsA) == 1 {
					continue
				}
				if c, ok := r.spread(n, r.newClaim(app, driver), app.Minimum); ok && !yield(c) {
					return
				}
			}
		}
	}
}

func (r *round) newClaim(app *application, driver int) claim {
	all := make([]int64, len(r.capacity)+len(r.Flavours))
	c := claim{
		demand: all[:len(r.capacity)], executors: all[len(r.capacity):], driver: driver,
		size: app.Executor, driverSize: app.Driver, priority: app.Priority,
	}
	c.demand.addSize(r.At(driver), app.Driver, 1)
	return c
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
