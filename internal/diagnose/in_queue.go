package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/queue"
)

// inQueue is a run that waits in a queue of Brazier's own, or the executors of one that was let in.
func inQueue(c *Case) (v1alpha1.Cause, bool) {
	place := c.place()
	switch {
	case place == nil:
		return v1alpha1.Cause{}, false
	case place.Admitted == nil:
		return c.waitsInQueue(place), true
	}
	return c.growsInQueue(place)
}

// place is what the run has of a queue of Brazier's own; nil where it is in none.
func (c *Case) place() *v1beta2.QueuePlace {
	if c.Application == nil {
		return nil
	}
	return c.Application.Status.Queue
}

// waitsInQueue says in the queue's words why a run was not let in: they name nobody else's queue or application.
func (c *Case) waitsInQueue(place *v1beta2.QueuePlace) v1alpha1.Cause {
	proof := v1alpha1.Proof{Object: "SparkApplication/" + c.Name, Field: "status.queue.name", Text: place.Name}
	why, reason, since := fmt.Sprintf("The run waits in the queue %s to be let in.", place.Name), "", place.Since
	if said := meta.FindStatusCondition(c.Application.Status.Conditions, v1beta2.ConditionAdmitted); said != nil && said.Status == metav1.ConditionFalse {
		reason = said.Reason
		why = sentence("The run waits: %s.", strings.TrimSuffix(firstSentence(said.Message), "."))
		proof = v1alpha1.Proof{Object: proof.Object, Field: "status.conditions[" + v1beta2.ConditionAdmitted + "]", Text: brief(said.Message)}
	}
	at := metav1.NewMicroTime(since.Time)
	proof.At = &at
	cause := sightings{{at: since, proof: proof}}.cause(v1alpha1.ConfidenceHigh, why, c.queueFixes(place.Name, queue.Reason(reason))...)
	cause.Transient = !slices.Contains([]queue.Reason{queue.NoQueue, queue.NotALeaf, queue.TooBig, queue.NothingSuits}, queue.Reason(reason))
	return cause
}

// queueFixes are what can be done about a run that its queue does not let in.
func (c *Case) queueFixes(name string, reason queue.Reason) []v1alpha1.Fix {
	see := lookAt("See what the queue and those above it have, and how many wait.", "brazier queue "+name)
	move := v1alpha1.Fix{
		Risk: v1alpha1.RiskChanges, Say: "Move it to a queue that lets it in; `brazier queue` lists them.",
		Command: c.kubectl("label sparkapplication %s --overwrite %s=QUEUE", c.Name, v1alpha1.LabelQueue),
	}
	switch reason {
	case queue.NoQueue, queue.NotALeaf, queue.Draining:
		return []v1alpha1.Fix{see, move}
	case queue.TooBig, queue.NothingSuits, queue.NoRoomOnNodes:
		return []v1alpha1.Fix{see, edit("Begin with fewer executors, or with smaller ones.", `
metadata:
  annotations:
    `+v1alpha1.AnnotationMinExecutors+`: "1"
`), move}
	}
	return []v1alpha1.Fix{see}
}

// growsInQueue is a run that was let in and has no executor, as its queue has let none go: its minimum has its room, so that
// this is short. With one of them it is well, however many more it would take.
func (c *Case) growsInQueue(place *v1beta2.QueuePlace) (v1alpha1.Cause, bool) {
	var held sightings
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Role != v1beta2.SparkRoleExecutor || pod.Deleted != nil {
			continue
		}
		if !slices.Contains(pod.Gates, v1alpha1.SchedulingGate) {
			return v1alpha1.Cause{}, false
		}
		if c.lasted(pod) {
			proof := v1alpha1.Proof{Object: "Pod/" + pod.Name, Field: "spec.schedulingGates", Text: brief(strings.Join(pod.Gates, ", "))}
			held = append(held, sighting{pod: pod, at: pod.Created, proof: proof})
		}
	}
	if len(held.sorted()) == 0 {
		return v1alpha1.Cause{}, false
	}
	cause := held.cause(v1alpha1.ConfidenceHigh,
		fmt.Sprintf("The executors wait for their queue %s to let them go: it holds them by a scheduling gate.", place.Name),
		lookAt("See what the queue and those above it have.", "brazier queue "+place.Name),
		lookAt("See whether the operator runs: it lifts the gates.", "kubectl -n brazier-system get pods -l app.kubernetes.io/name=brazier"))
	cause.Transient = true
	return cause, true
}
