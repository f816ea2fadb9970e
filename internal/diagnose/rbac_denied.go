package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// rbacFormat is that of ForbiddenStatusError and forbiddenMessage in k8s.io/apiserver.
var rbacFormat = regexp.MustCompile(`User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`)

const accountPrefix = "system:serviceaccount:"

// forbidden is what somebody may not do.
type forbidden struct {
	user, verb, resource, group, namespace string
}

// rbacDenied finds drivers, and the operator, that may not do what they have to.
func rbacDenied() rule {
	return rule{code: "rbac-denied", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.refusedBy(refusedByRBAC)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		what := forbiddenIn(seen)
		confidence := v1alpha1.ConfidenceHigh
		if what.user == "" {
			confidence = v1alpha1.ConfidenceMedium
		}
		cause := seen.cause(confidence, what.why(c, seen), what.fixes(c, seen)...)
		cause.Evidence = append(cause.Evidence, c.withoutScheduler(seen)...)
		return cause, true
	}}
}

// forbiddenIn is the first that is told precisely.
func forbiddenIn(seen sightings) forbidden {
	for _, one := range seen {
		if match := rbacFormat.FindStringSubmatch(one.text); match != nil {
			return forbidden{match[1], match[2], match[3], match[4], match[5]}
		}
	}
	return forbidden{}
}

func (f forbidden) account() (namespace, name string, ok bool) {
	namespace, name, ok = strings.Cut(strings.TrimPrefix(f.user, accountPrefix), ":")
	return namespace, name, ok && strings.HasPrefix(f.user, accountPrefix)
}

func (f forbidden) why(c *Case, seen sightings) string {
	namespace, name, isAccount := f.account()
	ofDriver := seen[0].pod != nil
	switch {
	case f.user == "system:anonymous":
		return fmt.Sprintf("The driver has no token for the API server, so it may not %s %s.", f.verb, f.what())
	case isAccount && ofDriver:
		return fmt.Sprintf("The driver's service account %s may not %s %s in the namespace %s.", name, f.verb, f.what(), f.in(c))
	case isAccount:
		return fmt.Sprintf("The service account %s of the namespace %s, as which the run was submitted, may not %s %s in the namespace %s.",
			name, namespace, f.verb, f.what(), f.in(c))
	case f.user != "":
		return fmt.Sprintf("The user %s may not %s %s in the namespace %s.", f.user, f.verb, f.what(), f.in(c))
	case ofDriver:
		return "The API server does not accept the driver's token, or what it may do is not enough."
	}
	return "The run could not be submitted: whoever submitted it has not the rights to."
}

// what is the resource with its group: "pods", "statefulsets.apps".
func (f forbidden) what() string {
	if f.group == "" {
		return f.resource
	}
	return f.resource + "." + f.group
}

func (f forbidden) in(c *Case) string {
	if f.namespace == "" {
		return c.Namespace
	}
	return f.namespace
}

func (f forbidden) fixes(c *Case, seen sightings) []v1alpha1.Fix {
	namespace, name, isAccount := f.account()
	if f.user == "system:anonymous" || !isAccount {
		return []v1alpha1.Fix{
			lookAt("See which service account the driver has, and whether it gets a token (automountServiceAccountToken).",
				c.kubectl("get serviceaccounts -o yaml")),
			edited("Name an account with the rights of a driver.", "driver", "serviceAccount: spark"),
		}
	}
	fixes := []v1alpha1.Fix{lookAt("See what the account may do.",
		fmt.Sprintf("kubectl auth can-i --list --as=%s -n %s", f.user, f.in(c)))}
	if seen[0].pod == nil {
		return append(fixes, v1alpha1.Fix{
			Risk: v1alpha1.RiskLow, Say: "Give the operator its rights again; --namespaces names those that it has to work in.", Command: "brazier install",
		})
	}
	return append(fixes,
		v1alpha1.Fix{
			Risk: v1alpha1.RiskLow, Say: "Bind the account to the Role that brazier install makes for drivers (--namespaces makes it where there is none).",
			Command: fmt.Sprintf("kubectl -n %s create rolebinding %s-driver --role=spark-driver --serviceaccount=%s:%s", f.in(c), name, namespace, name),
		},
		edited("Or name an account that has the rights of a driver.", "driver", "serviceAccount: spark"))
}

// withoutScheduler is the line with which Spark gives up when the API server does not let it (SparkContext.createTaskScheduler).
func (c *Case) withoutScheduler(seen sightings) []v1alpha1.Proof {
	lines := c.lines("External scheduler cannot be instantiated")
	if len(lines) == 0 || slices.ContainsFunc(seen, func(s sighting) bool { return s.text == lines[0].line.Text }) {
		return nil
	}
	proof := lines[0].proof()
	proof.Text = brief(proof.Text)
	return []v1alpha1.Proof{proof}
}
