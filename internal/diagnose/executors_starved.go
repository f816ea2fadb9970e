package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// noResources is what TaskSchedulerImpl says every 15 s (spark.starvation.timeout) of tasks that no executor takes.
const noResources = "Initial job has not accepted any resources"

// executorsStarved finds drivers that have no executors to give their tasks to. It says what keeps executors from coming
// only where no other rule does: then it follows from that.
func executorsStarved() rule {
	return rule{
		code: "executors-starved",
		follows: []string{
			"rbac-denied", "quota-exceeded", "limit-range", "pod-security", "admission-denied", "admission-webhook",
			"volume-claim-unbound", "unschedulable", "held-by-queue", "image-pull", "config-missing", "command-cannot-run",
			"container-not-created", "volume-not-mounted", "pod-sandbox-failed", "init-container-failed", "rejected-by-node",
			"driver-unreachable", "executor-out-of-memory", "executor-heap-out-of-memory", "version-skew", "class-missing", "native-crash",
		},
		find: func(c *Case) (v1alpha1.Cause, bool) {
			lines := c.lines(noResources)
			if len(lines) == 0 || c.isStale(lines[len(lines)-1]) {
				return v1alpha1.Cause{}, false
			}
			first := lines[0]
			proof := first.proof()
			proof.Text = brief(proof.Text)
			cause := sightings{{proof: proof, at: timeOf(first)}}.cause(v1alpha1.ConfidenceMedium, c.starvation(),
				lookAt("See the executors, and what they wait for or ended of.",
					c.kubectl("get pods -l sparkoperator.k8s.io/app-name=%s,spark-role=executor -o wide", c.Name)),
				edited("Ask for executors that are as small as the job allows.", "executor", "cores: 1\nmemory: 1g"))
			cause.Waiting = !c.Ended
			cause.Transient = true
			return cause, true
		},
	}
}

// starvation tells what has become of the executors that were asked for.
func (c *Case) starvation() string {
	count, running := c.Evidence.Executors, 0
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Role != v1alpha1.RoleExecutor {
			continue
		}
		for _, container := range pod.Containers {
			if !container.Init && container.Running != nil {
				running++
			}
		}
	}
	switch {
	case count.Failed > 0 && running == 0:
		return fmt.Sprintf("The driver has no executors: %d of %d have ended badly before they could take a task.", count.Failed, max(count.Seen, count.Failed))
	case running > 0:
		return fmt.Sprintf("The driver has no executors: %d run, but have not registered with it, or are too small for a task.", running)
	case count.Seen == 0:
		return "The driver has no executors: none of those that it asked for was made."
	}
	return "The driver has no executors: those that were made have not started, or have not registered with it."
}
