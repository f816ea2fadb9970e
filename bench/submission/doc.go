// Package submission measures what it takes to get an application's driver into the cluster: how many a second, how soon,
// with how many writes and how much CPU, each beside a floor or a peer on the same API server. There is no node, so that
// no driver runs. It has no code of its own: see run.
package submission
