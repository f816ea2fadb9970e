package diagnose

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// unschedulable finds pods that no node takes: by the scheduler's own words, and where nodes may be read node by node.
func unschedulable() rule {
	return rule{code: "unschedulable", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.unplaced(func(v schedulerVerdict) bool { return !v.onlyVolumes() })
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		said, _ := parseSchedulerMessage(seen[0].text)
		verdicts := c.judged(seen)
		cause := seen.cause(c.sure(seen), unschedulableWhy(seen, said, verdicts), unschedulableFixes(c, seen, said, verdicts)...)
		if seen[0].pod != nil && seen[0].pod.Role == v1alpha1.RoleDriver {
			cause.Confidence = v1alpha1.ConfidenceHigh
		}
		cause.Evidence = append(cause.Evidence, c.autoscaler(seen)...)
		for _, verdict := range verdicts[:min(len(verdicts), maxNodes)] {
			cause.Evidence = append(cause.Evidence, verdict.proof())
		}
		cause.Waiting = !c.Ended
		cause.Transient = said.nodes == 0 || said.has(obstacleResource, obstaclePods, obstacleNotReady, obstacleCordoned, obstaclePorts) && !tooLargeForAll(verdicts)
		return cause, true
	}}
}

// unplaced returns what the scheduler said of pods that still have no node, where accept wants it.
func (c *Case) unplaced(accept func(schedulerVerdict) bool) sightings {
	var all sightings
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Node != "" || !c.lasted(pod) {
			continue
		}
		if one, ok := c.unplacedPod(pod); ok {
			if verdict, ok := parseSchedulerMessage(one.text); ok && accept(verdict) {
				all = append(all, one)
			}
		}
	}
	return all.sorted()
}

// unplacedPod is the pod's own condition, or an event where the condition was not kept.
func (c *Case) unplacedPod(pod *v1alpha1.Pod) (sighting, bool) {
	if no := conditionOf(pod, string(corev1.PodScheduled), "False"); no != nil && no.Reason == corev1.PodReasonUnschedulable {
		return sighting{pod: pod, text: no.Message, at: no.At, proof: conditionProof(pod, no)}, true
	}
	for _, e := range c.events("FailedScheduling") {
		if e.Object == "Pod/"+pod.Name {
			return sighting{pod: pod, text: e.Message, at: e.First, proof: eventProof(e)}, true
		}
	}
	return sighting{}, false
}

// judged are the verdicts of all nodes on the first of the pods that is still there.
func (c *Case) judged(seen sightings) []nodeVerdict {
	for _, one := range seen {
		for i := range c.Cluster.Waiting {
			if pod := &c.Cluster.Waiting[i]; one.pod != nil && pod.Name == one.pod.Name {
				return judge(pod, c.Cluster.Nodes)
			}
		}
	}
	return nil
}

func unschedulableWhy(seen sightings, said schedulerVerdict, verdicts []nodeVerdict) string {
	who := seen.who()
	if said.nodes == 0 && len(said.reasons) == 0 {
		return sentence("%s cannot be placed: the cluster has no nodes.", who)
	}
	if reason, node, ok := shortest(verdicts); ok {
		each := ""
		if strings.HasSuffix(who, "executors") {
			each = "each "
		}
		why := sentence("no node takes %s: %s %sof %s is asked for, and the most that is free on one node is %s (%s).",
			who, amount(reason.resource, reason.asks), each, reason.resource, amount(reason.resource, reason.free), node)
		if tooLargeForAll(verdicts) {
			why = strings.TrimSuffix(why, ".") + "; none is that large."
		}
		return why
	}
	var parts []string
	for _, reason := range said.reasons {
		parts = append(parts, reason.words())
	}
	nodes := fmt.Sprintf("none of %d nodes takes", said.nodes)
	if said.nodes == 1 {
		nodes = "the one node does not take"
	}
	return sentence("%s %s: %s.", nodes, who, brief(strings.Join(parts, ", ")))
}

// shortest is what is short on every node, and the node that has the most of it.
func shortest(verdicts []nodeVerdict) (nodeReason, string, bool) {
	if len(verdicts) == 0 {
		return nodeReason{}, "", false
	}
	for _, reason := range verdicts[0].reasons {
		if reason.kind != obstacleResource {
			return nodeReason{}, "", false
		}
		everywhere := true
		for _, verdict := range verdicts {
			everywhere = everywhere && verdict.lacks(reason.resource)
		}
		if node, most, ok := roomiest(verdicts, reason.resource); ok && everywhere {
			return most, node, true
		}
	}
	return nodeReason{}, "", false
}

func (v nodeVerdict) lacks(name corev1.ResourceName) bool {
	for _, reason := range v.reasons {
		if reason.kind == obstacleResource && reason.resource == name {
			return true
		}
	}
	return false
}

// words are the reason as part of a sentence.
func (r schedulerReason) words() string {
	text := r.text
	switch r.kind {
	case obstacleResource:
		text = "too little " + r.resource
	case obstaclePods:
		text = "as many pods as the node may have"
	case obstacleTaint:
		text = "a taint that is not tolerated"
		if _, taint, ok := strings.Cut(r.text, "untolerated taint {"); ok {
			text = "the taint " + strings.TrimSuffix(taint, "}") + " is not tolerated"
		}
	case obstacleAffinity:
		text = "node selector or affinity not met"
	case obstacleCordoned:
		text = "cordoned"
	case obstacleNotReady:
		text = "not ready"
	}
	if r.nodes == 0 {
		return text
	}
	return fmt.Sprintf("%d: %s", r.nodes, text)
}

// autoscaler is what an autoscaler says of the pods: cluster-autoscaler's events, and Karpenter's.
func (c *Case) autoscaler(seen sightings) []v1alpha1.Proof {
	said := c.told(func(e *v1alpha1.Event) bool {
		for _, one := range seen {
			if one.pod != nil && e.Object == "Pod/"+one.pod.Name {
				return true
			}
		}
		return false
	}, "TriggeredScaleUp", "NotTriggerScaleUp", "Nominated")
	return said[:min(len(said), 1)].proofs()
}
