package diagnose

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// ExecutorPodsAllocator and ExecutorPodsLifecycleManager, which then end the driver.
var tooManyFailures = lazily(`Max number of executor failures \((\d+)\) reached`)

// executorFailures finds drivers that gave up because executors failed one after the other.
func executorFailures() rule {
	follows := append(endedPods(), "image-pull", "executor-out-of-memory", "executor-heap-out-of-memory", "driver-unreachable", "version-skew",
		"class-missing", "native-crash", "executor-silent")
	return rule{code: "executor-failures", follows: follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.saidBy(v1alpha1.RoleDriver), tooManyFailures)
		e, ended := c.driverEnd()
		if !ok && (!ended || e.code != exitExecutorFailures) {
			return v1alpha1.Cause{}, false
		}
		cause := v1alpha1.Cause{Why: "The driver gave up because too many executors failed", Confidence: v1alpha1.ConfidenceHigh, At: e.at}
		if ok {
			cause = told(f, fmt.Sprintf("The driver gave up after more than %s executors had failed", match[1]))
		} else {
			cause.Evidence = []v1alpha1.Proof{e.proof}
		}
		ends := c.badEnds()
		if len(ends) > 0 {
			cause.Why += fmt.Sprintf(": %s ended with exit code %d, %s", ends[0].name, ends[0].code, exitMeaning(ends[0].code))
			cause.Evidence = append(cause.Evidence, proofs(ends)...)
		}
		cause.Why += "."
		cause.Fixes = []v1alpha1.Fix{c.driverLog(), inspect("See what became of executors.", "kubectl get events --namespace "+c.Namespace)}
		return cause, true
	}}
}

// badEnds are the ends of executors that were not told to go.
func (c *Case) badEnds() []end {
	var bad []end
	for _, e := range c.ends(v1alpha1.RoleExecutor) {
		if e.code != 0 && e.code != exitTerminated {
			bad = append(bad, e)
		}
	}
	return bad
}

// executorLimit is how much memory an executor's container may use; nil if none was seen.
func (c *Case) executorLimit() *resource.Quantity {
	for i := range c.Evidence.Pods {
		if pod := &c.Evidence.Pods[i]; pod.Role == v1alpha1.RoleExecutor {
			if container := sparkContainer(pod); container != nil {
				return container.MemoryLimit
			}
		}
	}
	return nil
}
