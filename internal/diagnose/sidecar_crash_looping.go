package diagnose

import (
	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// sidecarCrashLooping finds sidecars that are started again and again. Spark's own containers never are: their pods are not
// restarted, and only sidecars of Kubernetes' own kind (init containers with restartPolicy: Always) restart within them.
func sidecarCrashLooping() rule {
	return rule{code: "sidecar-crash-looping", find: func(c *Case) (v1alpha1.Cause, bool) {
		var seen sightings
		for _, one := range c.waiting("CrashLoopBackOff") {
			if name := one.container.Name; name != v1beta2.DriverContainerName && name != v1beta2.ExecutorContainerName && !notExecutable.MatchString(one.text) {
				seen = append(seen, one)
			}
		}
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		first := seen[0]
		why := sentence("the sidecar %s of %s ends and is started again, %d times so far.", first.container.Name, seen.who(), first.container.Restarts)
		confidence := v1alpha1.ConfidenceLow
		if !started(first.pod) {
			// Containers start only after sidecars have.
			why = sentence("%s does not start: its sidecar %s ends and is started again, %d times so far.", seen.who(), first.container.Name, first.container.Restarts)
			confidence = v1alpha1.ConfidenceHigh
		}
		cause := seen.cause(confidence, why,
			lookAt("Read what it said before it ended.", c.kubectl("logs %s -c %s --previous", first.pod.Name, first.container.Name)),
			c.editByHand("Mend or take out the sidecar "+first.container.Name+"."))
		if end := first.container.Previous; end != nil {
			cause.Evidence = append(cause.Evidence, v1alpha1.Proof{
				Object: "Pod/" + first.pod.Name, Field: containerField(first.container, "lastState.terminated"),
				Text: brief(joined(end.Reason, lastLine(end.Message))),
			})
		}
		cause.Waiting = !c.Ended && !started(first.pod)
		return cause, true
	}}
}
