package diagnose

import "brazier.sh/brazier/api/brazier/v1alpha1"

// containerOutOfMemory finds containers that the kernel ended because they used more memory than their limit.
func containerOutOfMemory() rule {
	return rule{code: "container-out-of-memory", find: func(c *Case) (v1alpha1.Cause, bool) {
		var cause v1alpha1.Cause
		c.containers(func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool {
			end := container.Terminated
			if end == nil || end.Reason != "OOMKilled" {
				return true
			}
			cause = v1alpha1.Cause{
				Why: "A container used more memory than its limit.", Confidence: v1alpha1.ConfidenceHigh, At: end.Finished,
				Evidence: []v1alpha1.Proof{{
					Object: "Pod/" + pod.Name, Field: containerField(container, "state.terminated.reason"), Text: end.Reason,
				}},
			}
			return false
		})
		return cause, cause.Why != ""
	}}
}
