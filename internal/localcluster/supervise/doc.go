// Package supervise keeps the parts of the embedded cluster running. One supervisor process starts them, probes them,
// restarts those that end or hang, with a growing delay, and bounds their logs. The parts are not tied to its life:
// where it is killed, they go on, and the next supervisor adopts them. It is told what to run, and asked how that goes,
// over a unix socket; what the parts are is no business of this package (package part says that).
package supervise
