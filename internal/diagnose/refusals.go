package diagnose

import (
	"regexp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// refusals returns what was said of objects that the API server did not take: by the operator when it submitted the run,
// or by the driver when it made executors.
func (c *Case) refusals() sightings {
	return slices.Concat(c.refusedSubmissions(), c.triedAgain(), c.refusedToDriver())
}

// tryingAgain is the reason of the operator's event about an error that it takes for one that passes. It says the same once.
const tryingAgain = "TryingAgain"

// triedAgain are the attempts to make the driver that the operator goes on with, of which nothing is in status.
func (c *Case) triedAgain() sightings {
	var all sightings
	if state := c.state(); c.driver() != nil || state != v1beta2.ApplicationStateNew && state != v1beta2.ApplicationStateSubmitted {
		return nil
	}
	for _, event := range c.events(tryingAgain) {
		if event.Object != "SparkApplication/"+c.Name || kindOf(event.Message) == refusedOtherwise {
			continue
		}
		all = append(all, sighting{text: event.Message, at: event.First, proof: eventProof(event)})
	}
	return all
}

// refusedSubmissions are those that no later attempt has got over.
func (c *Case) refusedSubmissions() sightings {
	var all sightings
	driver := c.driver()
	for _, refusal := range c.Evidence.Refusals {
		if driver != nil && !driver.Created.Time.Before(refusal.At.Time) {
			continue
		}
		all = append(all, c.refused(refusal.Message, "status.applicationState.errorMessage", refusal.At))
	}
	if len(all) == 0 && driver == nil && c.state() == v1beta2.ApplicationStateFailedSubmission && c.errorMessage() != "" {
		all = append(all, c.refused(c.errorMessage(), "status.applicationState.errorMessage", metav1.Time{}))
	}
	return all
}

func (c *Case) refused(message, field string, at metav1.Time) sighting {
	proof := v1alpha1.Proof{Object: "SparkApplication/" + c.Name, Field: field, Text: brief(message)}
	if !at.IsZero() {
		micro := metav1.NewMicroTime(at.Time)
		proof.At = &micro
	}
	return sighting{text: message, at: at, proof: proof}
}

// refusedToDriver are the lines of the driver's log that quote a refusal: the exceptions of the Kubernetes client that
// Spark uses (fabric8's KubernetesClientException), or what the API server itself says.
func (c *Case) refusedToDriver() sightings {
	var all sightings
	for _, f := range c.lines("is forbidden", "failed calling webhook", "denied the request", "denied request", "Unauthorized") {
		pod := c.podNamed(f.log.Pod)
		if pod == nil || pod.Role != v1alpha1.RoleDriver || c.isStale(f) {
			continue
		}
		proof := f.proof()
		proof.Text = brief(quoted(textOf(f)))
		all = append(all, sighting{pod: pod, text: textOf(f), at: timeOf(f), proof: proof})
	}
	return all
}

// clientException is what fabric8 puts before and after the API server's words.
var clientException = regexp.MustCompile(`(?:Failure executing: .*?)?Message: (.*?)(?:\. Received status: .*)?$`)

// quoted is the API server's part of a line, if it is told apart.
func quoted(line string) string {
	if match := clientException.FindStringSubmatch(line); match != nil && match[1] != "" {
		return match[1]
	}
	return line
}

// isStale reports whether f was said of something that a run which goes on has got over.
func (c *Case) isStale(f found) bool {
	at := timeOf(f)
	return !c.Ended && !at.IsZero() && c.Now.Sub(at.Time) > stale
}

// textOf is a line with the quotation marks that a structured log escapes.
func textOf(f found) string { return strings.ReplaceAll(f.line.Text, `\"`, `"`) }

func timeOf(f found) metav1.Time {
	if f.line.At == nil {
		return metav1.Time{}
	}
	return metav1.NewTime(f.line.At.Time)
}

// kind of a refusal, by which each rule finds its own.
type refusalKind int

const (
	refusedOtherwise refusalKind = iota
	refusedByQuota
	refusedByLimitRange
	refusedByWebhookFailure
	refusedByPolicy
	refusedByPodSecurity
	refusedByRBAC
)

var (
	// plugin/resourcequota/controller.go in k8s.io/apiserver.
	quotaWords = regexp.MustCompile(`exceeded quota: |failed quota: |insufficient quota to (?:consume|match)`)
	// plugin/pkg/admission/limitranger/admission.go in k8s.io/kubernetes.
	limitWords = regexp.MustCompile(`(?:maximum|minimum) \S+ usage per (?:Container|Pod|PersistentVolumeClaim) is |max limit to request ratio per `)
	// plugin/policy/validating/dispatcher.go and plugin/webhook/errors/statuserror.go in k8s.io/apiserver.
	policyWords = regexp.MustCompile(`admission webhook "[^"]*" denied the request|ValidatingAdmissionPolicy '[^']*'.* denied request`)
	// responsewriters.ForbiddenStatusError in k8s.io/apiserver.
	rbacWords = regexp.MustCompile(`User "[^"]*" cannot \S+ (?:resource|path)|attempting to grant RBAC permissions not currently held|(?:KubernetesClientException|kubernetes\.default).*Unauthorized|^Unauthorized$`)
)

func kindOf(text string) refusalKind {
	switch {
	case strings.Contains(text, "failed calling webhook"):
		return refusedByWebhookFailure
	case policyWords.MatchString(text):
		return refusedByPolicy
	case strings.Contains(text, "violates PodSecurity "): // k8s.io/pod-security-admission
		return refusedByPodSecurity
	case quotaWords.MatchString(text):
		return refusedByQuota
	case limitWords.MatchString(text):
		return refusedByLimitRange
	case rbacWords.MatchString(text):
		return refusedByRBAC
	}
	return refusedOtherwise
}

// refusedBy returns the refusals of a kind.
func (c *Case) refusedBy(kind refusalKind) sightings {
	var all sightings
	for _, one := range c.refusals() {
		if kindOf(one.text) == kind {
			all = append(all, one)
		}
	}
	return all
}

// whatWasRefused is "the driver" of a run that was not submitted, "executors" where the driver asked for them.
func (s sightings) whatWasRefused() string {
	if len(s) > 0 && s[0].pod != nil {
		return "executors"
	}
	return "the driver"
}

// refusedSection is where what was refused is described. The dry run before a submission is of an executor too, and is
// known by its name.
func (s sightings) refusedSection() string {
	if len(s) > 0 && (s[0].pod != nil || strings.Contains(s[0].text, "-exec-") || strings.Contains(s[0].text, "executor")) {
		return "executor"
	}
	return "driver"
}

// sure is high for what kept a run from being submitted or keeps it waiting; a driver that was refused executors may have
// failed of something else.
func (c *Case) sure(s sightings) v1alpha1.Confidence {
	if len(s) > 0 && s[0].pod != nil && c.Ended {
		return v1alpha1.ConfidenceMedium
	}
	return v1alpha1.ConfidenceHigh
}
