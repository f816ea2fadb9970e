package diagnose

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// driver returns the run's driver, nil if nothing was seen of it.
func (c *Case) driver() *v1alpha1.Pod {
	for i := range c.Evidence.Pods {
		if c.Evidence.Pods[i].Role == v1alpha1.RoleDriver {
			return &c.Evidence.Pods[i]
		}
	}
	return nil
}

// containers calls visit with each container of the run's pods, until it returns false.
func (c *Case) containers(visit func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool) {
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		for j := range pod.Containers {
			if !visit(pod, &pod.Containers[j]) {
				return
			}
		}
	}
}

// found is a line of a log that a rule looked for.
type found struct {
	log  *v1alpha1.Log
	line *v1alpha1.LogLine
	// text is what the line says, or one of the lines that a structured one says.
	text string
	// field is where the line was read, where that is not a log.
	field string
	// role is that of the pod.
	role v1alpha1.Role
}

// lines returns the lines of all logs that contain one of words, in the order in which they were kept.
func (c *Case) lines(words ...string) []found {
	return having(c.said(), words...)
}

// having are those of lines that contain one of words.
func having(lines []found, words ...string) []found {
	var all []found
	for _, f := range lines {
		for _, word := range words {
			if strings.Contains(f.text, word) {
				all = append(all, f)
				break
			}
		}
	}
	return all
}

// firstMatch is the first of lines that pattern matches, and what it captured.
func firstMatch(lines []found, pattern *pattern) (found, []string, bool) {
	for _, f := range lines {
		if match := pattern.FindStringSubmatch(f.text); match != nil {
			return f, match, true
		}
	}
	return found{}, nil, false
}

// proofLength is how much of a line is shown as evidence, in bytes.
const proofLength = 300

// proof is the line as evidence.
func (f found) proof() v1alpha1.Proof {
	field := f.field
	if field == "" {
		field = fmt.Sprintf("log line %d", f.line.Number)
	}
	return v1alpha1.Proof{Object: "Pod/" + f.log.Pod, Field: field, Text: shortened(strings.TrimSpace(f.text)), At: f.line.At}
}

// at is when the line was said.
func (f found) at() metav1.Time {
	if f.line == nil || f.line.At == nil {
		return metav1.Time{}
	}
	return metav1.NewTime(f.line.At.Time)
}

func shortened(text string) string {
	if len(text) <= proofLength {
		return text
	}
	return strings.ToValidUTF8(text[:proofLength], "") + "…"
}

// events returns the events with one of reasons.
func (c *Case) events(reasons ...string) []*v1alpha1.Event {
	var all []*v1alpha1.Event
	for i := range c.Evidence.Events {
		for _, reason := range reasons {
			if c.Evidence.Events[i].Reason == reason {
				all = append(all, &c.Evidence.Events[i])
				break
			}
		}
	}
	return all
}

// containerField is where in a pod's status something of a container is.
func containerField(container *v1alpha1.Container, rest string) string {
	list := "containerStatuses"
	if container.Init {
		list = "initContainerStatuses"
	}
	return fmt.Sprintf("status.%s[%s].%s", list, container.Name, rest)
}

// completed reports whether the run ended well. The application may be on a later run already: what is known of the
// driver's own end counts first.
func (c *Case) completed() bool {
	if end, ok := c.driverEnd(); ok {
		return end.code == 0 && c.driver().Phase != "Failed"
	}
	return c.Ended && c.Application != nil && c.Application.Status.AppState.State == v1beta2.ApplicationStateCompleted
}

// driverEnd is how the driver's container ended; false if it was not seen to.
func (c *Case) driverEnd() (end, bool) {
	for _, e := range c.ends(v1alpha1.RoleDriver) {
		if !e.previous {
			return e, true
		}
	}
	return end{}, false
}

// troubled reports whether the run has failed or is stuck. What Spark has put up with in a run that goes on (an executor
// that was replaced, a task that was tried again) is nothing that anybody asked about.
func (c *Case) troubled() bool {
	if _, ended := c.driverEnd(); c.Ended || ended {
		return true
	}
	return c.starved() || c.withoutExecutors()
}

// starved reports whether the driver has been saying, until now, that it has no executors (TaskSchedulerImpl, each 15 s).
func (c *Case) starved() bool {
	const repeated = 2 * slack
	lines := c.lines("Initial job has not accepted any resources")
	if len(lines) == 0 {
		return false
	}
	at := lines[len(lines)-1].at()
	return at.IsZero() || c.Now.IsZero() || c.Now.Sub(at.Time) < repeated
}

// withoutExecutors reports whether executors have failed and none runs.
func (c *Case) withoutExecutors() bool {
	failed := c.Evidence.Executors.Failed > 0
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Role != v1alpha1.RoleExecutor {
			continue
		}
		for j := range pod.Containers {
			if pod.Containers[j].Running != nil {
				return false
			}
			failed = failed || failedEnd(pod.Containers[j].Terminated)
		}
	}
	// Healthy executors are not among the evidence: that none was kept says nothing where there were more than failed.
	return failed && c.Evidence.Executors.Seen <= max(c.Evidence.Executors.Failed, int64(len(c.Evidence.Pods)))
}

func failedEnd(e *v1alpha1.ContainerEnd) bool {
	return e != nil && e.ExitCode != 0 && e.ExitCode != exitTerminated
}
