package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

const (
	// patience is for how long a pod may wait for a node or a volume before it counts: schedulers and controllers need
	// some seconds in a cluster that is well, and autoscaled executors come and go.
	patience = 10 * time.Second
	// stale is how old the last word about something that is tried again and again must be for it to be over: Spark
	// asks for executors each second, and complains of having none each 15 s.
	stale = 2 * time.Minute
	// maxProofs is how many sightings of the same are shown.
	maxProofs = 3
	// maxText bounds what is quoted of a message, in bytes.
	maxText = 400
)

// podTitle is what a pod is called in a sentence.
func podTitle(pod *v1alpha1.Pod) string {
	switch {
	case pod == nil || pod.Role == v1alpha1.RoleDriver:
		return "the driver"
	case pod.Executor != "":
		return "executor " + pod.Executor
	}
	return "the executor " + pod.Name
}

// sentence begins text with a capital letter.
func sentence(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// brief shortens text to what can be quoted.
func brief(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText-len("…")], "") + "…"
}

// state is the application's; "" where it is new or gone.
func (c *Case) state() v1beta2.ApplicationStateType {
	if c.Application == nil {
		return v1beta2.ApplicationStateNew
	}
	return c.Application.Status.AppState.State
}

// errorMessage is what the application says that it failed of.
func (c *Case) errorMessage() string {
	if c.Application == nil {
		return ""
	}
	return c.Application.Status.AppState.ErrorMessage
}

// until is when the evidence stops: now, or when the run ended.
func (c *Case) until() time.Time {
	if c.Ended && c.Application != nil && !c.Application.Status.TerminationTime.IsZero() {
		return c.Application.Status.TerminationTime.Time
	}
	return c.Now
}

// podNamed returns the pod of that name, nil if it was not kept.
func (c *Case) podNamed(name string) *v1alpha1.Pod {
	for i := range c.Evidence.Pods {
		if c.Evidence.Pods[i].Name == name {
			return &c.Evidence.Pods[i]
		}
	}
	return nil
}

// podOf returns the pod that e is about, nil if it was not kept or e is about something else.
func (c *Case) podOf(e *v1alpha1.Event) *v1alpha1.Pod {
	name, ok := strings.CutPrefix(e.Object, "Pod/")
	if !ok {
		return nil
	}
	return c.podNamed(name)
}

// started reports whether a pod's Spark container, or any but its init containers, has run.
func started(pod *v1alpha1.Pod) bool {
	return slices.ContainsFunc(pod.Containers, func(container v1alpha1.Container) bool {
		return !container.Init && (container.Running != nil || container.Terminated != nil || container.Previous != nil)
	})
}

// lasted reports whether pod has waited for longer than it takes in a cluster that is well.
func (c *Case) lasted(pod *v1alpha1.Pod) bool {
	until := c.until()
	if pod.Deleted != nil {
		until = pod.Deleted.Time
	}
	return pod.Created.IsZero() || until.Sub(pod.Created.Time) >= patience
}

// lasting reports whether what e tells of its pod was not over at once: the pod never started, and had time to.
func (c *Case) lasting(e *v1alpha1.Event) bool {
	for _, other := range c.events("Started") {
		if other.Object == e.Object && !other.Last.Time.Before(e.First.Time) {
			return false
		}
	}
	pod := c.podOf(e)
	if pod == nil {
		return e.Count > 1
	}
	if started(pod) || !c.lasted(pod) {
		return false
	}
	return e.First.IsZero() || c.until().Sub(e.First.Time) >= patience
}

// waiting returns the containers that wait for one of reasons.
func (c *Case) waiting(reasons ...string) sightings {
	var all sightings
	c.containers(func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool {
		if wait := container.Waiting; wait != nil && slices.Contains(reasons, wait.Reason) {
			all = append(all, sighting{
				pod: pod, container: container, text: wait.Message, at: pod.Created, proof: v1alpha1.Proof{
					Object: "Pod/" + pod.Name, Field: containerField(container, "state.waiting"),
					Text: brief(joined(wait.Reason, wait.Message)),
				},
			})
		}
		return true
	})
	return all.sorted()
}

// ended returns the containers that ended in a way that match accepts.
func (c *Case) ended(match func(*v1alpha1.Container, *v1alpha1.ContainerEnd) bool) sightings {
	var all sightings
	c.containers(func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool {
		field, end := "state.terminated", container.Terminated
		if end == nil {
			field, end = "lastState.terminated", container.Previous
		}
		if end != nil && match(container, end) {
			all = append(all, sighting{
				pod: pod, container: container, text: end.Message, at: end.Finished, proof: v1alpha1.Proof{
					Object: "Pod/" + pod.Name, Field: containerField(container, field),
					Text: brief(joined(joined(end.Reason, fmt.Sprintf("exit code %d", end.ExitCode)), lastLine(end.Message))),
				},
			})
		}
		return true
	})
	return all.sorted()
}

// told returns the events with one of reasons that match accepts.
func (c *Case) told(match func(*v1alpha1.Event) bool, reasons ...string) sightings {
	var all sightings
	for _, e := range c.events(reasons...) {
		if match(e) {
			all = append(all, sighting{pod: c.podOf(e), text: e.Message, proof: eventProof(e), at: e.First})
		}
	}
	return all.sorted()
}

func eventProof(e *v1alpha1.Event) v1alpha1.Proof {
	proof := v1alpha1.Proof{Object: e.Object, Field: "event " + e.Reason, Text: brief(e.Message)}
	if !e.First.IsZero() {
		at := metav1.NewMicroTime(e.First.Time)
		proof.At = &at
	}
	return proof
}

func conditionProof(pod *v1alpha1.Pod, condition *v1alpha1.Condition) v1alpha1.Proof {
	proof := v1alpha1.Proof{
		Object: "Pod/" + pod.Name, Field: fmt.Sprintf("status.conditions[%s]", condition.Type),
		Text: brief(joined(condition.Reason, condition.Message)),
	}
	if !condition.At.IsZero() {
		at := metav1.NewMicroTime(condition.At.Time)
		proof.At = &at
	}
	return proof
}

// conditionOf returns a pod's condition of a type and status.
func conditionOf(pod *v1alpha1.Pod, kind, status string) *v1alpha1.Condition {
	for i := range pod.Conditions {
		if pod.Conditions[i].Type == kind && pod.Conditions[i].Status == status {
			return &pod.Conditions[i]
		}
	}
	return nil
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// kubectl is a command line in the application's namespace.
func (c *Case) kubectl(format string, args ...any) string {
	return fmt.Sprintf("kubectl -n %s ", c.Namespace) + fmt.Sprintf(format, args...)
}

func lookAt(say, command string) v1alpha1.Fix {
	return v1alpha1.Fix{Risk: v1alpha1.RiskInspect, Say: say, Command: command}
}

// editByHand is a change that nobody but the application's owner can word.
func (c *Case) editByHand(say string) v1alpha1.Fix {
	return v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: say, Command: c.kubectl("edit sparkapplication %s", c.Name)}
}

// edit is a change of the manifest.
func edit(say, yaml string) v1alpha1.Fix {
	return v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: say, Change: strings.TrimLeft(yaml, "\n")}
}

// edited is a change below spec.driver or spec.executor.
func edited(say, section, yaml string) v1alpha1.Fix {
	lines := strings.Split(strings.Trim(yaml, "\n"), "\n")
	return edit(say, fmt.Sprintf("spec:\n  %s:\n    %s\n", section, strings.Join(lines, "\n    ")))
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// holdsBy returns what is held by a kind of holder and has not been let go.
func (c *Case) holdsBy(kinds ...string) sightings {
	var all sightings
	for i := range c.Evidence.Holds {
		hold := &c.Evidence.Holds[i]
		if hold.Until != nil || !slices.Contains(kinds, hold.By) {
			continue
		}
		proof := v1alpha1.Proof{Object: hold.Object, Field: "held by " + hold.By, Text: brief(hold.Message)}
		if proof.Object == "" {
			proof.Object = "SparkApplication/" + c.Name
		}
		if !hold.Since.IsZero() {
			at := metav1.NewMicroTime(hold.Since.Time)
			proof.At = &at
		}
		all = append(all, sighting{text: hold.Message, at: hold.Since, proof: proof})
	}
	return all
}
