package why

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/scene"
	"brazier.sh/brazier/internal/terminal"
)

const (
	// lastLines is how many lines of a driver's log are shown where nothing is known, recentLines where all is well.
	lastLines, recentLines = 15, 3
)

func completed(s *scene.Scene) bool {
	return s.State == v1beta2.ApplicationStateCompleted || s.State == v1beta2.ApplicationStateSucceeding
}

// unknown is honest: it says what was looked at, and how the driver's log ends.
func (w *writer) unknown(s *scene.Scene) {
	w.line(0, terminal.Plain, "")
	if what := looked(s); what != "" {
		w.wrap(0, terminal.Plain, "Why is not known. Looked at: "+what+".")
	} else {
		w.wrap(0, terminal.Plain, "Why is not known: there is nothing left to look at.")
	}
	if message := said(s); message != "" {
		w.wrap(0, terminal.Plain, "Its status says: "+message)
	}
	w.quote(s, lastLines)
}

// said is what the application's status says of a failure.
func said(s *scene.Scene) string {
	if s.Case.Application == nil || !s.Latest {
		return ""
	}
	return s.Case.Application.Status.AppState.ErrorMessage
}

// looked is what there was to look at; empty if nothing.
func looked(s *scene.Scene) string {
	e := s.Case.Evidence
	var parts []string
	for _, log := range e.Logs {
		if log.Total > 0 {
			parts = append(parts, fmt.Sprintf("the log of %s (%s)", log.Pod, plural(log.Total, "line")))
		}
	}
	if n := int64(len(e.Pods)); n > 0 {
		parts = append(parts, plural(n, "pod"))
	}
	if n := int64(len(e.Events)); n > 0 {
		parts = append(parts, plural(n, "event"))
	}
	if s.Record != nil {
		parts = append(parts, "the record of run "+fmt.Sprint(s.Run))
	}
	return strings.Join(parts, ", ")
}

// doing says what an application that goes on, and is well, is doing.
func (w *writer) doing(s *scene.Scene) {
	switch s.State {
	case v1beta2.ApplicationStateRunning:
		if text := work(s, w.zone); text != "" {
			w.wrap(0, terminal.Plain, text)
		}
		w.quote(s, recentLines)
	case v1beta2.ApplicationStateSubmitted:
		w.wrap(0, terminal.Plain, start(s))
	case v1beta2.ApplicationStateNew:
		if s.Case.Now.Sub(s.Case.Application.CreationTimestamp.Time) >= neglectAfter {
			w.wrap(0, terminal.Plain, "See whether the operator runs, and whether it looks after this namespace:")
			w.line(2, terminal.Good, "kubectl --namespace brazier-system get pods")
		}
	}
}

// work says where the driver runs, and how many executors it has.
func work(s *scene.Scene, zone *time.Location) string {
	var parts []string
	if driver := driver(s); driver != nil && driver.Node != "" {
		text := "its driver runs on " + driver.Node
		if since := runningSince(driver); since != nil {
			text += " since " + clock(*since, s.Case.Now, zone)
		}
		parts = append(parts, text)
	}
	if s.Executors != (scene.Executors{}) {
		text := plural(int64(s.Executors.Running), "executor") + " at work"
		if s.Executors.Waiting > 0 {
			text += fmt.Sprintf(" and %d on the way", s.Executors.Waiting)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, ", ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

// start says how far a driver is that waits for nothing in particular.
func start(s *scene.Scene) string {
	driver := driver(s)
	switch {
	case driver == nil:
		return "Its driver's pod is not there yet."
	case driver.Node == "":
		return "Its driver's pod is there and has no node yet" + unplaced(driver)
	}
	return "Its driver's pod is on " + driver.Node + ", where its containers are being started."
}

// unplaced is what the scheduler says of a pod that has no node.
func unplaced(pod *v1alpha1.Pod) string {
	for _, condition := range pod.Conditions {
		if condition.Type == string(corev1.PodScheduled) && condition.Message != "" {
			return ": " + condition.Message
		}
	}
	return "."
}

func driver(s *scene.Scene) *v1alpha1.Pod {
	for i := range s.Case.Evidence.Pods {
		if pod := &s.Case.Evidence.Pods[i]; pod.Role == v1alpha1.RoleDriver {
			return pod
		}
	}
	return nil
}

func runningSince(pod *v1alpha1.Pod) *time.Time {
	for _, container := range pod.Containers {
		if container.Name == v1beta2.DriverContainerName && container.Running != nil {
			return &container.Running.Time
		}
	}
	return nil
}

// quote shows the last lines of the driver's log, as they are.
func (w *writer) quote(s *scene.Scene, count int) {
	driver := driver(s)
	if driver == nil {
		return
	}
	for _, log := range s.Case.Evidence.Logs {
		if log.Pod != driver.Name || len(log.Lines) == 0 {
			continue
		}
		w.line(0, terminal.Plain, "The driver's last lines:")
		for _, line := range log.Lines[max(len(log.Lines)-count, 0):] {
			w.line(2, terminal.Faint, "│ "+line.Text)
		}
		return
	}
}
