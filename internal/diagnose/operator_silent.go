package diagnose

import (
	"fmt"
	"time"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// operatorPatience is how long a new application may go unnoticed: a new leader takes up to half a minute to begin.
const operatorPatience = 45 * time.Second

// operatorSilent finds applications that no operator has taken up.
func operatorSilent() rule {
	return rule{code: "operator-silent", find: func(c *Case) (v1alpha1.Cause, bool) {
		app := c.Application
		if app == nil || c.Ended || c.state() != v1beta2.ApplicationStateNew || app.Spec.Suspend || !app.DeletionTimestamp.IsZero() ||
			c.driver() != nil || len(c.Evidence.Refusals) > 0 || len(c.holdsBy("suspend", "queue", "quota")) > 0 ||
			app.CreationTimestamp.IsZero() || c.Now.Sub(app.CreationTimestamp.Time) < operatorPatience {
			return v1alpha1.Cause{}, false
		}
		waits := c.Now.Sub(app.CreationTimestamp.Time).Round(time.Second)
		one := sighting{at: app.CreationTimestamp, proof: v1alpha1.Proof{
			Object: "SparkApplication/" + c.Name, Field: "status.applicationState.state", Text: fmt.Sprintf("empty for %s", waits),
		}}
		cause := sightings{one}.cause(v1alpha1.ConfidenceHigh,
			fmt.Sprintf("No operator has taken up the application %s: none runs, or it does not look after the namespace %s.", c.Name, c.Namespace),
			lookAt("See whether the operator runs.", "kubectl -n brazier-system get pods -l app.kubernetes.io/name=brazier"),
			lookAt("See what it says.", "kubectl -n brazier-system logs -l app.kubernetes.io/name=brazier --tail=50"),
			v1alpha1.Fix{
				Risk: v1alpha1.RiskLow, Say: "Install it where there is none, with the namespaces that applications run in.",
				Command: fmt.Sprintf("brazier install --namespaces %s", c.Namespace),
			})
		cause.Waiting, cause.Transient = true, true
		return cause, true
	}}
}
