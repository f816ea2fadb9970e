package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// The formats of plugin/resourcequota/controller.go in k8s.io/apiserver, and of Constraints in
// pkg/quota/v1/evaluator/core/pods.go.
var (
	quotaExceededFormat = regexp.MustCompile(`exceeded quota: ([a-z0-9.-]+), requested: ([^ ]*), used: ([^ ]*), limited: ([^ :"]*)`)
	quotaMustSpecify    = regexp.MustCompile(`failed quota: ([a-z0-9.-]+): must specify ([^\s"]+) for: ([a-z0-9,-]+)`)
)

// overQuota is what a quota said of a request.
type overQuota struct {
	quota              string
	resources          []string
	asked, used, limit map[string]string
	// mustSpecify is what the quota wants containers to say, ofWhom those that do not.
	mustSpecify, ofWhom string
	understoodIt        bool
}

// quotaExceeded finds runs that a ResourceQuota leaves no room for: at submission, when the driver asks for executors, or
// where the operator holds them back because of one.
func quotaExceeded() rule {
	return rule{code: "quota-exceeded", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := append(c.refusedBy(refusedByQuota), c.holdsBy("quota")...)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		quota := parseQuota(seen[len(seen)-1].text)
		if !quota.understoodIt {
			quota = parseQuota(seen[0].text)
		}
		cause := seen.cause(c.sure(seen), quota.why(c, seen), quota.fixes(c, seen)...)
		cause.Evidence = append(cause.Evidence, quota.state(c)...)
		cause.Transient = quota.mustSpecify == "" && !quota.hopeless()
		cause.Waiting = !c.Ended
		return cause, true
	}}
}

func parseQuota(text string) overQuota {
	if match := quotaMustSpecify.FindStringSubmatch(text); match != nil {
		return overQuota{quota: match[1], mustSpecify: match[2], ofWhom: match[3], understoodIt: true}
	}
	match := quotaExceededFormat.FindStringSubmatch(text)
	if match == nil {
		return overQuota{}
	}
	quota := overQuota{
		quota: match[1], asked: amounts(match[2]), used: amounts(match[3]), limit: amounts(match[4]), understoodIt: true,
	}
	for name := range quota.asked {
		quota.resources = append(quota.resources, name)
	}
	slices.Sort(quota.resources)
	return quota
}

// amounts reads "limits.cpu=1,pods=2".
func amounts(text string) map[string]string {
	all := make(map[string]string)
	for pair := range strings.SplitSeq(strings.TrimRight(text, ".,"), ",") {
		if name, amount, ok := strings.Cut(pair, "="); ok {
			all[name] = amount
		}
	}
	return all
}

func (q overQuota) why(c *Case, seen sightings) string {
	what := seen.whatWasRefused()
	switch {
	case q.mustSpecify != "":
		return sentence("%s cannot be made: the quota %s wants every container to say %s, and %s does not.", what, q.quota, q.mustSpecify, q.ofWhom)
	case !q.understoodIt:
		return fmt.Sprintf("A quota of the namespace %s leaves no room for %s.", c.Namespace, what)
	}
	var parts []string
	for _, name := range q.resources {
		parts = append(parts, fmt.Sprintf("%s: asked %s, used %s of %s", name, q.asked[name], q.used[name], q.limit[name]))
	}
	return fmt.Sprintf("The quota %s of the namespace %s leaves no room for %s (%s).", q.quota, c.Namespace, what, strings.Join(parts, "; "))
}

// hopeless reports whether more is asked for than the quota allows with nothing else used.
func (q overQuota) hopeless() bool {
	return slices.ContainsFunc(q.resources, func(name string) bool {
		asked, err := resource.ParseQuantity(q.asked[name])
		limit, err2 := resource.ParseQuantity(q.limit[name])
		return err == nil && err2 == nil && asked.Cmp(limit) > 0
	})
}

func (q overQuota) fixes(c *Case, seen sightings) []v1alpha1.Fix {
	if q.mustSpecify != "" {
		say := fmt.Sprintf("Say it for Spark's container, and for sidecars and init containers: %s.", q.mustSpecify)
		if fields := specified(q.mustSpecify); fields != "" {
			return []v1alpha1.Fix{q.look(c), edited(say, seen.refusedSection(), fields)}
		}
		return []v1alpha1.Fix{q.look(c), c.editByHand(say)}
	}
	fixes := []v1alpha1.Fix{q.look(c)}
	if seen.whatWasRefused() == "executors" {
		fixes = append(fixes, edited("Ask for fewer or smaller executors.", "executor", "instances: 1\ncores: 1\nmemory: 1g"))
	} else {
		fixes = append(fixes, edited("Ask for less, or wait until others are done.", seen.refusedSection(), "cores: 1\nmemory: 1g"))
	}
	if patch := q.raise(); patch != "" {
		fixes = append(fixes, v1alpha1.Fix{
			Risk: v1alpha1.RiskChanges, Say: "Raise the quota (its owner's decision).",
			Command: c.kubectl("patch resourcequota %s --type=merge -p '%s'", q.quota, patch),
		})
	}
	return fixes
}

func (q overQuota) look(c *Case) v1alpha1.Fix {
	return lookAt("See what the quota allows and what is used.", strings.TrimSpace(c.kubectl("describe resourcequota %s", q.quota)))
}

// raise is a patch with which the request would just have fitted.
func (q overQuota) raise() string {
	var parts []string
	for _, name := range q.resources {
		used, err := resource.ParseQuantity(q.used[name])
		asked, err2 := resource.ParseQuantity(q.asked[name])
		if err != nil || err2 != nil {
			return ""
		}
		used.Add(asked)
		parts = append(parts, fmt.Sprintf(`%q:%q`, name, used.String()))
	}
	if len(parts) == 0 {
		return ""
	}
	return `{"spec":{"hard":{` + strings.Join(parts, ",") + `}}}`
}

// specified are the fields that make Spark's container say what a quota wants.
func specified(resources string) string {
	var lines []string
	for name := range strings.SplitSeq(resources, ",") {
		switch name {
		case "limits.cpu":
			lines = append(lines, "coreLimit: 1200m")
		case "requests.cpu", "cpu":
			lines = append(lines, "cores: 1")
		case "limits.memory", "requests.memory", "memory":
			lines = append(lines, "memory: 1g")
		}
	}
	return strings.Join(slices.Compact(lines), "\n")
}

// state is what the quota says of itself now.
func (q overQuota) state(c *Case) []v1alpha1.Proof {
	i := slices.IndexFunc(c.Cluster.Quotas, func(quota corev1.ResourceQuota) bool { return quota.Name == q.quota })
	if i < 0 || len(q.resources) == 0 {
		return nil
	}
	var parts []string
	for _, name := range q.resources {
		used, hard := c.Cluster.Quotas[i].Status.Used[corev1.ResourceName(name)], c.Cluster.Quotas[i].Status.Hard[corev1.ResourceName(name)]
		parts = append(parts, fmt.Sprintf("%s: %s of %s", name, used.String(), hard.String()))
	}
	return []v1alpha1.Proof{{Object: "ResourceQuota/" + q.quota, Field: "status.used", Text: brief(strings.Join(parts, ", "))}}
}
