package diagnose

import (
	"fmt"
	"regexp"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// refusedObject is what an API error is about: `pods "pi-driver" is forbidden: …`, `Pod "pi-driver" is invalid: …`.
var refusedObject = regexp.MustCompile(`([A-Za-z.]+) "([^"]+)" (?:is forbidden|is invalid|already exists|not found)`)

var (
	missingAccount  = regexp.MustCompile(`error looking up service account ([^/\s]+)/([a-z0-9.-]+):.*not found`)
	missingPriority = regexp.MustCompile(`no PriorityClass with name ([a-z0-9.-]+) was found`)
	missingRuntime  = regexp.MustCompile(`RuntimeClass "([a-z0-9.-]+)" not found|RuntimeClass\.node\.k8s\.io "([a-z0-9.-]+)" not found`)
	missingKind     = regexp.MustCompile(`no matches for kind "([A-Za-z]+)" in version "([^"]+)"`)
	endingNamespace = regexp.MustCompile(`because it is being terminated`)
	passingTrouble  = regexp.MustCompile(`(?i)timed? ?out|too many requests|connection refused|connection reset|deadline exceeded|TLS handshake|EOF\b|etcdserver|the object has been modified|unable to handle the request|Internal error occurred`)
)

// submissionRefused finds runs that the API server, or the operator before it, did not take, for reasons that no rule of
// its own has: quotas, webhooks, policies and rights have.
func submissionRefused() rule {
	return rule{code: "submission-refused", find: func(c *Case) (v1alpha1.Cause, bool) {
		var seen sightings
		for _, one := range c.refusedSubmissions() {
			if kindOf(one.text) == refusedOtherwise {
				seen = append(seen, one)
			}
		}
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		cause := seen.cause(v1alpha1.ConfidenceHigh, "", lookAt("See the whole message.",
			c.kubectl("get sparkapplication %s -o jsonpath='{.status.applicationState.errorMessage}'", c.Name)))
		var fix v1alpha1.Fix
		cause.Why, fix, cause.Transient = refusalOf(c, seen[len(seen)-1].text)
		cause.Fixes = byRisk(append(cause.Fixes, fix))
		return cause, true
	}}
}

// refusalOf words a refusal, says what can be done about it, and whether it may be over at the next attempt.
func refusalOf(c *Case, text string) (string, v1alpha1.Fix, bool) {
	if match := missingAccount.FindStringSubmatch(text); match != nil {
		return fmt.Sprintf("The service account %s that the application names does not exist in the namespace %s.", match[2], match[1]),
			v1alpha1.Fix{
				Risk: v1alpha1.RiskLow, Say: "Make the account, and give it the rights of a driver (docs/install.md, --namespaces).",
				Command: fmt.Sprintf("kubectl -n %s create serviceaccount %s", match[1], match[2]),
			}, false
	}
	if match := missingPriority.FindStringSubmatch(text); match != nil {
		return fmt.Sprintf("The priority class %s that the application names does not exist.", match[1]),
			lookAt("See which priority classes there are.", "kubectl get priorityclasses"), false
	}
	if match := missingRuntime.FindStringSubmatch(text); match != nil {
		return fmt.Sprintf("The runtime class %s that the application names does not exist.", match[1]+match[2]),
			lookAt("See which runtime classes there are.", "kubectl get runtimeclasses"), false
	}
	if match := missingKind.FindStringSubmatch(text); match != nil {
		return fmt.Sprintf("The application needs an object of the kind %s (%s), which this cluster does not have.", match[1], match[2]),
			lookAt("Install what brings that kind, or take out spec.batchScheduler where it asks for it.", "kubectl api-resources"), false
	}
	if endingNamespace.MatchString(text) {
		return fmt.Sprintf("The namespace %s is being deleted, so nothing can be made in it.", c.Namespace),
			lookAt("See what keeps the namespace.", "kubectl get namespace "+c.Namespace+" -o yaml"), false
	}
	if passingTrouble.MatchString(text) {
		return "The API server did not answer the submission as it should.",
			edit("Have submissions tried again.", "spec:\n  restartPolicy:\n    type: OnFailure\n    onSubmissionFailureRetries: 3\n"), true
	}
	return refusalOfObject(c, text)
}

func refusalOfObject(c *Case, text string) (string, v1alpha1.Fix, bool) {
	fix := c.editByHand("Change what the message names.")
	match := refusedObject.FindStringSubmatch(text)
	if match == nil {
		return "The submission was refused: " + firstSentence(text), fix, false
	}
	return fmt.Sprintf("The submission was refused: the API server does not take %s %s.", match[1], match[2]), fix, false
}

// firstSentence is a message without what follows its first line, and with one full stop.
func firstSentence(text string) string {
	text = brief(firstLine(text))
	if len(text) > maxText/2 {
		text = strings.ToValidUTF8(text[:maxText/2], "") + "…"
	}
	if text == "" || strings.HasSuffix(text, ".") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}
