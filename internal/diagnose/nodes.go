package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podresource "k8s.io/component-helpers/resource"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// maxNodes is how many nodes are told of one by one.
const maxNodes = 8

// nodeVerdict is why a node does not take a pod: everything, and not what the scheduler came upon first.
type nodeVerdict struct {
	node    *Node
	reasons []nodeReason
}

type nodeReason struct {
	kind obstacle
	text string
	// never says that the node is too small even when nothing else runs on it.
	never bool
	// resource, asks and free are of obstacleResource.
	resource   corev1.ResourceName
	asks, free resource.Quantity
	// taint is of obstacleTaint.
	taint corev1.Taint
}

// judge returns for each node why it does not take pod, those with the fewest reasons first.
func judge(pod *corev1.Pod, nodes []Node) []nodeVerdict {
	verdicts := make([]nodeVerdict, 0, len(nodes))
	for i := range nodes {
		verdict := nodeVerdict{node: &nodes[i]}
		verdict.reasons = append(verdict.reasons, unfit(&nodes[i])...)
		verdict.reasons = append(verdict.reasons, unwanted(pod, &nodes[i])...)
		verdict.reasons = append(verdict.reasons, tooSmall(pod, &nodes[i])...)
		verdicts = append(verdicts, verdict)
	}
	slices.SortStableFunc(verdicts, func(a, b nodeVerdict) int {
		return cmp.Or(cmp.Compare(len(a.reasons), len(b.reasons)), cmp.Compare(a.node.Name, b.node.Name))
	})
	return verdicts
}

// unfit is what is the matter with a node itself.
func unfit(node *Node) []nodeReason {
	var reasons []nodeReason
	if node.Spec.Unschedulable {
		reasons = append(reasons, nodeReason{kind: obstacleCordoned, text: "cordoned"})
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			reasons = append(reasons, nodeReason{kind: obstacleNotReady, text: "not ready"})
		}
	}
	return reasons
}

// unwanted is what pod and node have against each other: taints, and selectors.
func unwanted(pod *corev1.Pod, node *Node) []nodeReason {
	var reasons []nodeReason
	for _, taint := range node.Spec.Taints {
		switch {
		case taint.Effect == corev1.TaintEffectPreferNoSchedule:
			continue
		case taint.Key == corev1.TaintNodeUnschedulable && node.Spec.Unschedulable:
			continue // told as cordoned
		case !scheduling.TolerationsTolerateTaint(logr.Discard(), pod.Spec.Tolerations, &taint, true):
			reasons = append(reasons, nodeReason{kind: obstacleTaint, text: "taint " + taint.ToString() + " is not tolerated", taint: taint})
		}
	}
	fits, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(&node.Node)
	if err != nil {
		return append(reasons, nodeReason{kind: obstacleAffinity, text: "node affinity cannot be read: " + err.Error()})
	}
	if !fits {
		reasons = append(reasons, nodeReason{kind: obstacleAffinity, text: "does not match " + selectorOf(pod, node)})
	}
	return reasons
}

// selectorOf is the part of a pod's selector that node does not match.
func selectorOf(pod *corev1.Pod, node *Node) string {
	var missing []string
	for key, value := range pod.Spec.NodeSelector {
		if node.Labels[key] != value {
			missing = append(missing, key+"="+value)
		}
	}
	if len(missing) == 0 {
		return "the required node affinity"
	}
	slices.Sort(missing)
	return "the selector " + strings.Join(missing, ",")
}

// tooSmall is what a node has too little of.
func tooSmall(pod *corev1.Pod, node *Node) []nodeReason {
	var reasons []nodeReason
	requests := podresource.PodRequests(pod, podresource.PodResourcesOptions{})
	names := make([]corev1.ResourceName, 0, len(requests))
	for name := range requests {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		asks, has := requests[name], node.Status.Allocatable[name]
		free := has.DeepCopy()
		free.Sub(node.Requested[name])
		if asks.IsZero() || asks.Cmp(free) <= 0 {
			continue
		}
		reason := nodeReason{kind: obstacleResource, resource: name, asks: asks, free: free, never: asks.Cmp(has) > 0}
		reason.text = fmt.Sprintf("%s: asks %s, %s of %s free", name, amount(name, asks), amount(name, free), amount(name, has))
		reasons = append(reasons, reason)
	}
	pods, limited := node.Status.Allocatable[corev1.ResourcePods]
	used, counted := node.Requested[corev1.ResourcePods]
	if limited && counted && used.Cmp(pods) >= 0 {
		reasons = append(reasons, nodeReason{kind: obstaclePods, text: fmt.Sprintf("has its %s pods already", pods.String())})
	}
	return reasons
}

// amount is a quantity as people write it: memory in MiB or GiB rather than in bytes.
func amount(name corev1.ResourceName, quantity resource.Quantity) string {
	if name != corev1.ResourceMemory && name != corev1.ResourceEphemeralStorage {
		return quantity.String()
	}
	const mebi = 1 << 20
	if quantity.Value() >= 10*1024*mebi {
		return fmt.Sprintf("%.1fGi", float64(quantity.Value())/(1024*mebi))
	}
	return fmt.Sprintf("%dMi", quantity.Value()/mebi)
}

// proof is a verdict as evidence.
func (v nodeVerdict) proof() v1alpha1.Proof {
	texts := make([]string, 0, len(v.reasons))
	for _, reason := range v.reasons {
		texts = append(texts, reason.text)
	}
	text := strings.Join(texts, "; ")
	if text == "" {
		text = "nothing is seen against it"
	}
	return v1alpha1.Proof{Object: "Node/" + v.node.Name, Text: brief(text)}
}

// roomiest is the node on which the most of what is short is free, and how much that is; false if nothing is short.
func roomiest(verdicts []nodeVerdict, name corev1.ResourceName) (node string, reason nodeReason, ok bool) {
	for _, verdict := range verdicts {
		for _, one := range verdict.reasons {
			if one.kind == obstacleResource && one.resource == name && (!ok || one.free.Cmp(reason.free) > 0) {
				node, reason, ok = verdict.node.Name, one, true
			}
		}
	}
	return node, reason, ok
}

// tooLargeForAll reports whether no node could take the pod even if it were empty.
func tooLargeForAll(verdicts []nodeVerdict) bool {
	return len(verdicts) > 0 && !slices.ContainsFunc(verdicts, func(v nodeVerdict) bool {
		return !slices.ContainsFunc(v.reasons, func(r nodeReason) bool { return r.never })
	})
}
