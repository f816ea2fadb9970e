package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What schedulers of whole applications say of a pod or its group: Volcano's job and gang plugins, YuniKorn's events, and the
// Coscheduling plugin of scheduler-plugins.
var (
	gangWords  = regexp.MustCompile(`gang unschedulable|pod group is not ready|PodGroup|pod group|podgroup|minAvailable|less than pods' minMember|cannot find enough sibling pods`)
	queueWords = regexp.MustCompile(`queue resource quota|exceeds? .*quota|queue .*(?:limit|full|closed|not found)|Application \S+ does not fit into .* queue`)
)

// heldByQueue finds runs that wait for their turn: in a queue of ours, for Kueue, behind a scheduling gate, or with the group of their pods.
func heldByQueue() rule {
	return rule{code: "held-by-queue", find: func(c *Case) (v1alpha1.Cause, bool) {
		if c.Ended {
			return v1alpha1.Cause{}, false
		}
		if cause, ok := inQueue(c); ok {
			cause.Waiting = true
			return cause, true
		}
		for _, find := range []func(*Case) (v1alpha1.Cause, bool){inKueue, behindGate, inGang, heldOtherwise} {
			if cause, ok := find(c); ok {
				cause.Waiting, cause.Transient = true, true
				return cause, true
			}
		}
		return v1alpha1.Cause{}, false
	}}
}

// inKueue is an application that Kueue keeps suspended.
func inKueue(c *Case) (v1alpha1.Cause, bool) {
	queue := c.kueueQueue()
	if queue == "" || !c.Application.Spec.Suspend {
		return v1alpha1.Cause{}, false
	}
	seen := c.holdsBy("queue")
	why := fmt.Sprintf("The application waits in the queue %s of Kueue to be admitted.", queue)
	if len(seen) > 0 && seen[0].text != "" {
		why = strings.TrimSuffix(why, ".") + ": " + firstSentence(seen[0].text)
	} else {
		seen = sightings{{proof: v1alpha1.Proof{
			Object: "SparkApplication/" + c.Name, Field: "metadata.labels[" + v1alpha1.LabelKueueQueue + "]", Text: queue,
		}}}
	}
	return seen.cause(v1alpha1.ConfidenceHigh, why, c.kueueFixes(queue)...), true
}

func (c *Case) kueueFixes(queue string) []v1alpha1.Fix {
	return []v1alpha1.Fix{
		lookAt("See the place in the queue, and who is ahead.", c.kubectl("get workloads.kueue.x-k8s.io")),
		lookAt("See what the queue has and what is used.", strings.TrimSpace(c.kubectl("describe localqueues.kueue.x-k8s.io %s", queue))),
	}
}

// behindGate is a pod that the scheduler does not look at.
func behindGate(c *Case) (v1alpha1.Cause, bool) {
	var seen sightings
	var gates []string
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if len(pod.Gates) == 0 || pod.Node != "" || pod.Deleted != nil || !c.lasted(pod) {
			continue
		}
		if c.place() != nil && slices.Contains(pod.Gates, v1alpha1.SchedulingGate) {
			continue // inQueue knows whether it is well that they wait
		}
		proof := v1alpha1.Proof{Object: "Pod/" + pod.Name, Field: "spec.schedulingGates", Text: brief(strings.Join(pod.Gates, ", "))}
		seen = append(seen, sighting{pod: pod, at: pod.Created, proof: proof})
	}
	if len(seen.sorted()) == 0 {
		return v1alpha1.Cause{}, false
	}
	gates = seen[0].pod.Gates
	fixes := []v1alpha1.Fix{lookAt("Find out who removes the gate: whoever set it.", c.kubectl("get pod %s -o jsonpath='{.spec.schedulingGates}'", seen[0].pod.Name))}
	if strings.Contains(seen[0].proof.Text, "kueue.x-k8s.io") {
		fixes = append(fixes, c.kueueFixes("")...)
	}
	return seen.cause(v1alpha1.ConfidenceHigh,
		sentence("%s waits behind the scheduling gate %s, until whoever set it lets it go.", seen.who(), brief(strings.Join(gates, ", "))), fixes...), true
}

// inGang is a pod that a scheduler of whole applications does not place yet.
func inGang(c *Case) (v1alpha1.Cause, bool) {
	var seen sightings
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Node != "" || pod.Deleted != nil || !c.lasted(pod) {
			continue
		}
		for j := range pod.Conditions {
			one := &pod.Conditions[j]
			if one.Type == string(corev1.PodScheduled) && one.Status == "False" && isGang(one.Message) {
				seen = append(seen, sighting{pod: pod, text: one.Message, at: one.At, proof: conditionProof(pod, one)})
			}
		}
	}
	if len(seen) == 0 {
		seen = c.told(func(e *v1alpha1.Event) bool {
			return strings.HasPrefix(e.Object, "PodGroup/") && e.Type == corev1.EventTypeWarning && c.driverHasNoNode()
		}, "Unschedulable", "NotEnoughResources", "FailedScheduling", "Unenqueueable")
	}
	if len(seen.sorted()) == 0 {
		return v1alpha1.Cause{}, false
	}
	what := "until there is room for its whole group"
	if queueWords.MatchString(seen[0].text) {
		what = "because its queue is full"
	}
	return seen.cause(v1alpha1.ConfidenceHigh,
		sentence("%s waits %s: %s", seen.who(), what, firstSentence(seen[0].text)), c.gangFixes()...), true
}

func isGang(message string) bool {
	if gangWords.MatchString(message) || queueWords.MatchString(message) {
		_, ordinary := parseSchedulerMessage(message)
		return !ordinary || strings.Contains(message, "gang unschedulable")
	}
	return false
}

func (c *Case) driverHasNoNode() bool {
	driver := c.driver()
	return driver != nil && driver.Node == "" && c.lasted(driver)
}

// gangFixes depend on the scheduler that the application names.
func (c *Case) gangFixes() []v1alpha1.Fix {
	fixes := []v1alpha1.Fix{edit("Begin with a smaller group: the driver and the first executors are what has to fit.",
		"spec:\n  executor:\n    instances: 1\n")}
	scheduler := ""
	if c.Application != nil {
		scheduler = c.Application.Spec.BatchScheduler
	}
	switch scheduler {
	case "volcano":
		return append(fixes, lookAt("See the group and its queue.", c.kubectl("describe podgroups.scheduling.volcano.sh")),
			lookAt("See what the queues have.", "kubectl get queues.scheduling.volcano.sh"))
	case "kube-scheduler":
		return append(fixes, lookAt("See the group.", c.kubectl("describe podgroups.scheduling.x-k8s.io")))
	}
	return append(fixes, lookAt("See what the scheduler says of the pods.", c.kubectl("get events --field-selector involvedObject.kind=Pod")))
}

// heldOtherwise is a hold of a queue that shows in nothing else.
func heldOtherwise(c *Case) (v1alpha1.Cause, bool) {
	seen := c.holdsBy("queue", "scheduling gate")
	if len(seen) == 0 || c.driver() != nil && c.driver().Node != "" {
		return v1alpha1.Cause{}, false
	}
	why := "The run waits for its turn."
	if seen[0].text != "" {
		why = "The run waits for its turn: " + firstSentence(seen[0].text)
	}
	return seen.cause(v1alpha1.ConfidenceMedium, why, c.kueueFixes("")...), true
}
