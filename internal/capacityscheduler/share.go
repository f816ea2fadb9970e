package capacityscheduler

import (
	"math/big"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// mode is how a capacity is written.
type mode string

const (
	percent  mode = "percent"
	weight   mode = "weight"
	absolute mode = "absolute"
)

// share is what a queue is to have on nodes of one label.
type share struct {
	mode mode
	// value is the percentage or the weight.
	value *big.Rat
	// part is what of the cluster it is guaranteed, and most the largest part it may have; nil is not known.
	part, most *big.Rat
	// guaranteed and limit are the same as amounts; nil is not known.
	guaranteed, limit amounts
	// own is what of it none of its parts is guaranteed.
	own amounts
	// limited says that it may have less than the queue that it is part of.
	limited bool
}

// tolerance is by how much percentages may miss their sum, for what was rounded: CSQueueUtils' PRECISION, in percent.
var tolerance = big.NewRat(5, 100)

var hundred = big.NewRat(100, 1)

// share works out what each queue is to have, from the root down.
func (i *importer) share() {
	for _, label := range append([]string{""}, i.labels...) {
		all := i.sizes[label]
		one := big.NewRat(1, 1)
		i.root.set(label, &share{mode: percent, value: hundred, part: one, most: one, guaranteed: all, limit: all})
		for _, setting := range []string{"capacity", "maximum-capacity"} {
			i.rootHasAll(label, setting)
		}
		i.shareOut(i.root, label)
	}
}

// rootHasAll takes what is said of the root, whose capacity YARN has fixed at all there is.
func (i *importer) rootHasAll(label, setting string) {
	key := i.root.labelled(label, setting)
	text, ok := i.settings.take(key)
	if exact, isNumber := parseNumber(text); isNumber && exact.Cmp(hundred) == 0 || text == "-1" || weightText.MatchString(text) {
		return
	}
	if ok {
		i.lost(key+" = "+text, "the root has all that there is, in YARN as well")
	}
}

func (q *queue) set(label string, s *share) {
	if q.shares == nil {
		q.shares = map[string]*share{}
	}
	q.shares[label] = s
}

// labelled is the key of a capacity: a label's are below its name.
func (q *queue) labelled(label, setting string) string {
	if label == "" {
		return q.key(setting)
	}
	return q.key("accessible-node-labels." + label + "." + setting)
}

// shareOut works out the shares of the parts of q.
func (i *importer) shareOut(q *queue, label string) {
	if q.leaf() {
		return
	}
	failures := len(i.errs)
	for _, part := range q.parts {
		part.set(label, i.capacity(part, label))
	}
	if len(i.errs) > failures || !i.sums(q, label) {
		return
	}
	total := new(big.Rat)
	for _, part := range q.parts {
		total.Add(total, part.shares[label].value)
	}
	given := amounts{}
	for _, part := range q.parts {
		s := part.shares[label]
		s.guarantee(q.shares[label], i.sizes[label], total)
		i.limit(part, label)
		given = given.plus(s.guaranteed)
	}
	i.leaveOwn(q, label, given)
	for _, part := range q.parts {
		i.shareOut(part, label)
	}
}

// weightText matches a weight, such as 3w or 0.5w.
var weightText = regexp.MustCompile(`^(.*[\d.])\s*w$`)

// capacity reads the capacity of a queue. One that says nothing has none.
func (i *importer) capacity(q *queue, label string) *share {
	key := q.labelled(label, "capacity")
	text, ok := i.settings.take(key)
	s := &share{mode: percent, value: new(big.Rat)}
	if !ok {
		return s
	}
	if strings.HasPrefix(text, "[") {
		s.mode, s.guaranteed = absolute, i.absolute(key, text)
		return s
	}
	if match := weightText.FindStringSubmatch(text); match != nil {
		s.mode, text = weight, match[1]
	}
	value, ok := parseNumber(text)
	switch {
	case !ok:
		i.fail("%s: %q is not a capacity; write a percentage such as 12.5, a weight such as 3w, or amounts such as [memory=10240,vcores=12]", key, text)
		return s
	case s.mode == percent && value.Cmp(hundred) > 0:
		i.fail("%s: %q is more than all; write at most 100", key, text)
	case s.mode == weight && value.Cmp(big.NewRat(10000, 1)) > 0:
		i.fail("%s: %q is more than YARN takes; write at most 10000w", key, text)
	}
	s.value = value
	return s
}

func (i *importer) absolute(key, text string) amounts {
	found, strange, err := parseAbsolute(text)
	if err != nil {
		i.fail("%s: %w", key, err)
		return amounts{}
	}
	for _, name := range strange {
		i.lost(key+" = "+text, "%s is no resource that is known here; add what pods request to quotas by hand", name)
	}
	return found
}

// sums checks what YARN checks of the parts of a queue: that all are written in the same way, and that percentages are 100
// together, or 0 where there is nothing to share out.
func (i *importer) sums(q *queue, label string) bool {
	total, first := new(big.Rat), q.parts[0].shares[label]
	for _, part := range q.parts {
		s := part.shares[label]
		if s.mode != first.mode {
			i.fail("%s: it is a %s, and that of %s is a %s; the parts of a queue have to be written in the same way", part.labelled(label, "capacity"), s.mode, q.parts[0].path, first.mode)
			return false
		}
		total.Add(total, s.value)
	}
	if first.mode != percent {
		return true
	}
	off := new(big.Rat).Sub(total, hundred)
	if off.Abs(off).Cmp(tolerance) <= 0 {
		return true
	}
	zero, _ := i.of(q, "allow-zero-capacity-sum")
	parent := q.shares[label]
	if nothing := parent.part != nil && parent.part.Sign() == 0; total.Sign() == 0 && (nothing || label != "" || zero == "true") {
		return true
	}
	i.fail("%s: those of the parts of %s are %s percent together, and not 100; %s", q.labelled(label, "capacity"), q.path, decimal(total), each(q, label))
	return false
}

// each says what each part of q has.
func each(q *queue, label string) string {
	texts := make([]string, 0, len(q.parts))
	for _, part := range q.parts {
		texts = append(texts, part.short()+" has "+decimal(part.shares[label].value))
	}
	return strings.Join(texts, ", ")
}

func decimal(value *big.Rat) string {
	text := value.FloatString(3)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// guarantee works out what the share is of what the parent has; total is what the values of it and its siblings are together.
func (s *share) guarantee(parent *share, cluster amounts, total *big.Rat) {
	switch s.mode {
	case absolute:
		s.part = s.guaranteed.partOf(cluster)
		return
	case weight:
		s.part = new(big.Rat)
		if total.Sign() > 0 {
			s.part.Quo(s.value, total)
		}
	case percent:
		whole := hundred
		if total.Cmp(whole) > 0 { // What was rounded up must not guarantee more than there is.
			whole = total
		}
		s.part = new(big.Rat).Quo(s.value, whole)
	}
	s.guaranteed = parent.guaranteed.times(s.part)
	if parent.part == nil {
		s.part = nil
		return
	}
	s.part = new(big.Rat).Mul(s.part, parent.part)
}

// partOf is what a is of all, by memory, as YARN's default calculator compares; nil where all is not known.
func (a amounts) partOf(all amounts) *big.Rat {
	mine, whole := a[corev1.ResourceMemory], all[corev1.ResourceMemory]
	if mine == nil || whole == nil || whole.Sign() == 0 {
		return nil
	}
	return new(big.Rat).Quo(mine, whole)
}

// limit works out the most that a queue may have: what it says is a part of the most that its parent may have.
func (i *importer) limit(q *queue, label string) {
	s, parent := q.shares[label], q.parent.shares[label]
	s.most, s.limit = parent.most, parent.limit
	key := q.labelled(label, "maximum-capacity")
	text, ok := i.settings.take(key)
	if !ok || text == "-1" || text == "-1.0" || text == "[]" {
		return
	}
	if strings.HasPrefix(text, "[") {
		s.limit, s.limited = i.absolute(key, text), true
		s.most = s.limit.partOf(i.sizes[label])
	} else {
		value, ok := parseNumber(text)
		if !ok || value.Cmp(hundred) > 0 {
			i.fail("%s: %q is not a maximum capacity; write a percentage up to 100, or amounts such as [memory=10240,vcores=12]", key, text)
			return
		}
		if value.Cmp(hundred) == 0 {
			return
		}
		if value.Sign() == 0 {
			i.lost(key+" = "+text, "the queue may have nothing; it has a limit of zero, and an application in it waits for ever")
		}
		part := new(big.Rat).Quo(value, hundred)
		s.limited, s.limit = true, parent.limit.times(part)
		s.most = nil
		if parent.most != nil {
			s.most = new(big.Rat).Mul(parent.most, part)
		}
	}
	i.aboveCapacity(key, text, s)
}

// aboveCapacity refuses a limit below the guarantee, as YARN does.
func (i *importer) aboveCapacity(key, text string, s *share) {
	if s.guaranteed != nil && s.limit != nil {
		if name, ok := s.guaranteed.beyond(s.limit); ok {
			i.fail("%s: %q is less %s than the queue's capacity; write no less than that", key, text, name)
		}
	} else if s.part != nil && s.most != nil && s.part.Cmp(s.most) > 0 {
		i.fail("%s: %q is less than the queue's capacity; write no less than that", key, text)
	}
}

// leaveOwn leaves to q what none of its parts is given. Only amounts leave anything: percentages and weights share out all,
// but for what was rounded.
func (i *importer) leaveOwn(q *queue, label string, given amounts) {
	s := q.shares[label]
	none := !slices.ContainsFunc(q.parts, func(part *queue) bool { return part.shares[label].value.Sign() > 0 })
	if s.guaranteed == nil || !none {
		return
	}
	if name, ok := given.beyond(s.guaranteed); ok {
		if q == i.root {
			i.changed(q.path, "its parts are guaranteed more %s than --%s says there is; the queues say so until there is as much", name, flagOf(name))
			return
		}
		i.fail("%s: the parts of %s have more %s together than it has itself; give it more, or them less", q.labelled(label, "capacity"), q.path, name)
		return
	}
	if q != i.root { // What is guaranteed to nobody is the root's anyway.
		s.own = s.guaranteed.less(given)
	}
}

func flagOf(name corev1.ResourceName) string {
	if name == gpu {
		return "gpus"
	}
	return string(name)
}
