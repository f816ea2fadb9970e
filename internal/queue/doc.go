// Package queue decides which applications are let into the cluster, which of their executors may start, and what has to
// be given back: state in, decisions out. It holds no client and no clock; the time is part of the state. The same state
// gives the same decisions, in whatever order its parts are listed.
//
// state.go is what is decided on and decision.go what comes out. Decide (round.go) is the whole of it: settle.go charges what
// runs, tree.go answers whether something fits (quotas, borrowing, lending), share.go whose turn it is (hierarchical dominant
// resource fairness), leaf.go which application of a queue is next, admit.go whether it goes, claim.go on which flavours,
// reclaim.go and victim.go what is taken from whom, room.go whether nodes have room; tell.go says what came of it.
// docs/queues.md tells the algorithm on a page, with its sources. What a queue looks like in the API, and what becomes of a
// decision, is not known here.
package queue
