package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

// line is a queue in the tree.
type line struct {
	name string
	// queue is nil of a root that there is no object for.
	queue  *v1alpha1.Queue
	parent *line
	parts  []*line
	// branch is what is drawn before the name.
	branch string
	// gone says that it was deleted.
	gone bool
}

// tree is all queues.
type tree struct {
	root *line
	// lost are those that are not below the root: what they are part of is not there, or is part of them.
	lost  []*line
	named map[string]*line
}

// arrange makes the tree of queues.
func arrange(queues []*v1alpha1.Queue) *tree {
	t := &tree{root: &line{name: v1alpha1.RootQueue}, named: map[string]*line{}}
	t.named[t.root.name] = t.root
	for _, queue := range queues {
		if queue.Name == v1alpha1.RootQueue {
			t.root.queue = queue
			continue
		}
		t.named[queue.Name] = &line{name: queue.Name, queue: queue}
	}
	for _, queue := range queues {
		l, parent := t.named[queue.Name], t.named[cmp.Or(queue.Spec.Parent, v1alpha1.RootQueue)]
		if l != t.root && parent != nil {
			l.parent = parent
			parent.parts = append(parent.parts, l)
		}
	}
	reached := map[*line]bool{}
	t.root.draw("", reached)
	for _, l := range byName(queues, t.named) {
		if !reached[l] {
			reached[l] = true
			t.lost = append(t.lost, l)
		}
	}
	return t
}

func byName(queues []*v1alpha1.Queue, named map[string]*line) []*line {
	lines := make([]*line, 0, len(queues))
	for _, queue := range queues {
		lines = append(lines, named[queue.Name])
	}
	slices.SortFunc(lines, func(a, b *line) int { return strings.Compare(a.name, b.name) })
	return lines
}

// draw sorts the parts of l and draws the branches to them; stem is what those of l itself go on as.
func (l *line) draw(stem string, reached map[*line]bool) {
	reached[l] = true
	slices.SortFunc(l.parts, func(a, b *line) int { return strings.Compare(a.name, b.name) })
	for n, part := range l.parts {
		part.branch = stem + "├─ "
		below := stem + "│  "
		if n == len(l.parts)-1 {
			part.branch, below = stem+"└─ ", stem+"   "
		}
		part.draw(below, reached)
	}
}

// lines are the queues from the root down, and then those that are not below it.
func (t *tree) lines() []*line {
	return append(t.root.below(nil), t.lost...)
}

func (l *line) below(lines []*line) []*line {
	lines = append(lines, l)
	for _, part := range l.parts {
		lines = part.below(lines)
	}
	return lines
}

// up are l and those that it is part of, each once: a circle has no root.
func (l *line) up() []*line {
	var lines []*line
	for at := l; at != nil && !slices.Contains(lines, at); at = at.parent {
		lines = append(lines, at)
	}
	return lines
}

// find is the queue of a name.
func (t *tree) find(name string) *line { return t.named[name] }

// status is what the operator says of it; nothing where there is no object.
func (l *line) status() v1alpha1.QueueStatus {
	if l.queue == nil {
		return v1alpha1.QueueStatus{}
	}
	return l.queue.Status
}

func (l *line) spec() v1alpha1.QueueSpec {
	if l.queue == nil {
		return v1alpha1.QueueSpec{}
	}
	return l.queue.Spec
}

// table returns the table of queues.
func table(streams terminal.Streams, form output.Form) *output.Rows[*line] {
	amount := func(of func(v1alpha1.QueueUsage) corev1.ResourceList) func(*line) string {
		return func(l *line) string { return sum(l.status().Usage, of) }
	}
	return output.NewRows(streams, form, []output.Column[*line]{
		{Header: "QUEUE", Cell: func(l *line) string { return l.branch + l.name }},
		{Header: "GUARANTEED", Cell: amount(func(u v1alpha1.QueueUsage) corev1.ResourceList { return u.Guaranteed })},
		{Header: "USED", Cell: amount(func(u v1alpha1.QueueUsage) corev1.ResourceList { return u.Used })},
		{Header: "BORROWED", Cell: amount(func(u v1alpha1.QueueUsage) corev1.ResourceList { return u.Borrowed })},
		{Header: "LENT", Cell: amount(func(u v1alpha1.QueueUsage) corev1.ResourceList { return u.Lent })},
		{Header: "LEAVING", Wide: true, Cell: amount(func(u v1alpha1.QueueUsage) corev1.ResourceList { return u.Leaving })},
		{Header: "WAITING", Cell: func(l *line) string { return count(l, l.status().Waiting) }},
		{Header: "RUNNING", Cell: func(l *line) string { return count(l, l.status().Running) }},
		{Header: "SHARE", Cell: func(l *line) string { return l.status().Share }},
		{Header: "WEIGHT", Wide: true, Cell: weight},
		{Header: "ORDER", Wide: true, Cell: func(l *line) string { return string(l.spec().Order) }},
		{Header: "NAMESPACES", Wide: true, Cell: func(l *line) string { return strings.Join(l.spec().Namespaces, ",") }},
		{Header: "READY", Cell: ready, Tone: tone},
	})
}

func count(l *line, n int32) string {
	if l.queue == nil {
		return ""
	}
	return fmt.Sprint(n)
}

func weight(l *line) string {
	switch own := l.spec().Weight; {
	case l.name == v1alpha1.RootQueue:
		return ""
	case own != nil:
		return fmt.Sprint(*own)
	}
	return "1"
}

// ready is Yes, or why applications of the queue are not let in.
func ready(l *line) string {
	if l.gone {
		return "Deleted"
	}
	switch condition := readiness(l); {
	case condition == nil:
		return ""
	case condition.Status == metav1.ConditionTrue:
		return "Yes"
	default:
		return cmp.Or(condition.Reason, string(condition.Status))
	}
}

func readiness(l *line) *metav1.Condition {
	return meta.FindStatusCondition(l.status().Conditions, v1alpha1.ConditionQueueReady)
}

func tone(l *line) terminal.Tone {
	switch ready(l) {
	case "Yes":
		return terminal.Good
	case "":
		return terminal.Plain
	}
	return terminal.Bad
}
