// Package simulation replays the applications of a trace against a tree of queues and a cluster, and reports how long they
// waited, what was used and how fairly it was shared. It is pure: a trace, a tree and a cluster in, a report out, with a
// clock of its own.
//
// Who is let in, what may grow and what is given back is the word of an Engine: the operator's own (internal/queue), or one
// of those that it is compared with (engines.go). trace.go is what is replayed, run.go the events, job.go what applications
// make of decisions, nodes.go where pods find room, measure.go what is observed, report.go what is made of it, generate.go a
// day that never was. What the simulation leaves out is in docs/simulate.md.
package simulation
