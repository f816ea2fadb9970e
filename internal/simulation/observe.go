package simulation

import (
	"cmp"
	"math"
	"slices"
	"time"

	"brazier.sh/brazier/internal/queue"
)

// sight is what was seen of a queue when it was looked at last.
type sight struct {
	waiting int
	// demand is what it would use if there was no end of room, up to what it may.
	demand []int64
	// units are the next things that it would take: an executor, or an application with its minimum.
	units []queue.Size
	first *job // of those that wait
	// lack is how much CPU it has less than it is guaranteed and wants, in thousandths; short says that there is anything.
	short bool
	lack  int64
}

// violation is for how long, and by how much, a queue had less than it was guaranteed though it wanted it. What lasts no
// longer than it takes to give back is none: the operator promises no more, and no other could.
type violation struct {
	allowed              time.Duration
	time, longest, since time.Duration
	going                bool
	cpu                  float64 // CPU-seconds
}

// observe adds up what held since it was looked at last, and looks again.
func (m *measure) observe(now time.Duration, active []*job) {
	until := min(now, m.window)
	for _, a := range m.byDepth {
		a.spend(now)
		a.waitings.add(m.last, until, float64(a.seen.waiting))
		a.lacks.add(m.last, now, a.seen.short, a.seen.lack)
	}
	m.jain.add(m.last, until)
	m.last = now
	m.look(active)
	m.jain.now, m.jain.counts = m.fairness()
}

func (v *violation) add(since, until time.Duration, short bool, lack int64) {
	if !short {
		v.going = false
		return
	}
	if !v.going {
		v.going, v.since = true, since
	}
	beyond := until - max(since, v.since+v.allowed)
	if beyond <= 0 {
		return
	}
	v.time += beyond
	v.longest = max(v.longest, until-v.since)
	v.cpu += float64(lack) / 1000 * beyond.Seconds()
}

// look sees what each queue wants.
func (m *measure) look(active []*job) {
	for _, a := range m.byDepth {
		a.seen.waiting, a.seen.first, a.seen.units = 0, nil, a.seen.units[:0]
		a.seen.demand = append(a.seen.demand[:0], a.used...)
		if len(a.parts) > 0 {
			clear(a.seen.demand)
		}
	}
	for _, j := range active {
		switch j.phase {
		case waiting:
			j.account.sees(j)
		case running:
			if gated := j.app.Groups[0].Gated; gated > 0 {
				addSize(j.account.seen.demand, j.app.Executor, gated)
				j.account.seen.units = append(j.account.seen.units, j.app.Executor)
			}
		}
	}
	for _, a := range m.byDepth {
		a.conclude()
	}
}

func addSize(to []int64, size queue.Size, times int64) {
	for i, amount := range size {
		to[i] += times * amount
	}
}

// sees takes into account a job that waits.
func (a *account) sees(j *job) {
	a.each(func(at *account) { at.seen.waiting++ })
	addSize(a.seen.demand, j.app.Driver, 1)
	addSize(a.seen.demand, j.app.Executor, j.Maximum)
	if first := a.seen.first; first == nil || (a.node.spec.ByPriority && j.app.Priority > first.app.Priority) {
		a.seen.first = j
	}
}

// conclude works out what a queue lacks, and passes on to the one above it what it wants.
func (a *account) conclude() {
	if first := a.seen.first; first != nil {
		unit := slices.Clone(first.app.Driver)
		addSize(unit, first.app.Executor, first.Minimum)
		a.seen.units = append(a.seen.units, unit)
	}
	for i, most := range a.bound {
		a.seen.demand[i] = min(a.seen.demand[i], most)
	}
	a.seen.short, a.seen.lack = false, 0
	if slices.ContainsFunc(a.sure, func(amount int64) bool { return amount > 0 }) {
		a.seen.short = slices.ContainsFunc(a.seen.units, a.owed)
		a.seen.lack = max(min(a.sure[0], a.seen.demand[0])-a.used[0], 0)
	}
	if a.above != nil {
		addSize(a.above.seen.demand, a.seen.demand, 1)
		a.above.seen.units = append(a.above.seen.units, a.seen.units...)
	}
}

// owed reports whether with one more unit a queue would not have more than it is guaranteed.
func (a *account) owed(unit queue.Size) bool {
	for i, amount := range unit {
		if amount > 0 && a.used[i]+amount > a.sure[i] {
			return false
		}
	}
	return true
}

// jain is Jain's index of fairness over time.
type jain struct {
	now    float64
	counts bool
	// over is the index by how long it was so, in hundredths, for a mean and what it is at least for most of the time.
	over   [101]time.Duration
	sum    float64
	time   time.Duration
	series series
}

func (j *jain) add(since, until time.Duration) {
	if !j.counts || until <= since {
		return
	}
	j.over[int(math.Floor(j.now*100))] += until - since
	j.sum += j.now * (until - since).Seconds()
	j.time += until - since
	j.series.add(since, until, j.now)
}

// atLeast is what the index is at least for a part of the time.
func (j *jain) atLeast(part float64) float64 {
	var below time.Duration
	for hundredth, span := range j.over {
		below += span
		if float64(below) > (1-part)*float64(j.time) {
			return float64(hundredth) / 100
		}
	}
	return 1
}

// fairness is Jain's index of the shares that queues without parts have, each of the share that is due to it: where all have
// the same part of their due it is 1, and where one of n has everything it is 1/n (Jain, Chiu and Hawe, "A Quantitative
// Measure of Fairness and Discrimination", DEC TR-301, 1984; of what is had and what is due: Jain, Durresi and Babic,
// "Throughput Fairness Index: An Explanation", ATM Forum 99-0045, 1999). It says nothing where fewer than two want anything.
func (m *measure) fairness() (index float64, counts bool) {
	due := map[*account]float64{}
	m.total.due(1, due)
	var n, sum, squares float64
	for _, leaf := range m.leaves { // in their order, so that sums are the same each time
		a := m.accounts[leaf.name]
		if due[a] <= 0 {
			continue
		}
		x := a.share(a.used) / due[a]
		n, sum, squares = n+1, sum+x, squares+x*x
	}
	switch {
	case n < 2:
		return 0, false
	case squares == 0:
		return 1, true // nobody has anything
	}
	return min(sum*sum/(n*squares), 1), true
}

// due divides a part of the cluster among a queue's parts by what they want: their guarantees first, and what is left by
// weight, none more than it wants (weighted max-min fairness, by progressive filling).
func (a *account) due(amount float64, due map[*account]float64) {
	amount = min(amount, a.share(a.seen.demand))
	if len(a.parts) == 0 {
		due[a] = amount
		return
	}
	gets := make([]float64, len(a.parts))
	for i, part := range a.parts {
		gets[i] = min(part.share(part.sure), part.share(part.seen.demand))
	}
	if sum := total(gets); sum > amount {
		for i := range gets {
			gets[i] *= amount / sum
		}
	}
	a.fill(gets, amount-total(gets))
	for i, part := range a.parts {
		part.due(gets[i], due)
	}
}

// fill adds what is left of an amount to what parts get, by weight, none more than it wants.
func (a *account) fill(gets []float64, left float64) {
	const little = 1e-9
	for left > little {
		var weights float64
		for i, part := range a.parts {
			if part.share(part.seen.demand)-gets[i] > little {
				weights += part.weight()
			}
		}
		if weights == 0 {
			return
		}
		each := left / weights
		for i, part := range a.parts {
			if wants := part.share(part.seen.demand) - gets[i]; wants > little {
				more := min(each*part.weight(), wants)
				gets[i] += more
				left -= more
			}
		}
	}
}

func (a *account) weight() float64 { return float64(cmp.Or(a.node.spec.Weight, 1)) }

func total(of []float64) float64 {
	var sum float64
	for _, amount := range of {
		sum += amount
	}
	return sum
}
