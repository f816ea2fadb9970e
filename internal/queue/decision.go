package queue

import "time"

// Decisions are what is to be done, each in the order in which it was decided, and why what waits does.
type Decisions struct {
	Admit   []Admit
	Lift    []Lift
	Reclaim []Take
	Refuse  []Refuse
	// Waits has an entry for each application that still waits.
	Waits []Wait
	// Queues tell of each queue what it has, before the decisions, by name.
	Queues []Usage
}

// Admit lets an application in.
type Admit struct {
	App   string
	Admit Admission
}

// Lift lets executors of a group go, on nodes of a flavour.
type Lift struct {
	App, Group string
	Flavour    int
	Count      int64
}

// Take takes executors back, or the whole of an application.
type Take struct {
	App, Group string
	Flavour    int
	Count      int64
	// Whole says that the application has to stop and wait again.
	Whole bool
	Grace time.Duration
	// For is the queue that wants it.
	For string
	// Why is on what ground.
	Why Ground
}

// Ground is why something is taken back.
type Ground string

// The grounds on which something is taken back.
const (
	// ForGuarantee: another queue wants what it is guaranteed.
	ForGuarantee Ground = "guarantee"
	// ForFairness: another queue has a smaller share than the one that gives.
	ForFairness Ground = "fairness"
	// ForHead: the next application of the same queue is to start.
	ForHead Ground = "head"
)

// Refuse ends the waiting of an application.
type Refuse struct {
	App    string
	Reason Reason
}

// Wait is why an application waits.
type Wait struct {
	App string
	// Place is its place in its queue, from 1.
	Place  int
	Reason Reason
	// Queue is the queue, one of its own or above it, whose bound it is; "" where none is.
	Queue string
	// Resource and Flavour are what there is too little of; "" where it is not that.
	Resource, Flavour string
}

// Reason is why an application waits or was refused.
type Reason string

// The reasons for waiting.
const (
	// Behind: others of its queue go before it.
	Behind Reason = "Behind"
	// NoQueue: its queue is not there, or is not part of a sound tree.
	NoQueue Reason = "NoQueue"
	// NotALeaf: its queue has parts; applications belong in one of them.
	NotALeaf Reason = "NotALeaf"
	// Draining: its queue, or one above it, lets nothing in.
	Draining Reason = "Draining"
	// TooManyRun: as many applications run as may.
	TooManyRun Reason = "TooManyRun"
	// TooManyOfUser: as many applications of the user run as may, or they use as much as they may.
	TooManyOfUser Reason = "TooManyOfUser"
	// DriversFull: drivers use as much as they may.
	DriversFull Reason = "DriversFull"
	// LimitReached: a queue would use more than its limit.
	LimitReached Reason = "LimitReached"
	// BorrowingLimitReached: a queue would borrow more than it may.
	BorrowingLimitReached Reason = "BorrowingLimitReached"
	// NothingFree: the cluster, or what others lend, is used up.
	NothingFree Reason = "NothingFree"
	// NothingSuits: there is no flavour that it could have.
	NothingSuits Reason = "NothingSuits"
	// GivenBack: what it needs is being given back by others.
	GivenBack Reason = "GivenBack"
	// KeptForAnother: what is free is kept for an application that is due before.
	KeptForAnother Reason = "KeptForAnother"
	// NoRoomOnNodes: the queue's share would do, but no nodes have room for the whole of it.
	NoRoomOnNodes Reason = "NoRoomOnNodes"
	// TooBig: it would not fit if nothing else ran.
	TooBig Reason = "TooBig"
)

// The reasons for refusing.
const (
	// WaitedTooLong: it has waited longer than its queue allows.
	WaitedTooLong Reason = "WaitedTooLong"
	// TooManyWait: more wait in its queue, or of its user, than may.
	TooManyWait Reason = "TooManyWait"
)

// Usage is what a queue and its parts have.
type Usage struct {
	Queue string
	// Guaranteed is what it and its parts are guaranteed together.
	Guaranteed, Used, Leaving Amounts
	// Borrowed is what is used beyond that, and Lent what others may be using of what it is guaranteed.
	Borrowed, Lent Amounts
	// Share is its weighted dominant share beyond guarantees, of 1.
	Share            float64
	Running, Waiting int
}
