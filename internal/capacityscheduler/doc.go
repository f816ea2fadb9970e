// Package capacityscheduler makes Queues of the configuration of YARN's CapacityScheduler: files in, objects and a list of
// what cannot be kept out. It reads no file and asks no cluster; percentages are of the sizes that it is told.
//
// file.go reads Hadoop's files, tree.go the queues that they name, share.go what each is to have, queue.go makes the objects,
// rights.go who may use them, and left.go tells what has become of everything else. The rules are those of YARN's
// CapacitySchedulerConfiguration and AbstractCSQueue; docs/queue-import.md has them as a table.
package capacityscheduler

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Input is what is made into Queues.
type Input struct {
	// Scheduler is the content of capacity-scheduler.xml.
	Scheduler []byte
	// Site is that of yarn-site.xml, where it is at hand: it says whether YARN takes things back, and who may do what.
	Site []byte
	// Sizes are what the cluster has to share out, by node label; that of nodes without one is "". Percentages are of them.
	Sizes map[string]corev1.ResourceList
}

// Result is what has become of it.
type Result struct {
	// Queues are the queues, each after the one that it is part of.
	Queues []*v1alpha1.Queue
	// Roles allow the use of queues.
	Roles []*rbacv1.ClusterRole
	// Bindings are who had these rights in YARN.
	Bindings []Binding
	// Notes are what was not kept, or not quite.
	Notes []Note
}

// Binding is users and groups of YARN that may use queues. Whether they are called the same in Kubernetes is not known here.
type Binding struct {
	Role          string
	Users, Groups []string
}

// Note says what has become of something that could not be kept as it was.
type Note struct {
	// Lost says that nothing has become of it; else it has changed.
	Lost bool
	// Subject is a queue's path, or a key with its value.
	Subject string
	Text    string
}

// String is the note on one line.
func (n Note) String() string {
	kind := "changed"
	if n.Lost {
		kind = "not kept"
	}
	return kind + ": " + n.Subject + ": " + n.Text
}

// Import makes Queues of in. An error names each value that cannot be read, or that YARN itself would refuse.
func Import(in Input) (*Result, error) {
	settings, err := read(in)
	if err != nil {
		return nil, err
	}
	i := &importer{settings: settings, sizes: map[string]amounts{}}
	for label, size := range in.Sizes {
		i.sizes[label] = amountsOf(size)
	}
	steps := []func(){i.scheduler, i.tree, i.name, i.nodeLabels, i.share, i.build, i.rights, i.mappings, i.left}
	for _, step := range steps {
		if step(); len(i.errs) > 0 {
			return nil, errors.Join(i.errs...)
		}
	}
	return &i.result, nil
}

// importer is an import on its way.
type importer struct {
	settings *settings
	sizes    map[string]amounts
	root     *queue
	// queues are all of them, each after the one that it is part of.
	queues []*queue
	// labels are the node labels that are spoken of, in order.
	labels []string
	result Result
	errs   []error
}

func (i *importer) fail(format string, args ...any) {
	i.errs = append(i.errs, fmt.Errorf(format, args...))
}

func (i *importer) lost(subject, format string, args ...any) {
	i.note(Note{Lost: true, Subject: flat(subject), Text: flat(fmt.Sprintf(format, args...))})
}

func (i *importer) changed(subject, format string, args ...any) {
	i.note(Note{Subject: flat(subject), Text: flat(fmt.Sprintf(format, args...))})
}

// note keeps a note, once.
func (i *importer) note(n Note) {
	if !slices.Contains(i.result.Notes, n) {
		i.result.Notes = append(i.result.Notes, n)
	}
}

// flat is text on one line, of what YAML has in comments, so that what stands in a file cannot end the comment that it is
// shown in, nor make it unreadable.
func flat(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

// scheduler refuses files of another scheduler.
func (i *importer) scheduler() {
	key := "yarn.resourcemanager.scheduler.class"
	if class, ok := i.settings.take(key); ok && !strings.HasSuffix(class, "CapacityScheduler") {
		i.fail("%s: %q is another scheduler, whose queues are in other files; only those of the CapacityScheduler can be read", key, class)
	}
}
