package applications

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/api/v1beta2"
)

// Detail is all that is known of an application at one moment.
type Detail struct {
	App *v1beta2.SparkApplication
	// Pods are its pods; nil where they were not read.
	Pods []*corev1.Pod
	// Unread says what could not be read, and why.
	Unread []string
	// Found is what was found to be behind its last failure, where the application itself does not say.
	Found string
	// Now is the moment.
	Now time.Time
	// Command makes a command line for the reader to copy.
	Command func(verb string, args ...string) string
}

// Describe tells of an application in plain words.
func Describe(d Detail) string {
	var text strings.Builder
	text.WriteString(d.headline() + "\n")
	for _, row := range d.rows() {
		if row[1] != "" {
			fmt.Fprintf(&text, "  %-10s  %s\n", row[0], indented(row[1]))
		}
	}
	if next := d.next(); len(next) > 0 {
		text.WriteString("\nNext\n")
		width := 0
		for _, row := range next {
			width = max(width, len(row[0]))
		}
		for _, row := range next {
			fmt.Fprintf(&text, "  %-*s  %s\n", width, row[0], row[1])
		}
	}
	return text.String()
}

// headline is, for example, "sales/report is RUNNING, for 3m20s".
func (d Detail) headline() string {
	text := fmt.Sprintf("%s/%s is %s", d.App.Namespace, d.App.Name, State(d.App))
	if took := Took(d.App, d.Now); took > 0 && Live(d.App) {
		return text + ", submitted " + duration.HumanDuration(took) + " ago"
	} else if took > 0 && d.App.Status.AppState.State.Ended() {
		return text + ", after " + duration.HumanDuration(took)
	}
	return text
}

func (d Detail) rows() [][2]string {
	return [][2]string{
		{"Why", cmp.Or(d.Found, Says(d.App))},
		{"Driver", d.driver()},
		{"Executors", d.executors()},
		{"Attempts", d.attempts()},
		{"UI", d.ui()},
		{"Runs", d.runs()},
		{"Created", d.moment(d.App.CreationTimestamp.Time)},
		{"Submitted", d.moment(Submitted(d.App))},
		{"Ended", d.ended()},
		{"Not read", strings.Join(d.Unread, "\n")},
	}
}

// Driver is the newest driver's pod among pods; nil if there is none.
func Driver(pods []*corev1.Pod) *corev1.Pod {
	var driver *corev1.Pod
	for _, pod := range pods {
		if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver && (driver == nil || !pod.CreationTimestamp.Before(&driver.CreationTimestamp)) {
			driver = pod
		}
	}
	return driver
}

func (d Detail) driver() string {
	pod := Driver(d.Pods)
	if pod == nil {
		switch name := d.App.Status.DriverInfo.PodName; {
		case name == "":
			return ""
		case d.Pods != nil:
			return "pod " + name + ", which is gone"
		default:
			return "pod " + name
		}
	}
	text := "pod " + pod.Name
	if pod.Spec.NodeName != "" {
		text += " on node " + pod.Spec.NodeName
	}
	switch exit := ExitOf(pod, v1beta2.DriverContainerName); {
	case exit != nil && exit.Code == 0:
		text += ", ended well"
	case exit != nil:
		text += ", ended with " + exit.String()
	case !pod.DeletionTimestamp.IsZero():
		text += ", being deleted"
	default:
		text += ", " + strings.ToLower(string(pod.Status.Phase))
	}
	if waits := Waits(pod, v1beta2.DriverContainerName); waits != "" {
		text += ": " + waits
	}
	return text
}

// executors counts the executors of the last run by what they do. Pods say it best; without them the application's own
// status does.
func (d Detail) executors() string {
	counts, waits := map[string]int{}, ""
	if d.Pods == nil {
		for _, state := range d.App.Status.ExecutorState {
			counts[strings.ToLower(string(state))]++
		}
	}
	for _, pod := range d.Pods {
		if pod.Labels[v1beta2.LabelSparkRole] != v1beta2.SparkRoleExecutor {
			continue
		}
		counts[executorState(pod)]++
		waits = cmp.Or(waits, Waits(pod, v1beta2.ExecutorContainerName))
	}
	if d.Pods != nil { // Those whose pods are gone already.
		pods := map[string]bool{}
		for _, pod := range d.Pods {
			pods[pod.Name] = true
		}
		for name, state := range d.App.Status.ExecutorState {
			if ended := state == v1beta2.ExecutorStateCompleted || state == v1beta2.ExecutorStateFailed; ended && !pods[name] {
				counts[strings.ToLower(string(state))]++
			}
		}
	}
	wanted, dynamic := Asked(d.App)
	var parts []string
	for _, state := range []string{"running", "pending", "completed", "failed", "unknown"} {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
		delete(counts, state)
	}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
	}
	text := strings.Join(parts, ", ")
	switch {
	case dynamic:
		text = cmp.Or(text, "none now") + "; as many as the work needs"
	case Live(d.App):
		text = cmp.Or(text, "none yet") + fmt.Sprintf("; %d asked for", wanted)
	}
	if waits != "" {
		text += "; pending: " + waits
	}
	return text
}

func executorState(pod *corev1.Pod) string {
	switch exit := ExitOf(pod, v1beta2.ExecutorContainerName); {
	case exit != nil && exit.Code != 0:
		return "failed"
	case exit != nil:
		return "completed"
	}
	return strings.ToLower(string(pod.Status.Phase))
}

func (d Detail) attempts() string {
	attempt := Attempt(d.App)
	if attempt == 0 {
		return ""
	}
	text := fmt.Sprint(attempt)
	if run := int(d.App.Status.Run); run > attempt {
		text += fmt.Sprintf(" (run %d: some did not count, since they were suspended or lost with their node)", run)
	}
	return text
}

func (d Detail) ui() string {
	info := d.App.Status.DriverInfo
	switch {
	case d.App.Status.AppState.State != v1beta2.ApplicationStateRunning:
		return ""
	case !ServesUI(d.App):
		return "none: spark.ui.enabled is false"
	case info.WebUIIngressAddress != "":
		return info.WebUIIngressAddress
	case info.WebUIAddress != "":
		return info.WebUIAddress + " in the cluster; from here: " + d.Command("ui", d.App.Name)
	}
	return d.Command("ui", d.App.Name)
}

// runs is what the application runs.
func (d Detail) runs() string {
	text := d.App.Spec.MainApplicationFile
	if d.App.Spec.MainClass != "" {
		text += ", class " + d.App.Spec.MainClass
	}
	return fmt.Sprintf("%s (%s, Spark %s)", text, d.App.Spec.Type, d.App.Spec.SparkVersion)
}

func (d Detail) ended() string {
	if Live(d.App) {
		return ""
	}
	return d.moment(d.App.Status.TerminationTime.Time)
}

// moment is a time as people and programs read it: "2026-11-23T12:00:00Z, 3m ago".
func (d Detail) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s, %s ago", at.UTC().Format(time.RFC3339), Age(at, d.Now))
}

// next are commands that are worth a try, and what they do.
func (d Detail) next() [][2]string {
	name := d.App.Name
	logs := [2]string{d.Command("logs", name), "what its driver said"}
	events := [2]string{d.Command("events", name), "what Kubernetes says of it"}
	switch d.App.Status.AppState.State {
	case v1beta2.ApplicationStateRunning:
		return [][2]string{
			{d.Command("follow", name), "watch it to its end"},
			{d.Command("logs", "-f", name), "what its driver says"},
			{d.Command("cancel", name), "end it"},
		}
	case v1beta2.ApplicationStateNew, v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateResuming:
		return [][2]string{events, {d.Command("get", name, "--wait=running"), "wait until it runs"}, {d.Command("cancel", name), "call it off"}}
	case v1beta2.ApplicationStateFailed:
		return [][2]string{logs, events, {d.Command("rerun", name), "run it again"}}
	case v1beta2.ApplicationStateCompleted:
		return [][2]string{logs, {d.Command("rerun", name), "run it again"}}
	case v1beta2.ApplicationStateSuspending, v1beta2.ApplicationStateSuspended:
		return [][2]string{{d.Command("resume", name), "run it"}, {d.Command("cancel", "--delete", name), "delete it"}}
	case v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateFailedSubmission:
		return [][2]string{logs, events, {d.Command("cancel", name), "keep it from being tried again"}}
	}
	return nil
}

// indented keeps the lines after the first below it.
func indented(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+strings.Repeat(" ", 14))
}
