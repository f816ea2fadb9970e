package diagnose

import (
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	deniedByWebhook = regexp.MustCompile(`admission webhook "([^"]+)" denied the request(?:: (.*)| without explanation)`)
	deniedByPolicy  = regexp.MustCompile(`ValidatingAdmissionPolicy '([^']+)'(?: with binding '[^']+')? denied request: (.*)`)
)

// admissionDenied finds objects that a policy of the cluster does not allow: the decision of a webhook or of a
// ValidatingAdmissionPolicy.
func admissionDenied() rule {
	return rule{code: "admission-denied", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.refusedBy(refusedByPolicy)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		by, reason := denial(quoted(seen[0].text))
		cause := seen.cause(c.sure(seen), sentence("%s does not allow %s: %s", by, seen.whatWasRefused(), firstSentence(reason)),
			lookAt("See which policies there are; the message is of the one that decided.",
				"kubectl get validatingadmissionpolicies,validatingwebhookconfigurations"),
			c.editByHand("Change what the policy names, or ask its owner for an exception."))
		cause.Waiting = !c.Ended
		return cause, true
	}}
}

// denial names who denied a request, and what it said.
func denial(text string) (by, reason string) {
	if match := deniedByPolicy.FindStringSubmatch(text); match != nil {
		return "the policy " + match[1], match[2]
	}
	if match := deniedByWebhook.FindStringSubmatch(text); match != nil && match[2] != "" {
		return "the policy behind the webhook " + match[1], match[2]
	} else if match != nil {
		return "the policy behind the webhook " + match[1], "it does not say why"
	}
	return "a policy of the cluster", text
}
