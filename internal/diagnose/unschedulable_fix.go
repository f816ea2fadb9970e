package diagnose

import (
	"fmt"
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// unschedulableFixes are what can be done about each of the reasons that the scheduler gave, or the verdicts on nodes where
// those are known.
func unschedulableFixes(c *Case, seen sightings, said schedulerVerdict, verdicts []nodeVerdict) []v1alpha1.Fix {
	fixes := []v1alpha1.Fix{lookAt("See what the nodes have, and what is requested on them.", "kubectl describe nodes")}
	section := seen.section()
	resources := make(map[string]bool)
	for _, reason := range said.reasons {
		if reason.kind == obstacleResource && !resources[reason.resource] {
			resources[reason.resource] = true
			fixes = append(fixes, c.lessOf(corev1.ResourceName(reason.resource), section, verdicts))
		}
	}
	if said.has(obstacleTaint) {
		fixes = append(fixes, tolerate(section, said, verdicts)...)
	}
	if said.has(obstacleAffinity) {
		fixes = append(fixes,
			lookAt("Compare the nodes' labels with the selector and affinity.", "kubectl get nodes --show-labels"),
			c.editByHand("Ask for labels that nodes have: spec.nodeSelector, or nodeSelector and affinity of driver and executor."))
	}
	if said.has(obstacleCordoned) {
		fixes = append(fixes, uncordon(verdicts))
	}
	if said.has(obstacleNotReady) {
		fixes = append(fixes, lookAt("See what is the matter with nodes that are not ready.", "kubectl get nodes"))
	}
	if said.has(obstacleNeighbours) {
		fixes = append(fixes, c.editByHand(
			"Prefer neighbours rather than require them: preferredDuringSchedulingIgnoredDuringExecution, whenUnsatisfiable: ScheduleAnyway."))
	}
	if section == "executor" && said.has(obstacleResource, obstaclePods) {
		fixes = append(fixes, edit("Go on with fewer executors.", "spec:\n  executor:\n    instances: 1\n"))
	}
	return fixes
}

// lessOf asks for as much of a resource as the roomiest node has, where that is known.
func (c *Case) lessOf(name corev1.ResourceName, section string, verdicts []nodeVerdict) v1alpha1.Fix {
	_, reason, known := roomiest(verdicts, name)
	switch name {
	case corev1.ResourceCPU:
		request := "1"
		if known && reason.free.MilliValue() > 0 {
			request = fmt.Sprintf("%dm", reason.free.MilliValue())
		}
		return edited("Set aside less CPU: coreRequest alone leaves the number of tasks at once as it is.", section, "coreRequest: "+request)
	case corev1.ResourceMemory:
		heap := "1g"
		if known && reason.free.Value() > 0 {
			heap = fmt.Sprintf("%dm", heapWithin(reason.free.Value()))
		}
		return edited("Ask for less memory; memoryOverhead comes on top.", section, "memory: "+heap)
	case corev1.ResourceEphemeralStorage:
		return c.editByHand("Ask for less ephemeral storage in the pod's template, or put Spark's local directories on volume claims.")
	}
	return edited(fmt.Sprintf("Ask for as many %s as nodes have.", name), section, fmt.Sprintf("gpu: {name: %s, quantity: 1}", name))
}

// heapWithin is a heap, in MiB, that fits into bytes with the larger of Spark's overheads for Java: a tenth, or 384 MiB
// (ResourceProfile.calculateOverHeadMemory).
func heapWithin(bytes int64) int64 {
	mebi := bytes >> 20
	return max(1, min(mebi-384, int64(math.Floor(float64(mebi)/1.1))))
}

// tolerate is the toleration of the taint that keeps the pod from a node which it would fit. Taints that Kubernetes itself
// sets, on nodes of the control plane and on those that are not well, are not for jobs to tolerate.
func tolerate(section string, said schedulerVerdict, verdicts []nodeVerdict) []v1alpha1.Fix {
	say := "Tolerate the taint, if the nodes are meant for such pods."
	for _, verdict := range verdicts {
		if len(verdict.reasons) == 1 && verdict.reasons[0].kind == obstacleTaint && !isKubernetesOwn(verdict.reasons[0].taint.Key) {
			return []v1alpha1.Fix{edited(say, section, toleration(verdict.reasons[0].taint))}
		}
	}
	if len(verdicts) > 0 {
		return nil
	}
	// Kubernetes 1.28 and its like name the taint: "node(s) had untolerated taint {dedicated: gpu}".
	for _, reason := range said.reasons {
		if _, text, ok := strings.Cut(reason.text, "untolerated taint {"); ok && reason.kind == obstacleTaint {
			key, value, _ := strings.Cut(strings.TrimSuffix(text, "}"), ": ")
			if isKubernetesOwn(key) {
				continue
			}
			return []v1alpha1.Fix{edited(say, section, toleration(corev1.Taint{Key: key, Value: value}))}
		}
	}
	return []v1alpha1.Fix{
		lookAt("See the nodes' taints.", "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints"),
		edited(say, section, "tolerations:\n- {key: KEY, operator: Exists}"),
	}
}

func isKubernetesOwn(taint string) bool {
	return strings.HasPrefix(taint, "node-role.kubernetes.io/") || strings.HasPrefix(taint, "node.kubernetes.io/")
}

func toleration(taint corev1.Taint) string {
	parts := []string{"key: " + taint.Key}
	if taint.Value == "" {
		parts = append(parts, "operator: Exists")
	} else {
		parts = append(parts, "operator: Equal", fmt.Sprintf("value: %q", taint.Value))
	}
	if taint.Effect != "" {
		parts = append(parts, "effect: "+string(taint.Effect))
	}
	return "tolerations:\n- {" + strings.Join(parts, ", ") + "}"
}

// uncordon lets the first cordoned node take pods again.
func uncordon(verdicts []nodeVerdict) v1alpha1.Fix {
	for _, verdict := range verdicts {
		for _, reason := range verdict.reasons {
			if reason.kind == obstacleCordoned {
				return v1alpha1.Fix{
					Risk: v1alpha1.RiskChanges, Say: "Let the node take pods again, if its maintenance is over.",
					Command: "kubectl uncordon " + verdict.node.Name,
				}
			}
		}
	}
	return lookAt("See which nodes are cordoned.", "kubectl get nodes")
}
