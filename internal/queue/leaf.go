package queue

import (
	"cmp"
	"container/heap"
	"slices"
)

// leaf is a queue that applications are in.
type leaf struct {
	// waiting are its applications that wait, in the order in which they are to go; next is the first that was not looked at.
	waiting []*application
	next    int
	// running are those that were let in.
	running []*application
	// grows are those of them whose executors wait.
	grows growing
	users map[string]*user
	// blocked says that the first of those that wait cannot go: only what holds up nobody goes before it.
	blocked bool
	// spent says that its next thing is not of a flavour on which it has less than it is guaranteed: that gives no turn more.
	spent bool
	done  bool
}

func newLeaf() *leaf { return &leaf{users: map[string]*user{}} }

// user is what one user has in a leaf.
type user struct {
	running int
	used    []int64 // by resource
}

// application is an application in a round.
type application struct {
	*Application
	in *node // where it is charged
	// charge is what it has, with what leaves and by the decisions so far, and part the largest part of any resource.
	charge Amounts
	part   float64
	// lifted and taken are by group and flavour what was decided about it in this round.
	lifted, taken [][]int64
	// coming is by group for how many executors others are giving back what they need.
	coming  []int64
	whole   bool
	wait    Wait
	decided bool
}

func (l *leaf) user(name string, resources int) *user {
	u, ok := l.users[name]
	if !ok {
		u = &user{used: make([]int64, resources)}
		l.users[name] = u
	}
	return u
}

// sort brings those that wait into their order: by age, or by priority and then by what their users have used; what is
// equal is so by age, and at last by ID.
func (l *leaf) sort(byPriority bool) {
	slices.SortFunc(l.waiting, func(a, b *application) int {
		if byPriority {
			if a.Priority != b.Priority {
				return cmp.Compare(b.Priority, a.Priority)
			}
			if a.UserUsage != b.UserUsage {
				return cmp.Compare(a.UserUsage, b.UserUsage)
			}
		}
		return a.older(b)
	})
}

// older orders applications by age; those of the same age by what their users have used, and at last by ID.
func (a *application) older(b *application) int {
	if !a.Created.Equal(b.Created) {
		return a.Created.Compare(b.Created)
	}
	if a.UserUsage != b.UserUsage {
		return cmp.Compare(a.UserUsage, b.UserUsage)
	}
	return cmp.Compare(a.ID, b.ID)
}

// gated is how many executors of a group wait beside those that were let go in this round.
func (a *application) gated(group int) int64 {
	gated := a.Groups[group].Gated - a.coming[group]
	for _, lifted := range a.lifted[group] {
		gated -= lifted
	}
	return gated
}

// wants reports whether executors wait.
func (a *application) wants() bool {
	for group := range a.Groups {
		if a.gated(group) > 0 {
			return true
		}
	}
	return false
}

// spare is how many executors of a group may be taken: those above the application's minimum.
func (a *application) spare(group int) int64 {
	var all int64
	for flavour := range a.Groups[group].Held {
		all += a.Groups[group].stays(flavour) - a.taken[group][flavour]
	}
	if a.sameSize(&a.Groups[group]) {
		all -= a.Minimum
	}
	return max(all, 0)
}

// growing is a heap of applications whose executors wait: the one of the highest priority first, then the one that has
// least.
type growing struct {
	apps       []*application
	byPriority bool
}

func (g growing) Len() int { return len(g.apps) }

func (g growing) Less(i, j int) bool {
	a, b := g.apps[i], g.apps[j]
	if g.byPriority && a.Priority != b.Priority {
		return a.Priority > b.Priority
	}
	if a.part != b.part {
		return a.part < b.part
	}
	return a.older(b) < 0
}

func (g growing) Swap(i, j int) { g.apps[i], g.apps[j] = g.apps[j], g.apps[i] }
func (g *growing) Push(a any)   { g.apps = append(g.apps, a.(*application)) }
func (g *growing) Pop() any {
	last := g.apps[len(g.apps)-1]
	g.apps = g.apps[:len(g.apps)-1]
	return last
}

var _ heap.Interface = (*growing)(nil)
