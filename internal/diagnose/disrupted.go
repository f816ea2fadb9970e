package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// disrupted finds pods that the cluster ended for reasons of its own: preemption, drain, taints, a node that went.
func disrupted() rule {
	return rule{code: "disrupted", find: func(c *Case) (v1alpha1.Cause, bool) {
		var seen sightings
		for i := range c.Evidence.Pods {
			if one, ok := c.disruption(&c.Evidence.Pods[i]); ok {
				seen = append(seen, one)
			}
		}
		if len(seen.sorted()) == 0 || c.survived(seen) {
			return v1alpha1.Cause{}, false
		}
		node := ""
		if seen[0].pod.Node != "" {
			node = " (" + seen[0].pod.Node + ")"
		}
		cause := seen.cause(v1alpha1.ConfidenceHigh, sentence("the cluster ended %s: %s.", seen.who(), strings.ReplaceAll(seen[0].text, "%s", node)),
			disruptionFixes(seen)...)
		if seen.section() == "executor" {
			// Spark replaces executors that are lost; they matter where many are.
			cause.Confidence = v1alpha1.ConfidenceLow
			if c.Ended && c.tooManyFailed() {
				cause.Confidence = v1alpha1.ConfidenceMedium
			}
		}
		cause.Transient, cause.Node = true, seen[0].pod.Node
		return cause, true
	}}
}

// tooManyFailed reports whether Spark gave up because of its executors (ExecutorPodsAllocator, exit code 11), or a stage
// because of lost ones.
func (c *Case) tooManyFailed() bool {
	if driver := c.driver(); driver != nil {
		for _, container := range driver.Containers {
			if container.Terminated != nil && container.Terminated.ExitCode == exitTooManyExecutors {
				return true
			}
		}
	}
	return len(c.lines("Max number of executor failures", "ExecutorLostFailure", "has failed the maximum allowable number of times")) > 0
}

const exitTooManyExecutors = 11

// disruption is why the cluster ended pod; the text has a place, %s, for its node. Kubelet's evictions have rules of their own,
// though they set the condition as well.
func (c *Case) disruption(pod *v1alpha1.Pod) (sighting, bool) {
	if pod.Reason == "Evicted" || pod.Phase == string(corev1.PodSucceeded) {
		return sighting{}, false
	}
	if target := conditionOf(pod, string(corev1.DisruptionTarget), "True"); target != nil {
		return sighting{pod: pod, text: disruptionBy(target.Reason, target.Message), at: target.At, proof: conditionProof(pod, target)}, true
	}
	// Before 1.26, and where the condition was lost with the pod.
	proof := v1alpha1.Proof{Object: "Pod/" + pod.Name, Field: "status.reason", Text: brief(joined(pod.Reason, pod.Message))}
	switch pod.Reason {
	case "Terminated", "NodeShutdown":
		return sighting{pod: pod, text: "its node%s was shut down", at: endOf(pod), proof: proof}, true
	case "Preempting":
		return sighting{pod: pod, text: "kubelet made room on its node%s for a critical pod", at: endOf(pod), proof: proof}, true
	case "NodeLost":
		return sighting{pod: pod, text: "its node%s does not answer any more", at: endOf(pod), proof: proof}, true
	}
	if one, ok := c.disruptionEvent(pod); ok {
		return one, true
	}
	return lostContainer(pod)
}

// disruptionBy words the reasons of the condition DisruptionTarget, each with a place for the node: api/core/v1,
// pkg/controller/{tainteviction,podgc}, pkg/registry/core/pod/storage/eviction.go of k8s.io/kubernetes.
func disruptionBy(reason, message string) string {
	switch reason {
	case corev1.PodReasonPreemptionByScheduler:
		return "a pod of higher priority needed its room on the node%s"
	case "EvictionByEvictionAPI":
		return "it was evicted from its node%s, as when a node is drained"
	case "DeletionByTaintManager":
		return "its node%s got a taint that the pod does not tolerate: the node does not answer, or is being taken away, as spot nodes are"
	case "DeletionByDeviceTaintManager":
		return "a device that it used on its node%s got a taint"
	case "DeletionByPodGC":
		return "its node%s is gone"
	case corev1.PodReasonTerminationByKubelet:
		if strings.Contains(message, "critical pod") {
			return "kubelet made room on its node%s for a critical pod"
		}
		return "its node%s was shut down"
	}
	return "it was disrupted on its node%s (" + brief(reason) + ")"
}

// disruptionEvent is an event of the scheduler or the taint manager about a pod that did not end well.
func (c *Case) disruptionEvent(pod *v1alpha1.Pod) (sighting, bool) {
	if pod.Deleted == nil && pod.Phase != string(corev1.PodFailed) {
		return sighting{}, false
	}
	for _, e := range c.events("Preempted", "TaintManagerEviction", "NodeControllerEviction") {
		if e.Object != "Pod/"+pod.Name || strings.Contains(e.Message, "Cancelling") {
			continue
		}
		text := disruptionBy("DeletionByTaintManager", "")
		if e.Reason == "Preempted" {
			text = disruptionBy(corev1.PodReasonPreemptionByScheduler, "")
		}
		return sighting{pod: pod, text: text, at: e.First, proof: eventProof(e)}, true
	}
	return sighting{}, false
}

// lostContainer is a container of which nobody saw the end: ContainerReasonStatusUnknown in kubelet/container/runtime.go,
// and containerd's unknownContainerStatus after its node went down.
func lostContainer(pod *v1alpha1.Pod) (sighting, bool) {
	const containerdsUnknown = 255
	for i := range pod.Containers {
		container := &pod.Containers[i]
		end := container.Terminated
		if end == nil || end.Reason != "ContainerStatusUnknown" && (end.Reason != "Unknown" || end.ExitCode != containerdsUnknown) {
			continue
		}
		return sighting{pod: pod, container: container, text: "its node%s went down, or lost track of it", at: endOf(pod), proof: v1alpha1.Proof{
			Object: "Pod/" + pod.Name, Field: containerField(container, "state.terminated.reason"), Text: end.Reason,
		}}, true
	}
	return sighting{}, false
}

// endOf is when a pod ended, as far as that was seen.
func endOf(pod *v1alpha1.Pod) metav1.Time {
	for _, container := range pod.Containers {
		if end := container.Terminated; end != nil && !container.Init && !end.Finished.IsZero() {
			return end.Finished
		}
	}
	if pod.Deleted != nil {
		return *pod.Deleted
	}
	return metav1.Time{}
}

func disruptionFixes(seen sightings) []v1alpha1.Fix {
	fixes := []v1alpha1.Fix{
		lookAt("See what became of the node.", strings.TrimSpace("kubectl get events -A --field-selector involvedObject.kind=Node,involvedObject.name="+nodeName(seen))),
	}
	if seen.section() == "driver" {
		return append(fixes,
			edit("Put the driver on nodes that stay, and keep drains away from it.",
				"spec:\n  driverPodDisruptionBudget: true\n  driver:\n    nodeSelector: {LABEL: VALUE} # of nodes that are not spot\n    priorityClassName: CLASS\n"),
			edit("Have the run tried again; a disruption uses up no retry.", "spec:\n  restartPolicy:\n    type: OnFailure\n    onFailureRetries: 1\n"))
	}
	return append(fixes, edit("Let executors that have to go hand over what they hold.", `
spec:
  sparkConf:
    spark.decommission.enabled: "true"
    spark.storage.decommission.enabled: "true"
    spark.storage.decommission.shuffleBlocks.enabled: "true"
`))
}
