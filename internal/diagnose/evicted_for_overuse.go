package diagnose

import "brazier.sh/brazier/api/brazier/v1alpha1"

// evictedForUse finds pods that were evicted because they used more of the node than they had requested, when it ran short.
func evictedForUse() rule {
	return rule{code: "evicted-for-overuse", find: func(c *Case) (v1alpha1.Cause, bool) {
		all, seen := c.evictedFor(evictedForOveruse)
		if len(all) == 0 || c.survived(seen) {
			return v1alpha1.Cause{}, false
		}
		container, using, request, _ := all[0].overuse()
		cause := seen.cause(surely(seen),
			sentence("%s was evicted when its node ran low on %s: %s used %s and had requested %s.", seen.who(), all[0].low(), container, using, request),
			lookAt("See what else runs on the node.", "kubectl describe node "+nodeName(seen)),
			edited("Request what is used; memoryLimit above what is requested is room that the node may take back.", seen.section(),
				"memoryOverhead: 2g # and no memoryLimit above memory with memoryOverhead"))
		if seen[0].pod != nil {
			cause.Node = seen[0].pod.Node
		}
		return cause, true
	}}
}
