package diagnose

import (
	"fmt"
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// startTooLate is how the operator words it that a driver took too long (notStarted in its startlimit.go).
const startTooLate = "did not start within"

var startLimit = regexp.MustCompile(`its pod (\S+) did not start within (\S+?)(?:;|$| )`)

// startTimeout finds runs that were given up because their driver did not start in time. What it waited for is another
// cause, where one is found.
func startTimeout() rule {
	return rule{
		code: "start-timeout",
		follows: []string{
			"volume-claim-unbound", "unschedulable", "image-pull", "config-missing", "command-cannot-run", "container-not-created",
			"volume-not-mounted", "pod-sandbox-failed", "init-container-failed", "sidecar-crash-looping", "rejected-by-node",
		},
		find: func(c *Case) (v1alpha1.Cause, bool) {
			match := startLimit.FindStringSubmatch(c.errorMessage())
			if match == nil {
				return v1alpha1.Cause{}, false
			}
			one := sighting{at: c.Application.Status.TerminationTime, proof: v1alpha1.Proof{
				Object: "SparkApplication/" + c.Name, Field: "status.applicationState.errorMessage", Text: brief(c.errorMessage()),
			}}
			cause := sightings{one}.cause(v1alpha1.ConfidenceHigh, fmt.Sprintf("The driver did not start within %s, so the run was given up.", match[2]),
				lookAt("See what its pod waited for, while events are kept.", c.kubectl("get events --field-selector involvedObject.name=%s", match[1])),
				edit("Give it longer.", "metadata:\n  annotations:\n    "+v1beta2.AnnotationDriverStartTimeout+": 30m\n"))
			cause.Transient = true
			return cause, true
		},
	}
}
