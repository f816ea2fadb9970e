package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// suspended finds applications that wait because somebody has said so. Kueue says so as well; that is held-by-queue.
func suspended() rule {
	return rule{code: "suspended", find: func(c *Case) (v1alpha1.Cause, bool) {
		if c.Ended || c.kueueQueue() != "" {
			return v1alpha1.Cause{}, false
		}
		held := c.holdsBy("suspend")
		said := c.Application != nil && c.Application.Spec.Suspend
		if !said && (len(held) == 0 || c.state() != v1beta2.ApplicationStateSuspended) {
			return v1alpha1.Cause{}, false
		}
		proofs := held
		if said {
			proofs = sightings{{at: held.first(), proof: v1alpha1.Proof{Object: "SparkApplication/" + c.Name, Field: "spec.suspend", Text: "true"}}}
		}
		cause := proofs.cause(v1alpha1.ConfidenceHigh, fmt.Sprintf("The application %s is suspended: its specification says suspend: true.", c.Name),
			lookAt("See who set it last.", c.kubectl("get sparkapplication %s -o yaml --show-managed-fields", c.Name)),
			v1alpha1.Fix{
				Risk: v1alpha1.RiskChanges, Say: "Let it go on; what was stopped is submitted anew.",
				Command: c.kubectl("patch sparkapplication %s --type=merge -p '{\"spec\":{\"suspend\":false}}'", c.Name),
				Change:  "spec:\n  suspend: false\n",
			})
		cause.Waiting = true
		return cause, true
	}}
}

// kueueQueue is the queue of Kueue that the application waits in or came from; "" if Kueue does not know it.
func (c *Case) kueueQueue() string {
	if c.Application == nil {
		return ""
	}
	return c.Application.Labels[v1alpha1.LabelKueueQueue]
}
