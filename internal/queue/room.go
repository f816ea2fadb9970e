package queue

import "slices"

// room is what is free on nodes. Pods are put, as a thought, onto the first node that has room, those with least first.
type room struct {
	shape Shape
	// most is for each flavour a tree of maxima over its nodes, of which the second half are the nodes themselves, so that one
	// with room is found in a few steps.
	most [][]Size
}

func newRoom(shape Shape, nodes []Node) *room {
	r := &room{shape: shape, most: make([][]Size, len(shape.Flavours))}
	byFlavour := make([][]Size, len(shape.Flavours))
	for _, node := range nodes {
		byFlavour[node.Flavour] = append(byFlavour[node.Flavour], node.Free)
	}
	for flavour, free := range byFlavour {
		slices.SortFunc(free, slices.Compare[Size])
		leaves := 1
		for leaves < len(free) {
			leaves *= 2
		}
		most := make([]Size, 2*leaves)
		for i := range leaves {
			most[leaves+i] = make(Size, len(shape.Resources))
			if i < len(free) {
				copy(most[leaves+i], free[i])
			}
		}
		for i := leaves - 1; i > 0; i-- {
			most[i] = largest(most[2*i], most[2*i+1])
		}
		r.most[flavour] = most
	}
	return r
}

func largest(a, b Size) Size {
	most := make(Size, len(a))
	for i := range a {
		most[i] = max(a[i], b[i])
	}
	return most
}

// placed is a pod that was put onto a node.
type placed struct {
	flavour, node int
	size          Size
}

// has reports whether there is room for all of c at once.
func (r *room) has(c claim) bool {
	put, ok := r.put(c)
	for _, p := range put {
		r.change(p, 1)
	}
	return ok
}

// take puts c onto nodes.
func (r *room) take(c claim) { r.put(c) }

func (r *room) put(c claim) ([]placed, bool) {
	var all []placed
	one := func(flavour int, size Size) bool {
		if r.shape.Flavours[flavour].ScalesFromZero {
			return true
		}
		p, ok := r.place(flavour, size)
		if ok {
			all = append(all, p)
		}
		return ok
	}
	if !one(c.driver, c.driverSize) {
		return all, false
	}
	for flavour, count := range c.executors {
		for range count {
			if !one(flavour, c.size) {
				return all, false
			}
		}
	}
	return all, true
}

// expect puts those of a running application's pods onto nodes that have none yet, as far as there is room for them.
func (r *room) expect(app *Application) {
	if app.DriverComes {
		r.place(app.Admitted.Driver, app.Driver)
	}
	for flavour, promised := range app.promised(heldNow) {
		for range promised {
			r.place(flavour, app.Executor)
		}
	}
	for i := range app.Groups {
		for flavour, comes := range app.Groups[i].Comes {
			for range comes {
				r.place(flavour, app.Groups[i].Size)
			}
		}
	}
}

// place puts a pod onto the first node of flavour with room for size; false where there is none.
func (r *room) place(flavour int, size Size) (placed, bool) {
	node, ok := r.find(flavour, size)
	if !ok {
		return placed{}, false
	}
	p := placed{flavour, node, size}
	r.change(p, -1)
	return p, true
}

// find returns the first node of flavour with room for size.
func (r *room) find(flavour int, size Size) (int, bool) {
	most := r.most[flavour]
	leaves := len(most) / 2
	var descend func(at int) (int, bool)
	descend = func(at int) (int, bool) {
		if !covers(most[at], size) {
			return 0, false
		}
		if at >= leaves {
			return at - leaves, true
		}
		if node, ok := descend(2 * at); ok {
			return node, true
		}
		return descend(2*at + 1)
	}
	return descend(1)
}

func covers(free, size Size) bool {
	for i, amount := range size {
		if amount > free[i] {
			return false
		}
	}
	return true
}

// change has times the size of p come free on its node.
func (r *room) change(p placed, times int64) {
	most := r.most[p.flavour]
	leaves := len(most) / 2
	at := leaves + p.node
	for i, amount := range p.size {
		most[at][i] += times * amount
	}
	for at /= 2; at > 0; at /= 2 {
		for i := range most[at] {
			most[at][i] = max(most[2*at][i], most[2*at+1][i])
		}
	}
}
