package capacityscheduler

import (
	"math/big"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// NodeLabel is the label that Kubernetes' nodes are to have, with the name of the flavour that YARN's node label has become.
const NodeLabel = "brazier.sh/node-label"

// build makes the Queues.
func (i *importer) build() {
	reclaim := i.reclaiming()
	i.sized()
	for _, q := range i.queues {
		object := &v1alpha1.Queue{
			TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Queue"},
			ObjectMeta: metav1.ObjectMeta{Name: q.name},
			Spec:       v1alpha1.QueueSpec{Drain: i.drained(q), MaxRunning: i.maxRunning(q)},
		}
		if q == i.root {
			object.Spec.Cluster = i.cluster(reclaim)
			if reflect.DeepEqual(object.Spec, v1alpha1.QueueSpec{}) {
				continue // It is there without an object.
			}
		} else {
			i.below(q, &object.Spec)
		}
		if q.leaf() {
			i.ofLeaf(q, &object.Spec)
			object.Spec.Reclaim = i.reclaim(q, reclaim)
		}
		i.result.Queues = append(i.result.Queues, object)
	}
}

// below is what every queue has but the root.
func (i *importer) below(q *queue, spec *v1alpha1.QueueSpec) {
	if q.parent != i.root {
		spec.Parent = q.parent.name
	}
	spec.Weight = i.weight(q)
	spec.Quotas = i.quotas(q)
}

// sized refuses percentages of a cluster whose size is not known.
func (i *importer) sized() {
	for label, size := range i.sizes {
		if size[corev1.ResourceCPU] == nil || size[corev1.ResourceMemory] == nil {
			i.fail("--cpu, --memory: percentages are of both; give both%s, for example%s", ofLabel(label), example(label))
		}
	}
	for _, label := range append([]string{""}, i.labels...) {
		for _, q := range i.queues[1:] {
			s := q.shares[label]
			switch {
			case s.limited && s.limit == nil:
				i.fail("%s: it is a percentage of what the cluster has%s, which is not known; add%s", q.labelled(label, "maximum-capacity"), ofLabel(label), example(label))
				return
			case s.guaranteed == nil && s.value.Sign() > 0 && !q.weighed(label):
				i.fail("%s: it is a percentage of what the cluster has%s, which is not known; add%s", q.labelled(label, "capacity"), ofLabel(label), example(label))
				return
			}
		}
	}
	if q := i.root; !q.leaf() && slices.ContainsFunc(i.queues[1:], func(q *queue) bool { return q.shares[""].guaranteed == nil && q.weighed("") }) {
		i.changed(q.path, "weights are kept, but nothing is guaranteed for them, as what the cluster has is not known; with%s it is", example(""))
	}
}

// weighed reports whether a weight decides what q is to have.
func (q *queue) weighed(label string) bool {
	for ; q.parent != nil; q = q.parent {
		if q.shares[label].mode == weight {
			return true
		}
	}
	return false
}

func ofLabel(label string) string {
	if label == "" {
		return ""
	}
	return " of the label " + label
}

func example(label string) string {
	if label == "" {
		return " --cpu 4000 --memory 16Ti"
	}
	return " --cpu " + label + "=400 --memory " + label + "=2Ti"
}

// quotas are the amounts of q. What a Queue is guaranteed comes on top of what its parts are, so only those without parts
// have a guarantee here, and others what they do not hand on.
func (i *importer) quotas(q *queue) []v1alpha1.Quota {
	var quotas []v1alpha1.Quota
	for _, name := range append([]string{""}, i.labels...) {
		s, quota := q.shares[name], v1alpha1.Quota{Flavour: flavour(name)}
		own := s.own
		if q.leaf() {
			own = s.guaranteed
		}
		var inexact []corev1.ResourceName
		quota.Guaranteed, inexact = own.list(false)
		for _, resource := range inexact {
			i.changed(q.path, "%s %s%s were rounded down to whole ones", decimal(own[resource]), resource, ofLabel(name))
		}
		if s.limited {
			quota.Limit, _ = s.limit.list(true)
		}
		switch {
		case quota.Guaranteed == nil && quota.Limit == nil:
			continue
		case name != "" && !slices.Contains(i.accessible(q), name):
			i.lost(q.path, "what it has of the label %s, as its accessible-node-labels do not name it", name)
			continue
		}
		quotas = append(quotas, quota)
	}
	return quotas
}

func flavour(name string) string {
	if name == "" {
		return v1alpha1.DefaultFlavour
	}
	return label(name)
}

// accessible are the node labels that a queue may use: its own, or those of the queue that it is part of. The root's are all.
func (i *importer) accessible(q *queue) []string {
	for ; q.parent != nil; q = q.parent {
		list, ok := i.of(q, "accessible-node-labels")
		switch names := words(list, ","); {
		case !ok:
			continue
		case slices.Contains(names, "*"):
			return i.labels
		default:
			slices.Sort(names)
			return names
		}
	}
	return i.labels
}

// cluster is what the root says for all: the flavours, and how much may be taken back at once.
func (i *importer) cluster(r *reclaiming) *v1alpha1.ClusterShares {
	shares := &v1alpha1.ClusterShares{ReclaimPercent: r.atOnce}
	for _, name := range i.labels {
		shares.Flavours = append(shares.Flavours, v1alpha1.Flavour{Name: label(name), NodeLabels: map[string]string{NodeLabel: label(name)}})
		i.changed("node label "+name, "it is the flavour %s, of nodes with the label %s=%[1]s; give it to them: kubectl label node NODE %[2]s=%[1]s", label(name), NodeLabel)
	}
	if len(i.labels) > 0 {
		shares.Flavours = append(shares.Flavours, v1alpha1.Flavour{Name: v1alpha1.DefaultFlavour})
	}
	if reflect.DeepEqual(*shares, v1alpha1.ClusterShares{}) {
		return nil
	}
	return shares
}

// flavours are those of a queue without parts: the one that YARN takes where an application asks for none, then those that
// it may ask for.
func (i *importer) flavours(q *queue) *v1alpha1.QueueFlavours {
	if len(i.labels) == 0 {
		return nil
	}
	first := ""
	for at := q; at != nil && first == ""; at = at.parent {
		first, _ = i.of(at, "default-node-label-expression")
	}
	if first != "" && !slices.Contains(i.labels, first) {
		i.fail("%s: %q is no single node label of the file; it has %s", q.key("default-node-label-expression"), first, orNone(i.labels))
		return nil
	}
	flavours := &v1alpha1.QueueFlavours{Drivers: []string{flavour(first)}, Executors: []string{flavour(first)}}
	for _, name := range i.accessible(q) {
		if name != first && slices.Contains(i.labels, name) {
			flavours.Executors = append(flavours.Executors, flavour(name))
		}
	}
	if len(flavours.Executors) > 1 {
		i.changed("accessible-node-labels", "executors go to nodes of the labels that their queue may use when the first of its flavours has no room, in YARN only when the application "+
			"asks for them; change spec.flavours.executors where that is not meant")
	}
	return flavours
}

// weight is what q gets beyond guarantees, compared with its siblings: as their capacities are to each other.
func (i *importer) weight(q *queue) *int32 {
	values := make([]*big.Rat, 0, len(q.parent.parts))
	at := 0
	for n, part := range q.parent.parts {
		if part == q {
			at = n
		}
		s := part.shares[""]
		value := s.value
		if s.mode == absolute {
			value = new(big.Rat)
			if memory := s.guaranteed[corev1.ResourceMemory]; memory != nil {
				value = memory
			}
		}
		values = append(values, value)
	}
	weight := wholeNumbers(values)[at]
	if values[at].Sign() == 0 && weight > 0 && slices.ContainsFunc(values, func(v *big.Rat) bool { return v.Sign() > 0 }) {
		i.changed(q.path, "its capacity is 0; here it gets a hundredth of the least that another part of %s gets beyond guarantees", q.parent.path)
	}
	if weight == 1 {
		return nil
	}
	return &weight
}

// largestWeight is what the API takes.
const largestWeight = 1000000

// wholeNumbers are small whole numbers that are to each other as values are, as far as that goes, and at least 1: what is
// zero gets a hundredth of the least of the others.
func wholeNumbers(values []*big.Rat) []int32 {
	least, most := (*big.Rat)(nil), new(big.Rat)
	zero := false
	denominators, divisor := big.NewInt(1), new(big.Int)
	for _, v := range values {
		if v.Sign() == 0 {
			zero = true
			continue
		}
		if least == nil || v.Cmp(least) < 0 {
			least = v
		}
		if v.Cmp(most) > 0 {
			most = v
		}
		common := new(big.Int).GCD(nil, nil, denominators, v.Denom())
		denominators = new(big.Int).Div(new(big.Int).Mul(denominators, v.Denom()), common)
	}
	for _, v := range values {
		scaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(denominators))
		divisor.GCD(nil, nil, divisor, scaled.Num())
	}
	numbers := make([]int32, len(values))
	if least == nil {
		for n := range numbers {
			numbers[n] = 1
		}
		return numbers
	}
	factor := new(big.Rat).SetFrac(denominators, divisor)
	if zero {
		factor.Mul(factor, hundred)
	}
	if top := new(big.Rat).Mul(most, factor); top.Cmp(big.NewRat(largestWeight, 1)) > 0 {
		factor.Quo(big.NewRat(largestWeight, 1), most)
	}
	for n, v := range values {
		scaled := new(big.Rat).Mul(v, factor)
		whole := new(big.Int).Quo(scaled.Num(), scaled.Denom())
		numbers[n] = int32(max(whole.Int64(), 1))
	}
	return numbers
}
