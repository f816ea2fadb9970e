package queuetree

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/queue"
)

// Problem is what is wrong with a queue.
type Problem struct {
	Queue string
	// Reason is a word for it, as a condition has one.
	Reason Reason
	// Field and Value are what somebody wrote, and Message what is wrong with it and what would be right.
	Field, Value, Message string
}

// Reason is what kind of problem it is.
type Reason string

// The kinds of problems. With the first two a queue is not part of the tree.
const (
	ParentMissing       Reason = "ParentMissing"
	Circle              Reason = "Circle"
	FlavourUnknown      Reason = "FlavourUnknown"
	AmountInvalid       Reason = "AmountInvalid"
	NamespaceTaken      Reason = "NamespaceTaken"
	GuaranteeAboveLimit Reason = "GuaranteeAboveLimit"
	Overcommitted       Reason = "Overcommitted"
)

// Outside reports whether the queue is left out of the tree for the problem.
func (p Problem) Outside() bool { return p.Reason == ParentMissing || p.Reason == Circle }

func (p Problem) String() string {
	return fmt.Sprintf("queue %s: %s: %q %s", p.Queue, p.Field, p.Value, p.Message)
}

func (c *converter) problem(object string, reason Reason, field, value, message string) {
	c.problems = append(c.problems, Problem{Queue: object, Reason: reason, Field: field, Value: value, Message: message})
}

func parentOf(object *v1alpha1.Queue) string { return cmp.Or(object.Spec.Parent, v1alpha1.RootQueue) }

// joined reports whether a queue is below the root, and lists what keeps it from there.
func (c *converter) joined(name string) bool {
	path := []string{name}
	for at := name; at != v1alpha1.RootQueue; {
		object, ok := c.byName[at]
		if !ok {
			c.detached(path)
			return false
		}
		at = parentOf(object)
		switch {
		case at == name:
			c.problem(name, Circle, "spec.parent", path[min(1, len(path)-1)],
				"makes a circle, "+strings.Join(append(path, name), ", part of ")+"; take one of them out of it")
			return false
		case slices.Contains(path, at): // the circle is above it
			c.detached(path)
			return false
		}
		path = append(path, at)
	}
	return true
}

// detached lists that the way up from a queue does not end at the root.
func (c *converter) detached(path []string) {
	message := "is no queue that there is; create it, or name another"
	if _, ok := c.byName[path[1]]; ok {
		message = "is not part of the tree itself; see what is wrong with it"
	}
	c.problem(path[0], ParentMissing, "spec.parent", path[1], message)
}

func (c *converter) unknownFlavour(object, field, name string) {
	known := make([]string, len(c.tree.Flavours))
	for i, flavour := range c.tree.Flavours {
		known[i] = flavour.Name
	}
	c.problem(object, FlavourUnknown, field, name, fmt.Sprintf("is no flavour of the cluster; write one of %s, or add it to spec.cluster.flavours of the queue %s",
		strings.Join(known, ", "), v1alpha1.RootQueue))
}

// readable lists the amounts of list that cannot be read.
func (c *converter) readable(object, field string, list corev1.ResourceList) {
	for _, name := range c.tree.Resources {
		quantity, ok := list[corev1.ResourceName(name)]
		if !ok {
			continue
		}
		if wrong := Check(name, quantity); wrong != "" {
			c.problem(object, AmountInvalid, field+"["+name+"]", quantity.String(), wrong)
		}
	}
}

// namespaces lists those that two queues of the tree want. They are the first one's, by name.
func (c *converter) namespaces() {
	taken := map[string]string{}
	for _, name := range sortedKeys(c.tree.Objects) {
		for _, namespace := range c.tree.Objects[name].Spec.Namespaces {
			if by, ok := taken[namespace]; ok && by != name {
				c.problem(name, NamespaceTaken, "spec.namespaces", namespace, "is a namespace of the queue "+by+" already; name it in one of them")
				continue
			}
			taken[namespace] = name
		}
	}
}

// Overcommitted lists the queues whose parts are guaranteed more than there is: the root only, as a part of it can be
// guaranteed all there is. What of capacity is not known is Unlimited.
func (t *Tree) Overcommitted(capacity queue.Amounts) []Problem {
	var problems []Problem
	total := t.guaranteed()[v1alpha1.RootQueue]
	for slot, amount := range total {
		if capacity[slot] == queue.Unlimited || amount <= capacity[slot] {
			continue
		}
		problems = append(problems, t.tooMuch(v1alpha1.RootQueue, Overcommitted, slot, amount,
			"is guaranteed to queues in all, of %s that there is; guarantee less, as not all of them can have it", capacity[slot]))
	}
	return problems
}

// overLimits lists the queues that are guaranteed more, with their parts, than their own limit lets them use.
func (t *Tree) overLimits() []Problem {
	var problems []Problem
	totals := t.guaranteed()
	for i := range t.Queues {
		for slot, limit := range t.Queues[i].Limit {
			if amount := totals[t.Queues[i].Name][slot]; amount > limit {
				problems = append(problems, t.tooMuch(t.Queues[i].Name, GuaranteeAboveLimit, slot, amount,
					"is guaranteed to it and its parts, and its limit is %s; guarantee less, or raise the limit", limit))
			}
		}
	}
	return problems
}

func (t *Tree) tooMuch(object string, reason Reason, slot int, amount int64, message string, of int64) Problem {
	flavour, resource := t.Flavours[slot/len(t.Resources)].Name, t.Resources[slot%len(t.Resources)]
	has, bound := Quantity(resource, amount), Quantity(resource, of)
	return Problem{
		Queue: object, Reason: reason, Field: "spec.quotas[" + flavour + "].guaranteed[" + resource + "]", Value: has.String(),
		Message: fmt.Sprintf(message, bound.String()),
	}
}

// guaranteed is what each queue and its parts are guaranteed together.
func (t *Tree) guaranteed() map[string]queue.Amounts {
	totals := map[string]queue.Amounts{v1alpha1.RootQueue: t.None()}
	parents := map[string]string{}
	for i := range t.Queues {
		totals[t.Queues[i].Name] = t.None()
		parents[t.Queues[i].Name] = t.Queues[i].Parent
	}
	for i := range t.Queues {
		for at := t.Queues[i].Name; at != ""; at = parents[at] {
			for slot, amount := range t.Queues[i].Guaranteed {
				totals[at][slot] += amount
			}
		}
	}
	return totals
}
