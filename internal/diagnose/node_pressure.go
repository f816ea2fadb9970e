package diagnose

import (
	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// nodePressure finds pods that were evicted, or not admitted, because their node was short of something that they had not
// taken themselves.
func nodePressure() rule {
	return rule{code: "node-pressure", find: func(c *Case) (v1alpha1.Cause, bool) {
		all, seen := c.evictedFor(evictedForNode)
		if len(all) == 0 || c.survived(seen) {
			return v1alpha1.Cause{}, false
		}
		node, section := "its node", seen.section()
		if pod := seen[0].pod; pod != nil && pod.Node != "" {
			node = "the node " + pod.Node
		}
		why := sentence("%s was evicted: %s was short of what it runs on.", seen.who(), node)
		if low := all[0].low(); low != "" {
			why = sentence("%s was evicted: %s was low on %s, which other pods or the node itself had used.", seen.who(), node, low)
		} else if match := nodeCondition.FindStringSubmatch(all[0].message); match != nil {
			why = sentence("%s was not admitted: %s had the condition %s.", seen.who(), node, match[1])
		}
		cause := seen.cause(surely(seen), why,
			lookAt("See what the node is short of, and who uses it.", "kubectl describe node "+nodeName(seen)),
			edited("Ask for what is used: pods that use no more than they request are evicted last.",
				section, "memoryOverhead: 1g"),
			edit("Have the run tried again; an eviction for the node's sake uses up no retry.", "spec:\n  restartPolicy:\n    type: OnFailure\n    onFailureRetries: 1\n"))
		cause.Transient = true
		if seen[0].pod != nil {
			cause.Node = seen[0].pod.Node
		}
		return cause, true
	}}
}

// nodeName is the node of the first sighting, or a place to write it.
func nodeName(seen sightings) string {
	if len(seen) == 0 || seen[0].pod == nil || seen[0].pod.Node == "" {
		return "NODE"
	}
	return seen[0].pod.Node
}
