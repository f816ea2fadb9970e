package diagnose

import (
	"fmt"
	"slices"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// imagePull finds containers whose image cannot be had. The reasons are those of kubelet/images/types.go.
func imagePull() rule {
	reasons := []string{
		"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable",
		"SignatureValidationFailed",
	}
	return rule{code: "image-pull", find: func(c *Case) (v1alpha1.Cause, bool) {
		var cause v1alpha1.Cause
		c.containers(func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool {
			waiting := container.Waiting
			if waiting == nil || !slices.Contains(reasons, waiting.Reason) {
				return true
			}
			cause = v1alpha1.Cause{
				Why:        fmt.Sprintf("The image %s of the %s cannot be pulled.", container.Image, pod.Role),
				Confidence: v1alpha1.ConfidenceHigh,
				Evidence: []v1alpha1.Proof{{
					Object: "Pod/" + pod.Name, Field: containerField(container, "state.waiting"), Text: waiting.Reason + ": " + waiting.Message,
				}},
				At: pod.Created,
			}
			return false
		})
		return cause, cause.Why != ""
	}}
}
