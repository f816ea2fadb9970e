package queue

import (
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/capacity"
	engine "brazier.sh/brazier/internal/queue"
)

// measure returns what queues may share of nodes, on those flavours that do not say themselves, and what is free on each
// node for those that take new pods.
//
// A node that takes no new pods, since it is cordoned, is not ready, or has a taint that its flavour does not tolerate, has
// for queues just what their pods have there: nothing can be let in on it, and what is there is neither taken back for it
// nor seems to be somewhere else.
func measure(shape engine.Shape, flavours []v1alpha1.Flavour, nodes []capacity.Node) (engine.Amounts, []engine.Node) {
	all := shape.None()
	var free []engine.Node
	for i := range nodes {
		node := &nodes[i]
		flavour, ok := flavourOf(flavours, node.Labels)
		if !ok {
			continue
		}
		at, open := shape.At(flavour), tolerated(node.Taints, flavours[flavour].Tolerations)
		room := make(engine.Size, len(shape.Resources))
		for r, name := range shape.Resources {
			queued, others := node.Queued[corev1.ResourceName(name)], node.Others[corev1.ResourceName(name)]
			if !open {
				all[at+r] += queued
				continue
			}
			// Where others take more than there is, as pods of a node that was made smaller do, nothing is left.
			ours := max(queued, node.Allocatable[corev1.ResourceName(name)]-others)
			all[at+r] += ours
			room[r] = ours - queued
		}
		if open {
			free = append(free, engine.Node{Flavour: flavour, Free: room})
		}
	}
	return all, free
}

// tolerated reports whether pods with tolerations may be put onto a node with taints.
func tolerated(taints []corev1.Taint, tolerations []corev1.Toleration) bool {
	for i := range taints {
		if !toleratedBy(&taints[i], tolerations) {
			return false
		}
	}
	return true
}

// toleratedBy is ToleratesTaint of Kubernetes, for the operators that a flavour may have.
func toleratedBy(taint *corev1.Taint, tolerations []corev1.Toleration) bool {
	for _, t := range tolerations {
		if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
			continue
		}
		if t.Operator == corev1.TolerationOpExists || t.Key != "" && t.Value == taint.Value {
			return true
		}
	}
	return false
}
