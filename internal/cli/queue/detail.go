package queue

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/terminal"
)

// describe tells of one queue: what it says, what it has, and how full the bounds are up to the root.
func describe(streams terminal.Streams, l *line, now time.Time) {
	out := streams.Out
	fmt.Fprintln(out, headline(l))
	for _, row := range facts(l, now) {
		if row[1] != "" {
			fmt.Fprintf(out, "  %-10s  %s\n", row[0], row[1])
		}
	}
	if rows := usage(l); len(rows) > 0 {
		fmt.Fprintln(out, "\nWhat it has")
		streams.Table([]string{"FLAVOUR", "RESOURCE", "GUARANTEED", "USED", "BORROWED", "LENT", "LEAVING"}, rows)
	}
	if rows := bounds(l); len(rows) > 0 {
		fmt.Fprintln(out, "\nBounds on the way up")
		streams.Table([]string{"QUEUE", "BOUND", "FLAVOUR", "RESOURCE", "USED", "OF", "FULL"}, rows)
	}
}

// headline is, for example, "etl is part of eng, part of root".
func headline(l *line) string {
	text := "queue " + l.name
	for _, above := range l.up()[1:] {
		text += ", part of " + above.name
	}
	if parent := l.spec().Parent; l.parent == nil && parent != "" {
		text += ", part of " + parent + ", which is not there"
	}
	return text
}

func facts(l *line, now time.Time) [][2]string {
	spec, status := l.spec(), l.status()
	rows := [][2]string{
		{"Running", counted(status.Running, spec.MaxRunning)},
		{"Waiting", counted(status.Waiting, spec.MaxWaiting) + lasting(spec.WaitTimeout)},
		{"Share", status.Share},
		{"Weight", weight(l)},
		{"Order", order(spec)},
		{"Drivers", atMostPercent(spec.DriverPercent, "of what the queue may use")},
		{"Each user", users(spec.Users)},
		{"Flavours", flavours(spec.Flavours)},
		{"Reclaim", reclaim(spec.Reclaim)},
		{"Namespaces", strings.Join(spec.Namespaces, ", ")},
		{"Drained", drained(spec.Drain)},
	}
	for _, condition := range status.Conditions {
		rows = append(rows, [2]string{condition.Type, told(condition, now)})
	}
	return rows
}

func counted(n int32, most *int32) string {
	if most == nil {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d of at most %d", n, *most)
}

func lasting(timeout *metav1.Duration) string {
	if timeout == nil {
		return ""
	}
	return ", each for at most " + duration.HumanDuration(timeout.Duration)
}

func order(spec v1alpha1.QueueSpec) string {
	text := "by age (FIFO)"
	if spec.Order == v1alpha1.ByPriority {
		text = "by priority, then who has used less (Priority)"
	}
	if p := spec.Priorities; p != nil {
		text += fmt.Sprintf("; priority %d by default", p.Default)
		if p.Max != nil {
			text += fmt.Sprintf(", at most %d", *p.Max)
		}
	}
	return text
}

func atMostPercent(percent *int32, of string) string {
	if percent == nil {
		return ""
	}
	return fmt.Sprintf("at most %d%% %s", *percent, of)
}

func users(limits *v1alpha1.UserLimits) string {
	if limits == nil {
		return ""
	}
	var parts []string
	if limits.MaxRunning != nil {
		parts = append(parts, fmt.Sprintf("at most %d running", *limits.MaxRunning))
	}
	if limits.MaxWaiting != nil {
		parts = append(parts, fmt.Sprintf("at most %d waiting", *limits.MaxWaiting))
	}
	if limits.Percent != nil {
		parts = append(parts, atMostPercent(limits.Percent, "of what the queue may use"))
	}
	return strings.Join(parts, ", ")
}

func flavours(f *v1alpha1.QueueFlavours) string {
	if f == nil {
		return ""
	}
	var parts []string
	for _, kind := range []struct {
		of    string
		names []string
	}{{"drivers", f.Drivers}, {"executors", f.Executors}} {
		if len(kind.names) > 0 {
			parts = append(parts, kind.of+" on "+strings.Join(kind.names, ", then "))
		}
	}
	return strings.Join(parts, "; ")
}

// reclaim is what a queue says of taking back, and what holds where it does not: the defaults are the API's.
func reclaim(r *v1alpha1.Reclaim) string {
	if r == nil {
		return ""
	}
	var what string
	switch cmp.Or(r.Victims, v1alpha1.VictimsExecutors) {
	case v1alpha1.VictimsNone:
		return "nothing is taken back"
	case v1alpha1.VictimsApplications:
		what = "executors, then whole applications"
	case v1alpha1.VictimsExecutors:
		what = "executors above the minimum"
	}
	grace, coolDown, deadZone := 2*time.Minute, 30*time.Second, int32(10)
	if r.Grace != nil {
		grace = r.Grace.Duration
	}
	if r.CoolDown != nil {
		coolDown = r.CoolDown.Duration
	}
	if r.DeadZonePercent != nil {
		deadZone = *r.DeadZonePercent
	}
	return fmt.Sprintf("%s, with %s of grace; for fairness alone from %d%% on; an application is left alone for %s after it",
		what, duration.HumanDuration(grace), deadZone, duration.HumanDuration(coolDown))
}

func drained(is bool) string {
	if is {
		return "nothing is let in any more; what runs goes on"
	}
	return ""
}

// told is a condition in words.
func told(c metav1.Condition, now time.Time) string {
	text := string(c.Status)
	if c.Reason != "" && c.Reason != string(c.Status) {
		text += " (" + c.Reason + ")"
	}
	if !c.LastTransitionTime.IsZero() {
		text += " for " + duration.HumanDuration(now.Sub(c.LastTransitionTime.Time))
	}
	if c.Message != "" {
		text += ": " + strings.Join(strings.Fields(c.Message), " ")
	}
	return text
}

// usage is a row for each flavour and resource of which there is something to say.
func usage(l *line) [][]string {
	var rows [][]string
	for _, u := range l.status().Usage {
		for _, name := range sorted(u.Guaranteed, u.Used, u.Borrowed, u.Lent, u.Leaving) {
			row := []string{u.Flavour, string(name)}
			for _, list := range []corev1.ResourceList{u.Guaranteed, u.Used, u.Borrowed, u.Lent, u.Leaving} {
				row = append(row, cell(list, name))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func cell(list corev1.ResourceList, name corev1.ResourceName) string {
	amount, ok := list[name]
	if !ok || amount.IsZero() {
		return "-"
	}
	return short(name, amount)
}

// bounds are those that an application of the queue meets: its own, and those of every queue above it.
func bounds(l *line) [][]string {
	var rows [][]string
	for _, at := range l.up() {
		spec, status := at.spec(), at.status()
		if spec.MaxRunning != nil {
			rows = append(rows, countBound(at, "maxRunning", status.Running, *spec.MaxRunning))
		}
		if spec.MaxWaiting != nil && at == l {
			rows = append(rows, countBound(at, "maxWaiting", status.Waiting, *spec.MaxWaiting))
		}
		for _, quota := range spec.Quotas {
			flavour := cmp.Or(quota.Flavour, v1alpha1.DefaultFlavour)
			used := usageOf(status, flavour)
			rows = append(rows, amountBounds(at, "limit", flavour, used.Used, quota.Limit)...)
			rows = append(rows, amountBounds(at, "borrowingLimit", flavour, used.Borrowed, quota.BorrowingLimit)...)
		}
	}
	return rows
}

func usageOf(status v1alpha1.QueueStatus, flavour string) v1alpha1.QueueUsage {
	for _, usage := range status.Usage {
		if usage.Flavour == flavour {
			return usage
		}
	}
	return v1alpha1.QueueUsage{}
}

func countBound(l *line, bound string, n, most int32) []string {
	full := "-"
	if most > 0 {
		full = fmt.Sprintf("%d%%", 100*int64(n)/int64(most))
	}
	return []string{l.name, bound, "-", "-", fmt.Sprint(n), fmt.Sprint(most), full}
}

func amountBounds(l *line, bound, flavour string, used, most corev1.ResourceList) [][]string {
	var rows [][]string
	for _, name := range sorted(most) {
		rows = append(rows, []string{l.name, bound, flavour, string(name), short(name, used[name]), short(name, most[name]), percent(used[name], most[name])})
	}
	return rows
}
