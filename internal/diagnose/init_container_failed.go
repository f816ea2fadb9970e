package diagnose

import (
	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// initContainerFailed finds init containers that ended badly: what comes after them never starts, since pods of Spark's are
// not restarted.
func initContainerFailed() rule {
	return rule{code: "init-container-failed", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.ended(func(container *v1alpha1.Container, end *v1alpha1.ContainerEnd) bool {
			return container.Init && container.Waiting == nil && container.Running == nil && end.ExitCode != 0 && !cannotRun(end)
		})
		var failed sightings
		for _, one := range seen {
			// Sidecars of Kubernetes' own kind are init containers, too, and are ended with their pod.
			if !started(one.pod) && one.pod.Deleted == nil {
				failed = append(failed, one)
			}
		}
		if len(failed) == 0 {
			return v1alpha1.Cause{}, false
		}
		first := failed[0]
		end := first.container.Terminated
		if end == nil {
			end = first.container.Previous
		}
		said := "."
		if last := lastLine(end.Message); last != "" {
			said = ": " + firstSentence(last)
		}
		return failed.cause(v1alpha1.ConfidenceHigh,
			sentence("%s did not start: its init container %s ended with exit code %d%s", failed.who(), first.container.Name, end.ExitCode, said),
			lookAt("Read its log.", c.kubectl("logs %s -c %s", first.pod.Name, first.container.Name)),
			c.editByHand("Mend or take out the init container "+first.container.Name+".")), true
	}}
}

// cannotRun reports whether a container ended because its command could not be run, which is a cause of its own.
func cannotRun(end *v1alpha1.ContainerEnd) bool {
	switch end.Reason {
	case "StartError", "ContainerCannotRun":
		return true
	}
	return end.ExitCode == codeNotExecutable || end.ExitCode == codeNotFound || wrongFormat.MatchString(end.Message)
}
