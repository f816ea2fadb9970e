package diagnose

import (
	"fmt"
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// podSecurityFormat is that of admission/admission.go in k8s.io/pod-security-admission.
var podSecurityFormat = regexp.MustCompile(`violates PodSecurity "([a-z]+):([a-z0-9.]+)": (.*)`)

// podSecurity finds pods that the namespace's Pod Security Standard does not allow.
func podSecurity() rule {
	return rule{code: "pod-security", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.refusedBy(refusedByPodSecurity)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		level, reason := "", seen[0].text
		if match := podSecurityFormat.FindStringSubmatch(quoted(seen[0].text)); match != nil {
			level, reason = match[1]+" ", checks(match[3])
		}
		cause := seen.cause(c.sure(seen), fmt.Sprintf("The namespace %s enforces the %sPod Security Standard, which does not allow %s: %s",
			c.Namespace, level, seen.whatWasRefused(), firstSentence(reason)),
			lookAt("See what the namespace enforces.", fmt.Sprintf("kubectl get namespace %s --show-labels", c.Namespace)),
			edited("Give the pod what the standard asks for; sidecars and init containers need it as well.", seen.refusedSection(), `
podSecurityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}`))
		cause.Waiting = !c.Ended
		return cause, true
	}}
}

// checkDetails is what the plugin says of a check beside its name.
var checkDetails = regexp.MustCompile(` \([^()]*\)`)

// checks are the names of the checks that a pod did not pass, without which containers did not and what they must set.
func checks(reason string) string { return checkDetails.ReplaceAllString(reason, "") }
