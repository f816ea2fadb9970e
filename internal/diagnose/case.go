package diagnose

import (
	"fmt"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
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
}

// lines returns the lines of all logs that contain one of words, in the order in which they were kept.
func (c *Case) lines(words ...string) []found {
	var all []found
	for i := range c.Evidence.Logs {
		log := &c.Evidence.Logs[i]
		for j := range log.Lines {
			for _, word := range words {
				if strings.Contains(log.Lines[j].Text, word) {
					all = append(all, found{log, &log.Lines[j]})
					break
				}
			}
		}
	}
	return all
}

// proof is the line as evidence.
func (f found) proof() v1alpha1.Proof {
	return v1alpha1.Proof{
		Object: "Pod/" + f.log.Pod, Field: fmt.Sprintf("log line %d", f.line.Number), Text: f.line.Text, At: f.line.At,
	}
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
