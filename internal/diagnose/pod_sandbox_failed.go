package diagnose

import (
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Words of CNI plugins and container runtimes.
var (
	addressesGone = regexp.MustCompile(`(?i)no (?:available )?(?:IP|addresses|IPs)|failed to (?:assign|allocate).*(?:IP|address)|no IP addresses available|InsufficientFreeAddresses|not enough IPs`)
	networkDown   = regexp.MustCompile(`(?i)cni|network plugin|NetworkNotReady|network is not ready|setup network`)
	runtimeClass  = regexp.MustCompile(`RuntimeHandler "?([^"\s]+)"? not supported|no runtime for "([^"]+)" is configured`)
)

// podSandboxFailed finds pods for which their node cannot make the sandbox: mostly because of its network.
func podSandboxFailed() rule {
	return rule{code: "pod-sandbox-failed", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.told(func(e *v1alpha1.Event) bool { return c.lasting(e) }, "FailedCreatePodSandBox", "NetworkNotReady")
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		text := seen[0].proof.Field + " " + seen[0].text
		why, transient := "its node cannot make its sandbox", true
		switch {
		case runtimeClass.MatchString(text):
			match := runtimeClass.FindStringSubmatch(text)
			why, transient = "its node does not know the runtime "+match[1]+match[2], false
		case addressesGone.MatchString(text):
			why = "its node has no IP address left for it"
		case networkDown.MatchString(text):
			why = "the network plugin of its node does not work"
		}
		cause := seen.cause(v1alpha1.ConfidenceHigh, sentence("%s cannot start: %s.", seen.who(), why),
			lookAt("See whether the node and the network's own pods on it are well.",
				"kubectl get pods -A -o wide --field-selector spec.nodeName="+nodeName(seen)),
			v1alpha1.Fix{
				Risk: v1alpha1.RiskChanges, Say: "Keep pods away from the node until it is well.", Command: "kubectl cordon " + nodeName(seen),
			})
		cause.Waiting, cause.Transient = !c.Ended, transient
		if seen[0].pod != nil {
			cause.Node = seen[0].pod.Node
		}
		return cause, true
	}}
}
