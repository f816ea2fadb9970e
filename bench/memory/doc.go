// Package memory measures how much memory the operator takes to hold many applications and their executors: while they
// come, after a restart that finds all of them, and while executors come and go. There is no node; the pods are played.
// It has no code of its own: see run.
package memory
