package diagnose

import (
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// containerNotCreated finds containers that kubelet or the runtime cannot make of a specification that the API server took:
// the reasons are those of kubelet/kuberuntime/kuberuntime_container.go. ConfigMaps and Secrets, and commands, have rules of
// their own.
func containerNotCreated() rule {
	return rule{code: "container-not-created", find: func(c *Case) (v1alpha1.Cause, bool) {
		var seen sightings
		for _, one := range c.waiting("CreateContainerConfigError", "CreateContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError", "RunContainerError") {
			if !namesConfig(one.text) && !notExecutable.MatchString(one.text) {
				seen = append(seen, one)
			}
		}
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		cause := seen.cause(v1alpha1.ConfidenceHigh,
			sentence("the container %s of %s cannot be made: %s", seen[0].container.Name, seen.who(), firstSentence(seen[0].text)),
			lookAt("See what the node says.", c.kubectl("describe pod %s", seen[0].pod.Name)), containerFix(c, seen))
		cause.Waiting, cause.Node = !c.Ended, seen[0].pod.Node
		cause.Transient = strings.Contains(seen[0].text, "deadline exceeded") || strings.Contains(seen[0].text, "is reserved for")
		return cause, true
	}}
}

// containerFix knows runAsNonRoot (kubelet/kuberuntime/security_context_others.go), which Spark's own image does not meet
// by name: its user is a number only in some.
func containerFix(c *Case, seen sightings) v1alpha1.Fix {
	if strings.Contains(seen[0].text, "runAsNonRoot") || strings.Contains(seen[0].text, "non-root") {
		return edited("Say the number of a user other than root; 185 is the user of Spark's images.", seen.section(),
			"podSecurityContext:\n  runAsNonRoot: true\n  runAsUser: 185")
	}
	return c.editByHand("Change what the message names.")
}
