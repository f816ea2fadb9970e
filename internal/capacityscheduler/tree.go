package capacityscheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// rootPath is the path of the queue that all others are part of.
const rootPath = "root"

// queue is one of YARN's queues.
type queue struct {
	// path is how YARN calls it, such as root.eng.default.
	path   string
	parent *queue
	parts  []*queue
	// name is how the Queue is called.
	name string
	// shares are what it is to have on nodes of each label.
	shares map[string]*share
}

func (q *queue) leaf() bool { return len(q.parts) == 0 }

// short is the last word of the path.
func (q *queue) short() string { return q.path[strings.LastIndex(q.path, ".")+1:] }

// key is the key of a setting of a queue.
func (q *queue) key(setting string) string { return prefix + q.path + "." + setting }

func (i *importer) of(q *queue, setting string) (string, bool) {
	return i.settings.take(q.key(setting))
}

// tree finds the queues: those that root.queues names, and each one's own.
func (i *importer) tree() {
	if _, ok := i.settings.take(prefix + "root.queues"); !ok {
		i.fail("%sroot.queues: it is not there, so there are no queues; give the capacity-scheduler.xml of YARN's resource manager", prefix)
		return
	}
	i.root = &queue{path: rootPath}
	i.grow(i.root)
	if i.root.leaf() && len(i.errs) == 0 {
		i.fail("%sroot.queues: it names no queue; write for example default", prefix)
	}
}

func (i *importer) grow(q *queue) {
	i.queues = append(i.queues, q)
	list, _ := i.of(q, "queues")
	seen := map[string]bool{}
	for _, name := range words(list, ",") {
		if strings.ContainsAny(name, ". \t\n") {
			i.fail("%s: %q is not the name of a queue; write one without dots and spaces", q.key("queues"), name)
			continue
		}
		if seen[name] {
			i.fail("%s: %q is there twice; leave out one of the two", q.key("queues"), name)
			continue
		}
		seen[name] = true
		part := &queue{path: q.path + "." + name, parent: q}
		q.parts = append(q.parts, part)
		i.grow(part)
	}
}

// name gives each queue the name of its Queue. In YARN two queues may have the same last word, and any letters; a Queue's
// name is unique and a DNS label. Those that would be called the same have the names of those above them before their own.
func (i *importer) name() {
	same := map[string]int{}
	for _, q := range i.queues[1:] {
		same[label(q.short())]++
	}
	taken := map[string]bool{v1alpha1.RootQueue: true}
	i.root.name = v1alpha1.RootQueue
	for _, q := range i.queues[1:] {
		if same[label(q.short())] == 1 {
			q.call(label(q.short()), taken)
		}
	}
	for _, q := range i.queues[1:] {
		if q.name == "" {
			q.call(label(strings.TrimPrefix(q.path, rootPath+".")), taken)
		}
		if q.name != q.short() {
			i.changed(q.path, "the queue is called %s here", q.name)
		}
	}
}

// call gives q a name, or where that is taken one that has a bit of a digest of its path in it.
func (q *queue) call(name string, taken map[string]bool) {
	if taken[name] {
		name = digested(name, q.path)
	}
	q.name, taken[name] = name, true
}

// label is text as a DNS label.
func label(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, text)
	clean = strings.Trim(clean, "-")
	if len(clean) > validation.DNS1123LabelMaxLength || clean == "" {
		return digested(clean, text)
	}
	return clean
}

// digested is the beginning of name with a digest of whole.
func digested(name, whole string) string {
	sum := sha256.Sum256([]byte(whole))
	end := hex.EncodeToString(sum[:4])
	if room := validation.DNS1123LabelMaxLength - len(end) - 1; len(name) > room {
		name = name[:room]
	}
	return strings.TrimLeft(strings.TrimRight(name, "-")+"-"+end, "-")
}

// nodeLabels finds the node labels that are spoken of, and refuses those that no flavour can be called by.
func (i *importer) nodeLabels() {
	const word = "accessible-node-labels"
	spoken := map[string]bool{}
	for _, q := range i.queues {
		list, _ := i.of(q, word)
		for _, name := range words(list, ",") {
			spoken[name] = name != "*"
		}
		for _, key := range i.settings.keys() {
			if rest, ok := strings.CutPrefix(key, q.key(word)+"."); ok {
				name, _, _ := strings.Cut(rest, ".")
				spoken[name] = name != ""
			}
		}
	}
	for name, ok := range spoken {
		if ok {
			i.labels = append(i.labels, name)
		}
	}
	slices.Sort(i.labels)
	flavours := map[string]string{v1alpha1.DefaultFlavour: "nodes without a label"}
	for _, name := range i.labels {
		if other, ok := flavours[label(name)]; ok {
			i.fail("%s: the label %q would be called %s, as are %s; rename it in the file", word, name, label(name), other)
		}
		flavours[label(name)] = "nodes of the label " + name
	}
	for name := range i.sizes {
		if name != "" && !slices.Contains(i.labels, name) {
			i.fail("--cpu, --memory, --gpus: %q is no node label of the file; it has %s", name, orNone(i.labels))
		}
	}
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
