// Package resilience takes from applications what keeps them: the operator that is replaced by another version or killed
// while it leads, and the API server. Nothing may run twice, be lost or start again for it. The operators are processes
// of their own, the API server is real, the pods are played. It has no code of its own: see make test-resilience.
package resilience
