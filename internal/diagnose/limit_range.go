package diagnose

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// limitFormat is that of plugin/pkg/admission/limitranger/admission.go in k8s.io/kubernetes.
var limitFormat = regexp.MustCompile(`(maximum|minimum) (\S+) usage per (Container|Pod) is ([0-9A-Za-z.]+?)(?:, but (request|limit) is ([0-9A-Za-z.]+?)|\.\s+No (request|limit) is specified)(?:[\].,"\s]|$)`)

// limitRange finds pods that are larger or smaller than a LimitRange allows.
func limitRange() rule {
	return rule{code: "limit-range", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.refusedBy(refusedByLimitRange)
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		match := limitFormat.FindStringSubmatch(seen[0].text)
		cause := seen.cause(c.sure(seen), limitWhy(c, seen, match), lookAt("See what the namespace allows.", c.kubectl("describe limitrange")),
			limitFix(seen, match))
		cause.Waiting = !c.Ended
		for _, limits := range c.Cluster.Limits {
			cause.Evidence = append(cause.Evidence, limitProof(&limits, match)...)
		}
		return cause, true
	}}
}

func limitWhy(c *Case, seen sightings, match []string) string {
	what := seen.refusedSection()
	if what == "executor" {
		what = "executors"
	} else {
		what = "the driver"
	}
	if match == nil {
		return fmt.Sprintf("A LimitRange of the namespace %s does not allow %s as they are.", c.Namespace, what)
	}
	asked := "nothing is said of it"
	if match[6] != "" {
		asked = fmt.Sprintf("its %s is %s", match[5], match[6])
	}
	return fmt.Sprintf("A LimitRange of the namespace %s keeps out %s: the %s of %s for a %s is %s, and %s.",
		c.Namespace, what, match[1], match[2], strings.ToLower(match[3]), match[4], asked)
}

func limitFix(seen sightings, match []string) v1alpha1.Fix {
	field := "cores: 1\ncoreLimit: 1200m\nmemory: 1g"
	if match != nil && match[2] == "cpu" {
		field = "cores: 1\ncoreLimit: " + match[4]
	}
	if match != nil && match[2] == "memory" {
		field = "memory: 1g # with memoryOverhead within " + match[4]
	}
	return edited("Stay within it.", seen.refusedSection(), field)
}

// limitProof is the part of limits that was violated.
func limitProof(limits *corev1.LimitRange, match []string) []v1alpha1.Proof {
	if match == nil {
		return nil
	}
	for i, item := range limits.Spec.Limits {
		bound, field := item.Max, "max"
		if match[1] == "minimum" {
			bound, field = item.Min, "min"
		}
		quantity, ok := bound[corev1.ResourceName(match[2])]
		if string(item.Type) == match[3] && ok && quantity.String() == match[4] {
			return []v1alpha1.Proof{{
				Object: "LimitRange/" + limits.Name, Field: fmt.Sprintf("spec.limits[%d].%s.%s", i, field, match[2]), Text: quantity.String(),
			}}
		}
	}
	return nil
}
