package simulation

import (
	"slices"
	"time"

	"brazier.sh/brazier/internal/queue"
)

// buckets is into how many parts time is cut for what is shown over time.
const buckets = 288

// measure is what is observed of a run.
type measure struct {
	*tree
	// window is for how long what is used is measured; how long applications waited is told of all of them.
	window time.Duration
	// allowed is for how long a queue may have less than it is guaranteed: until what it asks for in one round is handed over
	// and it is let have it in another.
	allowed  time.Duration
	all      []int64 // of each resource, whatever the flavour
	accounts map[string]*account
	total    *account
	byDepth  []*account // parts before what they are part of
	rounds   int
	lastEnd  time.Duration
	// last is when was observed what holds since.
	last time.Duration
	jain jain
}

// account is what is observed of a queue and its parts.
type account struct {
	*measure
	node  *node
	above *account
	parts []*account
	// used is what they have of each resource, since a time; spent is how much of it for how long, within the window, and
	// dominant the same of the largest part of any.
	used     []int64
	since    time.Duration
	spent    []float64
	dominant float64
	// sure is what they are guaranteed, and bound the most they may have.
	sure, bound []int64
	counts
	seen     sight
	lacks    violation
	shares   series
	waitings series
	// uses are the parts of the cluster's resources that are used, over time; of the root alone.
	uses []series
}

// counts are what is counted of a queue.
type counts struct {
	applications, ended, overran, refused, stops int
	reclaimed                                    map[queue.Ground]int64
	waits, turnarounds                           []time.Duration
	handedOver, lost                             time.Duration
	reasons                                      map[queue.Reason]int
}

// newMeasure makes an account for each queue.
func newMeasure(o *Options) *measure {
	state := &queue.State{Shape: o.Tree.Shape, Capacity: o.Cluster.Capacity, Queues: o.Tree.Queues}
	m := &measure{tree: newTree(state), allowed: o.HandOver + 2*o.Every, window: o.measured(), accounts: map[string]*account{}}
	m.all = m.whatever(o.Cluster.Capacity)
	m.total = m.open(m.root, nil)
	m.jain.series = newSeries(m.window)
	for range m.Resources {
		m.total.uses = append(m.total.uses, newSeries(m.window))
	}
	return m
}

// measured is from the first submission to the last; or until half of the applications could have ended at the earliest, where
// that is later, as it is where all come at once.
func (o *Options) measured() time.Duration {
	apps := o.Trace.Applications
	ends := make([]time.Duration, len(apps))
	for i := range apps {
		ends[i] = apps[i].Submit + apps[i].Work/time.Duration(apps[i].Maximum)
	}
	slices.Sort(ends)
	return max(apps[len(apps)-1].Submit, ends[(len(ends)-1)/2], time.Second)
}

func (m *measure) open(n *node, above *account) *account {
	a := &account{
		measure: m, node: n, above: above, used: make([]int64, len(m.Resources)), spent: make([]float64, len(m.Resources)),
		sure: m.whatever(n.guaranteed), bound: m.bounds(n), shares: newSeries(m.window), waitings: newSeries(m.window), lacks: violation{allowed: m.allowed},
	}
	a.reclaimed, a.reasons = map[queue.Ground]int64{}, map[queue.Reason]int{}
	m.accounts[n.name] = a
	for _, part := range n.parts {
		a.parts = append(a.parts, m.open(part, a))
	}
	m.byDepth = append(m.byDepth, a)
	return a
}

// whatever sums amounts up over flavours.
func (m *measure) whatever(amounts queue.Amounts) []int64 {
	sums := make([]int64, len(m.Resources))
	for slot, amount := range amounts {
		sums[slot%len(sums)] += amount
	}
	return sums
}

// bounds are the most that a queue may use of each resource.
func (m *measure) bounds(n *node) []int64 {
	bounds := slices.Clone(m.all)
	if n.spec.Limit == nil {
		return bounds
	}
	for i := range bounds {
		var sum int64
		for flavour := range m.Flavours {
			sum += min(n.spec.Limit[m.At(flavour)+i], m.all[i])
		}
		bounds[i] = min(bounds[i], sum)
	}
	return bounds
}

// use has an account, and all above it, use count more of a size from now on.
func (a *account) use(now time.Duration, size queue.Size, count int64) {
	for at := a; at != nil; at = at.above {
		at.spend(now)
		for i, amount := range size {
			at.used[i] += count * amount
		}
	}
}

// spend adds up what was used until now.
func (a *account) spend(now time.Duration) {
	if now == a.since {
		return
	}
	until := min(now, a.window)
	if span := (until - a.since).Seconds(); span > 0 {
		for i, amount := range a.used {
			a.spent[i] += float64(amount) * span
		}
		share := a.share(a.used)
		a.dominant += share * span
		a.shares.add(a.since, until, share)
		for i := range a.uses {
			if a.all[i] > 0 {
				a.uses[i].add(a.since, until, float64(a.used[i])/float64(a.all[i]))
			}
		}
	}
	a.since = now
}

// share is the largest part of the cluster that amounts are of any resource.
func (a *account) share(amounts []int64) float64 {
	var most float64
	for i, amount := range amounts {
		if a.all[i] > 0 {
			most = max(most, float64(amount)/float64(a.all[i]))
		}
	}
	return most
}

// each has something be counted in a queue and all above it.
func (a *account) each(count func(*account)) {
	for at := a; at != nil; at = at.above {
		count(at)
	}
}

func (a *account) came(*Application) { a.each(func(at *account) { at.applications++ }) }

func (a *account) refuse(j *job) {
	a.each(func(at *account) {
		at.refused++
		at.reasons[j.reason]++
	})
}

func (a *account) ends(j *job, now time.Duration, how phase) {
	a.lastEnd = now
	a.each(func(at *account) {
		at.waits = append(at.waits, j.waited)
		at.turnarounds = append(at.turnarounds, now-j.Submit)
		if how == overran {
			at.overran++
		} else {
			at.ended++
		}
	})
}

func (a *account) stopped(_ *job, lost time.Duration) {
	a.each(func(at *account) {
		at.stops++
		at.lost += lost
	})
}

func (a *account) took(take queue.Take, handOver time.Duration) {
	a.each(func(at *account) {
		at.reclaimed[take.Why] += take.Count
		at.handedOver += time.Duration(take.Count) * handOver
	})
}
