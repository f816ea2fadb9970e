package incident

import "brazier.sh/brazier/api/brazier/v1alpha1"

// reach is how far what a cause comes from reaches: whom else it can have met.
type reach int

const (
	// reachJob is the job itself: its code, its data, its memory. Two jobs that run out of memory have two problems.
	reachJob reach = iota
	// reachImage is what an image has or has not in it, or whether it can be had.
	reachImage
	// reachNamespace is what belongs to a namespace: quotas, rights, Secrets.
	reachNamespace
	// reachCluster is what all of a cluster share.
	reachCluster
)

// reachOf is how far a cause reaches. Codes are those of internal/diagnose. Of one that is not listed, as of a team's own
// rules, what passes by itself is taken for something that jobs share, and what does not for the job's own.
func reachOf(cause v1alpha1.Cause) reach {
	switch cause.Code {
	case "image-pull", "command-cannot-run", "class-missing", "python-module-missing", "version-skew", "native-crash":
		return reachImage
	case "quota-exceeded", "limit-range", "rbac-denied", "config-missing", "pod-security", "held-by-queue", "storage-denied",
		"authentication-failed":
		return reachNamespace
	case "admission-webhook", "admission-denied", "operator-silent", "unschedulable", "node-pressure", "disrupted", "rejected-by-node",
		"pod-sandbox-failed", "container-not-created", "volume-claim-unbound", "volume-not-mounted", "driver-unreachable",
		"api-server-unreachable", "executor-silent", "storage-unreachable", "dependency-unresolved", "start-timeout":
		return reachCluster
	case "driver-out-of-memory", "executor-out-of-memory", "driver-heap-out-of-memory", "executor-heap-out-of-memory",
		"result-too-large", "broadcast-timeout", "broadcast-too-large", "shuffle-lost", "python-worker-crash", "evicted-for-overuse",
		"scratch-disk-full", "executor-failures", "suspended", "driver-deleted":
		return reachJob
	}
	if cause.Transient {
		return reachCluster
	}
	return reachJob
}

// placed reports whether the place where a cause was met may be why. What a job or an image brings with it, it brings to
// every node; but a disk that is full may be full of others' files.
func placed(cause v1alpha1.Cause) bool {
	return cause.Transient || cause.Code == "scratch-disk-full" || reachOf(cause) == reachCluster
}
