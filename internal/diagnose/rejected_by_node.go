package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// rejectedByNode finds pods that their node did not take after all: the reasons of pkg/kubelet/lifecycle and of device,
// topology and volume managers.
func rejectedByNode() rule {
	return rule{code: "rejected-by-node", find: func(c *Case) (v1alpha1.Cause, bool) {
		var seen sightings
		for i := range c.Evidence.Pods {
			pod := &c.Evidence.Pods[i]
			if pod.Phase == string(corev1.PodFailed) && isRejection(pod.Reason) && !started(pod) {
				seen = append(seen, sighting{pod: pod, text: pod.Message, at: pod.Created, proof: v1alpha1.Proof{
					Object: "Pod/" + pod.Name, Field: "status.reason", Text: brief(joined(pod.Reason, pod.Message)),
				}})
			}
		}
		if len(seen.sorted()) == 0 || c.survived(seen) {
			return v1alpha1.Cause{}, false
		}
		pod := seen[0].pod
		why, transient := rejectionWhy(seen)
		cause := seen.cause(surely(seen), why,
			lookAt("See what the node has and what runs on it.", "kubectl describe node "+nodeName(seen)),
			edit("Have the run tried again; a rejection uses up no retry.", "spec:\n  restartPolicy:\n    type: OnFailure\n    onFailureRetries: 1\n"))
		if !transient {
			cause.Fixes = byRisk([]v1alpha1.Fix{
				cause.Fixes[0], c.editByHand("Take out what the node does not allow."),
			})
		}
		cause.Transient, cause.Node = transient, pod.Node
		return cause, true
	}}
}

func isRejection(reason string) bool {
	switch reason {
	case "NodeAffinity", "NodePorts", "NodeName", "TopologyAffinityError", "UnexpectedAdmissionError", "VolumeAttachmentLimitExceeded",
		"TaintToleration", "OutOfcpu", "OutOfmemory", "OutOfpods", "OutOfephemeral-storage":
		return true
	}
	return strings.HasPrefix(reason, "OutOf") || isForbiddenByNode(reason)
}

// isForbiddenByNode are the reasons for which no other try helps on such a node.
func isForbiddenByNode(reason string) bool {
	switch reason {
	case "AppArmor", "SysctlForbidden", "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch",
		"InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported", "PodLevelResourcesNotSupported", "PodFeatureUnsupported":
		return true
	}
	return false
}

func rejectionWhy(seen sightings) (string, bool) {
	pod := seen[0].pod
	node := "its node"
	if pod.Node != "" {
		node = "the node " + pod.Node
	}
	if resource, ok := strings.CutPrefix(pod.Reason, "OutOf"); ok {
		return sentence("%s did not take %s: it had not enough %s left by then.", node, seen.who(), resource), true
	}
	if isForbiddenByNode(pod.Reason) {
		return sentence("%s does not allow what %s asks for (%s): %s", node, seen.who(), pod.Reason, firstSentence(pod.Message)), false
	}
	return sentence("%s did not take %s (%s): the scheduler knew it otherwise than it is.", node, seen.who(), pod.Reason), true
}
