package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// driverDeleted finds drivers whose pod somebody deleted: not the cluster, and not the operator.
func driverDeleted() rule {
	return rule{code: "driver-deleted", find: func(c *Case) (v1alpha1.Cause, bool) {
		driver := c.driver()
		if driver == nil || driver.Deleted == nil || !c.Ended || !c.deletedByOthers(driver) {
			return v1alpha1.Cause{}, false
		}
		one := sighting{pod: driver, at: *driver.Deleted, proof: v1alpha1.Proof{
			Object: "Pod/" + driver.Name, Field: "metadata.deletionTimestamp", Text: driver.Deleted.UTC().Format("2006-01-02T15:04:05Z"),
		}}
		seen := sightings{one}
		for _, e := range c.events("Killing") {
			if e.Object == "Pod/"+driver.Name {
				seen = append(seen, sighting{pod: driver, proof: eventProof(e), at: e.First})
			}
		}
		return seen.cause(v1alpha1.ConfidenceMedium,
			sentence("somebody, or something other than Brazier, deleted the driver's pod %s while it ran.", driver.Name),
			lookAt("Who did is in the API server's audit log; events tell of cleaners and autoscalers.",
				c.kubectl("get events --field-selector involvedObject.name=%s", driver.Name)),
			v1alpha1.Fix{
				Risk: v1alpha1.RiskChanges, Say: "To stop a run, suspend its application rather than delete its pod.",
				Command: c.kubectl("patch sparkapplication %s --type=merge -p '{\"spec\":{\"suspend\":true}}'", c.Name),
			}), true
	}}
}

// deletedByOthers reports whether the deletion came before the end, and nothing else explains it.
func (c *Case) deletedByOthers(driver *v1alpha1.Pod) bool {
	if _, ok := c.disruption(driver); ok || driver.Reason == "Evicted" || driver.Phase == string(corev1.PodSucceeded) {
		return false
	}
	if c.Application != nil && (!c.Application.DeletionTimestamp.IsZero() || c.Application.Spec.Suspend) {
		return false
	}
	switch c.state() {
	case v1beta2.ApplicationStateSuspending, v1beta2.ApplicationStateSuspended, v1beta2.ApplicationStateResuming, v1beta2.ApplicationStateInvalidating:
		return false
	}
	if strings.Contains(c.errorMessage(), startTooLate) {
		return false
	}
	for _, container := range driver.Containers {
		end := container.Terminated
		if container.Name != v1beta2.DriverContainerName || end == nil {
			continue
		}
		// One that is told to go ends by SIGTERM, or by SIGKILL where it does not.
		const killed, terminated = 128 + 9, 128 + 15
		if end.Reason == "OOMKilled" || end.ExitCode != killed && end.ExitCode != terminated || end.Finished.Time.Before(driver.Deleted.Time) {
			return false
		}
	}
	return true
}
