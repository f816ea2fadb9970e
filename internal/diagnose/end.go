package diagnose

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// end is how Spark's container of a pod ended.
type end struct {
	role v1alpha1.Role
	// name is how the pod is spoken of: "the driver", "executor 3".
	name string
	// executor is Spark's number of an executor.
	executor string
	// pod is the pod's name; empty where only the driver's log tells of it.
	pod  string
	node string
	code int32
	// reason is Kubernetes' word for it, such as OOMKilled.
	reason string
	// message is the end of the container's log.
	message string
	limit   *resource.Quantity
	at      metav1.Time
	// previous says that the container was started again.
	previous bool
	proof    v1alpha1.Proof
}

// ends are the ends of Spark's containers in pods of role. An executor's pod is deleted as soon as the driver knows of its
// end; one that was never seen is told of by the driver's log.
func (c *Case) ends(role v1alpha1.Role) []end {
	var all []end
	seen := map[string]bool{}
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Role != role {
			continue
		}
		container := sparkContainer(pod)
		if container == nil {
			continue
		}
		if container.Previous != nil {
			all = append(all, podEnd(pod, container, container.Previous, "lastState.terminated"))
		}
		if container.Terminated != nil {
			all = append(all, podEnd(pod, container, container.Terminated, "state.terminated"))
			seen[pod.Executor] = true
		}
	}
	if role == v1alpha1.RoleExecutor {
		all = append(all, c.loggedEnds(seen)...)
	}
	return all
}

// sparkContainer is the container that Spark runs in: the one that Spark names, or else the first.
func sparkContainer(pod *v1alpha1.Pod) *v1alpha1.Container {
	var first *v1alpha1.Container
	for i := range pod.Containers {
		container := &pod.Containers[i]
		switch {
		case container.Init:
		case strings.HasPrefix(container.Name, "spark-kubernetes-"):
			return container
		case first == nil:
			first = container
		}
	}
	return first
}

func podEnd(pod *v1alpha1.Pod, container *v1alpha1.Container, ended *v1alpha1.ContainerEnd, field string) end {
	e := end{
		role: pod.Role, name: "the driver", executor: pod.Executor, pod: pod.Name, node: pod.Node,
		code: ended.ExitCode, reason: ended.Reason, message: ended.Message, limit: container.MemoryLimit,
		at: ended.Finished, previous: field != "state.terminated",
		proof: v1alpha1.Proof{
			Object: "Pod/" + pod.Name, Field: containerField(container, field),
			Text: strings.TrimSpace(fmt.Sprintf("exit code %d %s", ended.ExitCode, ended.Reason)),
		},
	}
	if !ended.Finished.IsZero() {
		at := metav1.NewMicroTime(ended.Finished.Time)
		e.proof.At = &at
	}
	if pod.Role == v1alpha1.RoleExecutor {
		e.name = executorName(pod.Executor)
	}
	return e
}

func executorName(id string) string {
	if id == "" {
		return "an executor"
	}
	return "executor " + id
}

var (
	// ExecutorPodsLifecycleManager.exitReasonMessage and describeExitCode. Until 3.1 there was a dot behind the number.
	loggedExit = lazily(`The executor with id (\d+) exited with exit code (-?\d+)`)
	// KubernetesUtils.containersDescription.
	loggedReason   = lazily(`^\s*termination reason: (\S+)`)
	loggedFinished = lazily(`^\s*container finished at: (\S+)`)
)

// descriptionLength is how many lines the driver's description of an executor's containers has at most: eight each.
const descriptionLength = 40

// loggedEnds are the ends of executors that the driver's log tells of, but for those that were seen. The log tells of each
// several times: once as the executor is lost, and once for each task that it ran.
func (c *Case) loggedEnds(seen map[string]bool) []end {
	var all []end
	lines := c.saidBy(v1alpha1.RoleDriver)
	for i, line := range lines {
		match := loggedExit.FindStringSubmatch(line.text)
		if match == nil || seen[match[1]] {
			continue
		}
		code, err := strconv.ParseInt(match[2], 10, 32)
		if err != nil {
			continue
		}
		seen[match[1]] = true
		e := end{
			role: v1alpha1.RoleExecutor, name: executorName(match[1]), executor: match[1], code: int32(code),
			at: line.at(), proof: line.proof(),
		}
		e.describe(lines[i+1 : min(len(lines), i+1+descriptionLength)])
		all = append(all, e)
	}
	return all
}

// describe takes from the driver's description of the executor's containers how the first one that ended did.
func (e *end) describe(lines []found) {
	for _, line := range lines {
		if loggedExit.MatchString(line.text) {
			return
		}
		if match := loggedReason.FindStringSubmatch(line.text); match != nil && e.reason == "" {
			e.reason = match[1]
			e.proof.Text += " … " + strings.TrimSpace(line.text)
			return
		}
		if match := loggedFinished.FindStringSubmatch(line.text); match != nil {
			if at, err := time.Parse(time.RFC3339, match[1]); err == nil {
				e.at = metav1.NewTime(at)
			}
		}
	}
}
