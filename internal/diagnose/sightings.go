package diagnose

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// sighting is one thing that a rule saw: a pod, or a message about one.
type sighting struct {
	pod       *v1alpha1.Pod
	container *v1alpha1.Container
	// text is the whole message, of which proof may show a part.
	text  string
	proof v1alpha1.Proof
	at    metav1.Time
}

// sightings are those of the driver first.
type sightings []sighting

func (s sightings) sorted() sightings {
	slices.SortStableFunc(s, func(a, b sighting) int { return cmp.Compare(distance(a.pod), distance(b.pod)) })
	return s
}

// distance is how far a pod is from what the application cannot do without.
func distance(pod *v1alpha1.Pod) int {
	if pod == nil || pod.Role == v1alpha1.RoleDriver {
		return 0
	}
	return 1
}

// proofs are the first of the sightings, each text once.
func (s sightings) proofs() []v1alpha1.Proof {
	var proofs []v1alpha1.Proof
	for _, one := range s {
		same := func(p v1alpha1.Proof) bool { return p.Object == one.proof.Object && p.Text == one.proof.Text }
		if len(proofs) < maxProofs && !slices.ContainsFunc(proofs, same) {
			proofs = append(proofs, one.proof)
		}
	}
	return proofs
}

// first is when the earliest of them was seen.
func (s sightings) first() metav1.Time {
	var first metav1.Time
	for _, one := range s {
		if !one.at.IsZero() && (first.IsZero() || one.at.Time.Before(first.Time)) {
			first = one.at
		}
	}
	return first
}

// who names the pods: "the driver", "executor 3", "12 executors".
func (s sightings) who() string {
	pods := make(map[string]*v1alpha1.Pod)
	for _, one := range s {
		if one.pod != nil {
			pods[one.pod.Name] = one.pod
		}
	}
	if len(s) == 0 || s[0].pod == nil {
		return "the driver"
	}
	if s[0].pod.Role == v1alpha1.RoleDriver || len(pods) == 1 {
		return podTitle(s[0].pod)
	}
	return fmt.Sprintf("%d executors", len(pods))
}

// cause is what the sightings have in common; why and fixes are the rule's.
func (s sightings) cause(confidence v1alpha1.Confidence, why string, fixes ...v1alpha1.Fix) v1alpha1.Cause {
	return v1alpha1.Cause{Why: why, Evidence: s.proofs(), Fixes: byRisk(fixes), Confidence: confidence, At: s.first()}
}

// byRisk puts the least risky fix first.
func byRisk(fixes []v1alpha1.Fix) []v1alpha1.Fix {
	order := []v1alpha1.Risk{v1alpha1.RiskInspect, v1alpha1.RiskLow, v1alpha1.RiskChanges, v1alpha1.RiskDestructive}
	slices.SortStableFunc(fixes, func(a, b v1alpha1.Fix) int {
		return cmp.Compare(slices.Index(order, a.Risk), slices.Index(order, b.Risk))
	})
	return fixes
}

// section is where in a manifest the pods of the sightings are described: "driver", "executor".
func (s sightings) section() string {
	if len(s) > 0 && s[0].pod != nil && s[0].pod.Role == v1alpha1.RoleExecutor {
		return "executor"
	}
	return "driver"
}
