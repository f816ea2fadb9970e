package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// driverOutOfMemory and executorOutOfMemory find containers that the kernel ended because they used more memory than their
// limit.
func driverOutOfMemory() rule {
	return rule{code: "driver-out-of-memory", follows: []string{"node-pressure", "disrupted"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		return c.outOfMemory(v1alpha1.RoleDriver)
	}}
}

func executorOutOfMemory() rule {
	return rule{code: "executor-out-of-memory", follows: []string{"node-pressure", "disrupted"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		return c.outOfMemory(v1alpha1.RoleExecutor)
	}}
}

func (c *Case) outOfMemory(role v1alpha1.Role) (v1alpha1.Cause, bool) {
	var killed []end
	for _, e := range c.ends(role) {
		if e.reason == "OOMKilled" || e.code == exitKilled && !c.explained(e) {
			killed = append(killed, e)
		}
	}
	if len(killed) == 0 {
		return v1alpha1.Cause{}, false
	}
	first := killed[0]
	confidence := v1alpha1.ConfidenceHigh
	for _, e := range killed {
		if e.reason == "OOMKilled" && first.reason != "OOMKilled" || e.reason == first.reason && e.at.Before(&first.at) && !e.at.IsZero() {
			first = e
		}
	}
	if first.reason != "OOMKilled" {
		// SIGKILL is what the kernel sends, but others do as well.
		confidence = v1alpha1.ConfidenceMedium
	}
	cause := v1alpha1.Cause{
		Why: c.outOfMemoryWhy(first, len(killed)), Confidence: confidence, At: first.at, Node: first.node,
		Evidence: proofs(killed), Fixes: c.moreOverhead(first),
	}
	if role == v1alpha1.RoleExecutor && !c.lossMatters() {
		cause.Confidence = v1alpha1.ConfidenceLow
	}
	return cause, true
}

// explained reports whether somebody else is known to have ended the pod.
func (c *Case) explained(e end) bool {
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if e.pod == "" || pod.Name != e.pod {
			continue
		}
		if pod.Reason != "" || pod.Deleted != nil && e.reason != "OOMKilled" {
			return true
		}
		for _, condition := range pod.Conditions {
			if condition.Type == "DisruptionTarget" {
				return true
			}
		}
	}
	return false
}

func (c *Case) outOfMemoryWhy(e end, times int) string {
	subject := capital(e.name)
	limit := "its limit"
	if e.limit != nil {
		limit = "its limit of " + size(e.limit.Value()/bytesPerMiB)
	}
	why := fmt.Sprintf("%s used more memory than %s and was killed", subject, limit)
	if e.reason != "OOMKilled" {
		why = fmt.Sprintf("%s was killed (exit code %d), probably because it used more memory than %s", subject, e.code, limit)
	}
	if heap, over := c.heapMiB(e.role), c.overheadMiB(e.role, e.limit); heap > 0 && over > 0 {
		why += fmt.Sprintf(": beside the heap of %s there were %s", size(heap), size(over))
		if c.python() {
			why += ", which Python's processes share"
		}
	}
	if times > 1 {
		why += fmt.Sprintf(" (%d executors in all)", times)
	}
	return why + "."
}

// moreOverhead is what helps: a larger heap fills the same container sooner.
func (c *Case) moreOverhead(e end) []v1alpha1.Fix {
	var fixes []v1alpha1.Fix
	if e.pod != "" {
		fixes = append(fixes, c.describe("Pod/"+e.pod, "See the container's limit and how it ended."))
	} else {
		fixes = append(fixes, c.driverLog())
	}
	if c.conf("spark.kubernetes.local.dirs.tmpfs") == "true" {
		fixes = append(fixes, change("Keep local directories on disk: on tmpfs all that is spilt and shuffled counts as memory.",
			sparkConf("spark.kubernetes.local.dirs.tmpfs", "false")))
	}
	over := c.overheadMiB(e.role, e.limit)
	if over == 0 {
		return append(fixes, change("Raise memoryOverhead, not memory: it was not the heap that had no room.", ""))
	}
	fixes = append(fixes, change(fmt.Sprintf("Raise memoryOverhead from %s to %s, and leave the heap as it is.", size(over), size(nextMiB(over))),
		roleField(e.role, "memoryOverhead", fmt.Sprintf("%dm", nextMiB(over)))))
	if e.role == v1alpha1.RoleExecutor && c.python() && c.conf("spark.executor.pyspark.memory") == "" {
		fixes = append(fixes, change("Or give Python's processes a bound, within which they fail by themselves and say where.",
			sparkConf("spark.executor.pyspark.memory", fmt.Sprintf("%dm", nextMiB(over)))))
	}
	return fixes
}

// mostProofs is how many things a cause cites.
const mostProofs = 3

func proofs(ends []end) []v1alpha1.Proof {
	var all []v1alpha1.Proof
	for _, e := range ends[:min(len(ends), mostProofs)] {
		all = append(all, e.proof)
	}
	return all
}

// lossMatters reports whether the end of executors can be why the run failed: not where the driver's last exception is of
// something else, since Spark replaces executors.
func (c *Case) lossMatters() bool {
	failure := c.failure()
	if failure == nil || failure.logged || len(failure.thrown) == 0 || !c.Ended {
		return true
	}
	return len(having(failure.lines,
		"ExecutorLostFailure", "exited caused by", "FetchFailed", "maximum allowable number of times", "executor failures",
		"Could not execute broadcast", "SparkContext was shut down", "SparkContext has been shutdown", "Could not recover from a failed barrier",
		"stopped SparkContext", "Failed to get broadcast", "BlockNotFoundException", "Connection reset", "Connection refused")) > 0
}
