package queue

import (
	"fmt"

	engine "brazier.sh/brazier/internal/queue"
)

// told is what an application is told of why it waits. It names its own queue and those above it, and nobody else's.
func told(queue string, wait engine.Wait) string {
	return fmt.Sprintf("%s in queue %s: %s", place(wait.Place), queue, why(queue, wait))
}

// place says which place it is, less exactly the further it is behind: status is written whenever the words change.
func place(n int) string {
	step := 1
	for n/step >= 20 {
		step *= 10
	}
	if step == 1 {
		return fmt.Sprintf("place %d", n)
	}
	return fmt.Sprintf("about place %d", n/step*step)
}

func why(queue string, wait engine.Wait) string {
	bound := wait.Queue // whose bound it is
	if bound == "" {
		bound = queue
	}
	switch wait.Reason {
	case engine.Behind:
		return "others go before it"
	case engine.NoQueue:
		return "there is no such queue, or it is not part of the tree of queues"
	case engine.NotALeaf:
		return "the queue has parts; put the application into one of them"
	case engine.Draining:
		return fmt.Sprintf("queue %s is drained", bound)
	case engine.TooManyRun:
		return fmt.Sprintf("as many applications of queue %s run as may", bound)
	case engine.TooManyOfUser:
		return "its user has as much in the queue as one user may"
	case engine.DriversFull:
		return fmt.Sprintf("drivers have as much of queue %s as they may", bound)
	case engine.LimitReached:
		return fmt.Sprintf("queue %s has as much %s as it may", bound, what(wait))
	case engine.BorrowingLimitReached:
		return fmt.Sprintf("queue %s has borrowed as much %s as it may", bound, what(wait))
	case engine.NothingFree:
		return fmt.Sprintf("not enough %s is free", what(wait))
	case engine.NothingSuits:
		return "the queue has no flavour of nodes for it"
	case engine.GivenBack:
		return "what it needs is being given back by others"
	case engine.KeptForAnother:
		return fmt.Sprintf("what is free of %s is kept for one that is due before", what(wait))
	case engine.NoRoomOnNodes:
		return "there is no room on nodes for the whole of it"
	case engine.TooBig:
		return fmt.Sprintf("it needs more %s than there could be for it; make it smaller, or change queue %s", what(wait), bound)
	}
	return string(wait.Reason)
}

// what is what there is too little of.
func what(wait engine.Wait) string {
	switch {
	case wait.Resource == "":
		return "of what it needs"
	case wait.Flavour == "":
		return wait.Resource
	}
	return fmt.Sprintf("%s on %s nodes", wait.Resource, wait.Flavour)
}

// takenFor says on what ground something is taken back, without a word about whom it is for.
func takenFor(ground engine.Ground) string {
	switch ground {
	case engine.ForGuarantee:
		return "another queue wants what it is guaranteed"
	case engine.ForFairness:
		return "another queue has a smaller share"
	case engine.ForHead:
		return "the next application of the same queue is to start"
	}
	return string(ground)
}
