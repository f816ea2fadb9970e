package queue

import "time"

// State is all that is decided on.
type State struct {
	Shape
	// Now is when it is decided.
	Now time.Time
	// Capacity is all that queues may share: what nodes have, less what pods use that are in no queue.
	Capacity Amounts
	// ReclaimPercent is how much of the capacity may be on its way back at once. Default: 10.
	ReclaimPercent int64
	Queues         []Queue
	Applications   []Application
	// Nodes are those that applications have to find room on, with what is free there now. Where there are none, room is not
	// asked for.
	Nodes []Node
}

// Root is the name of the queue that all others are part of. It needs no Queue; one of that name sets its limits.
const Root = "root"

// Victims are what may be taken back from a queue.
type Victims int

// What may be taken back: executors above the minimum of their application, nothing, or whole applications where executors
// are not enough.
const (
	Executors Victims = iota
	Nothing
	Applications
)

// Queue is what a queue may use. Its amounts may be nil.
type Queue struct {
	Name string
	// Parent is the queue that it is part of; "" is Root.
	Parent string
	// Weight is its part of what is shared beyond guarantees. Default: 1.
	Weight int64
	// Guaranteed comes on top of what its parts are guaranteed. Default: nothing.
	Guaranteed Amounts
	// Limit, BorrowingLimit and LendingLimit bound what it and its parts use, use beyond their guarantees, and let others use
	// of those. Default: Unlimited.
	Limit, BorrowingLimit, LendingLimit Amounts
	// Drivers and Executors are the flavours that its applications may have, the preferred first. Default: its parent's, and
	// Root's are all.
	Drivers, Executors []int
	// ByPriority orders applications by priority and then by what their users have used, rather than by age.
	ByPriority bool
	// MaxRunning bounds the applications that run in it and its parts. Default: nil, no bound.
	MaxRunning *int32
	// MaxWaiting bounds those that wait in it. Default: nil, no bound.
	MaxWaiting *int32
	// WaitTimeout is how long one may wait. Default: for ever.
	WaitTimeout time.Duration
	// DriverPercent is how much of what it may use its drivers may have. Default: 100.
	DriverPercent int64
	// UserRunning, UserWaiting and UserPercent bound what one user has in it.
	UserRunning, UserWaiting *int32
	UserPercent              int64
	// Drained lets nothing in.
	Drained bool
	// Victims are what may be taken from it.
	Victims Victims
	// Grace is how long what it has to give back may take: what runs no longer than that may go before the head of the queue.
	Grace time.Duration
	// DeadZonePercent is by how much its share has to be above another's before anything is taken for fairness alone.
	DeadZonePercent int64
	// CoolDown is how long nothing more is taken from an application from which something was.
	CoolDown time.Duration
}

// Application is one that waits or runs.
type Application struct {
	// ID is unique; it is the last thing that order depends on.
	ID    string
	Queue string
	User  string
	// UserUsage is what the user has used lately (Decayed), in any unit.
	UserUsage float64
	Priority  int32
	Created   time.Time
	// MaxRunTime is how long it runs at most, where it has said so; 0 where not.
	MaxRunTime time.Duration
	// Driver and Executor are the sizes of its driver and of an executor of its minimum.
	Driver, Executor Size
	// Minimum is how many executors it is let in with: all of them or none.
	Minimum int64
	// Admitted is nil while it waits.
	Admitted *Admission
	// Groups are its executors, those of one size in each group. Sizes of groups differ.
	Groups []Group
	// Reclaimed is when something was taken from it last.
	Reclaimed time.Time
	// DriverComes says that its driver was let in and has no node yet.
	DriverComes bool
}

// Admission is where an application was let in.
type Admission struct {
	// Driver is the flavour of its driver.
	Driver int
	// Executors are how many executors of the minimum were promised of each flavour. What of them is not there yet is kept
	// for them.
	Executors []int64
	// At is when.
	At time.Time
}

// Group is the executors of one size that an application has.
type Group struct {
	// Name tells it from the application's other groups; it is the resource profile's.
	Name string
	Size Size
	// Gated is how many wait to be let go.
	Gated int64
	// Held is how many there are of each flavour that were let go and have not ended; Leaving is the part that was told to go.
	Held, Leaving []int64
	// Comes is how many of them, that were not told to go, have no node yet; nil is none.
	Comes []int64
}

// Node is a node with what is free on it.
type Node struct {
	Flavour int
	Free    Size
}

func (a *Application) running() bool { return a.Admitted != nil }

// stays is how many executors of flavour the group has that were not told to go.
func (g *Group) stays(flavour int) int64 { return g.Held[flavour] - g.Leaving[flavour] }

// sameSize reports whether executors of the group are such as the application's minimum consists of.
func (a *Application) sameSize(g *Group) bool {
	for i, amount := range a.Executor {
		if g.Size[i] != amount {
			return false
		}
	}
	return true
}

// promised is how many executors of each flavour the application still has to be given of its minimum: as many as it has
// fewer than that, whatever their flavour, where it was let in with more than it has. One that leaves is there until it has left.
func (a *Application) promised(held func(*Group, int) int64) []int64 {
	promised := make([]int64, len(a.Admitted.Executors))
	var left int64
	for flavour, admitted := range a.Admitted.Executors {
		left += admitted
		promised[flavour] = admitted
	}
	for i := range a.Groups {
		if !a.sameSize(&a.Groups[i]) {
			continue
		}
		for flavour := range promised {
			there := held(&a.Groups[i], flavour)
			left -= there
			promised[flavour] -= there
		}
	}
	for flavour := range promised {
		promised[flavour] = max(0, min(promised[flavour], left))
		left -= promised[flavour]
	}
	return promised
}

func heldNow(g *Group, flavour int) int64   { return g.Held[flavour] }
func heldLater(g *Group, flavour int) int64 { return g.stays(flavour) }

// Charge is what an application that was let in takes of the cluster: its driver, its executors until they have ended, and
// what of its minimum is not there yet.
func (s Shape) Charge(a *Application) Amounts { return s.charge(a, heldNow) }

func (s Shape) charge(a *Application, held func(*Group, int) int64) Amounts {
	charge := s.None()
	if !a.running() {
		return charge
	}
	charge.addSize(s.At(a.Admitted.Driver), a.Driver, 1)
	for flavour, promised := range a.promised(held) {
		charge.addSize(s.At(flavour), a.Executor, promised)
		for i := range a.Groups {
			charge.addSize(s.At(flavour), a.Groups[i].Size, held(&a.Groups[i], flavour))
		}
	}
	return charge
}

// leaving is the part of an application's charge that is on its way back: what leaves, but for what its minimum needs again.
func (s Shape) leaving(a *Application) Amounts {
	leaving := s.charge(a, heldNow)
	leaving.sub(s.charge(a, heldLater))
	return leaving
}
