package incident

import "brazier.sh/brazier/api/brazier/v1alpha1"

// reach is how far what a cause comes from reaches: whom else it can have met.
type reach int

const (
	// reachJob is the job itself: its code, its data, its memory. Two jobs that run out of memory have two problems.
	reachJob reach = iota
	// reachImage is what the job's image has or has not in it, or whether it can be had.
	reachImage
	// reachNamespace is what belongs to a namespace: quotas, rights, Secrets.
	reachNamespace
	// reachCluster is what all of a cluster share.
	reachCluster
)

// reachOf is how far a cause reaches. Codes are those of internal/diagnose. Of one that is not listed, as of a team's own
// rules, what passes by itself is something that jobs share, and what does not is the job's own.
func reachOf(cause v1alpha1.Cause) reach {
	switch cause.Code {
	case "container-out-of-memory", "heap-out-of-memory":
		return reachJob
	case "quota":
		return reachNamespace
	case "image-pull":
		return reachImage
	}
	if cause.Transient {
		return reachCluster
	}
	return reachJob
}
