package diagnose

import (
	"fmt"
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

var (
	// ErrCallingWebhook in pkg/util/webhook/error.go of k8s.io/apiserver.
	webhookFailed = regexp.MustCompile(`failed calling webhook "([^"]+)": (.*)`)
	// webhookAddress is the Service behind a webhook, as net/http quotes it.
	webhookAddress = regexp.MustCompile(`Post "https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc:`)
	// Words of net/http, crypto/tls and the API server's service resolver, by what they mean.
	webhookUntrusted = regexp.MustCompile(`x509:|tls:|certificate`)
	webhookMissing   = regexp.MustCompile(`service "[^"]+" not found|no such host|service not found`)
	webhookDown      = regexp.MustCompile(`connection refused|no endpoints available|EOF|connection reset|no route to host`)
	webhookSlow      = regexp.MustCompile(`deadline exceeded|Timeout|timeout`)
)

// admissionWebhook finds objects that could not be made because a webhook that has to be asked did not answer.
func admissionWebhook() rule {
	return rule{code: "admission-webhook", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.refusedBy(refusedByWebhookFailure)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		name, how, transient := webhookFault(seen[len(seen)-1].text)
		cause := seen.cause(c.sure(seen),
			sentence("%s cannot be made: the admission webhook %s, which has to be asked, %s.", seen.whatWasRefused(), name, how),
			c.webhookFixes(seen[0].text)...)
		cause.Transient, cause.Waiting = transient, !c.Ended
		return cause, true
	}}
}

// webhookFault names the webhook, says how it failed, and whether that may be over by itself.
func webhookFault(text string) (name, how string, transient bool) {
	match := webhookFailed.FindStringSubmatch(text)
	if match == nil {
		return "of the cluster", "does not answer", true
	}
	switch reason := match[2]; {
	case webhookUntrusted.MatchString(reason):
		return match[1], "has a certificate that the API server does not trust", false
	case webhookMissing.MatchString(reason):
		return match[1], "has no Service any more", false
	case webhookDown.MatchString(reason):
		return match[1], "is not running", true
	case webhookSlow.MatchString(reason):
		return match[1], "does not answer in time", true
	}
	return match[1], "failed", true
}

func (c *Case) webhookFixes(text string) []v1alpha1.Fix {
	fixes := []v1alpha1.Fix{lookAt("Find the configuration of the webhook: its owner has to mend it, or to let failures pass (failurePolicy: Ignore).",
		"kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations")}
	if match := webhookAddress.FindStringSubmatch(text); match != nil {
		fixes = append(fixes, lookAt("See whether anything answers for it.",
			fmt.Sprintf("kubectl -n %s get endpointslices -l kubernetes.io/service-name=%s", match[2], match[1])))
	}
	if !c.Ended && c.state() != v1beta2.ApplicationStateFailedSubmission {
		return fixes // the operator tries again, and so does a driver
	}
	return append(fixes, edit("Have submissions tried again.", "spec:\n  restartPolicy:\n    type: OnFailure\n    onSubmissionFailureRetries: 3\n"))
}
