package queuetree

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/internal/queue"
)

// Most is the most that is counted to, so that sums over a whole tree stay within 64 bits.
const Most = 1 << 56

// scale is the unit in which a resource is counted: thousandths of a CPU, and whole ones of everything else, which for
// memory is bytes.
func scale(name string) resource.Scale {
	if name == string(corev1.ResourceCPU) {
		return resource.Milli
	}
	return 0
}

// Amount is a quantity of a resource in the engine's unit: CPU in thousandths, memory in bytes, everything else in units.
// What is between two units is the larger one.
func Amount(name string, quantity resource.Quantity) int64 {
	if quantity.Cmp(*resource.NewScaledQuantity(Most, scale(name))) > 0 {
		return Most
	}
	return max(quantity.ScaledValue(scale(name)), 0)
}

// Check says what is wrong with a quantity that somebody wrote; "" is nothing.
func Check(name string, quantity resource.Quantity) string {
	switch {
	case quantity.Sign() < 0:
		return "is less than nothing; write 0 or more"
	case quantity.Cmp(*resource.NewScaledQuantity(Most, scale(name))) > 0:
		return fmt.Sprintf("is more than is counted to; write at most %s, or leave it out", resource.NewScaledQuantity(Most, scale(name)))
	case resource.NewScaledQuantity(quantity.ScaledValue(scale(name)), scale(name)).Cmp(quantity) == 0:
		return ""
	case name == string(corev1.ResourceCPU):
		return "is finer than CPU is counted; write thousandths, such as 500m"
	case name == string(corev1.ResourceMemory):
		return "is part of a byte; m means thousandths, write Mi or Gi"
	default:
		return "is part of one; write a whole number"
	}
}

// Size is what a pod requests, in the engine's words. What the tree does not count is left out.
func (t *Tree) Size(list corev1.ResourceList) queue.Size {
	size := make(queue.Size, len(t.Resources))
	for i, name := range t.Resources {
		if quantity, ok := list[corev1.ResourceName(name)]; ok {
			size[i] = Amount(name, quantity)
		}
	}
	return size
}

// Add adds a list of one flavour's resources to amounts.
func (t *Tree) Add(amounts queue.Amounts, flavour int, list corev1.ResourceList) {
	for i, amount := range t.Size(list) {
		amounts[t.At(flavour)+i] += amount
	}
}

// List is the part of amounts that is of one flavour, in Kubernetes' words, without what is nothing or unlimited.
func (t *Tree) List(amounts queue.Amounts, flavour int) corev1.ResourceList {
	var list corev1.ResourceList
	for i, name := range t.Resources {
		amount := amounts[t.At(flavour)+i]
		if amount == 0 || amount == queue.Unlimited {
			continue
		}
		if list == nil {
			list = corev1.ResourceList{}
		}
		list[corev1.ResourceName(name)] = Quantity(name, amount)
	}
	return list
}

// Quantity is an amount of a resource in Kubernetes' words.
func Quantity(name string, amount int64) resource.Quantity {
	switch name {
	case string(corev1.ResourceCPU):
		return *resource.NewMilliQuantity(amount, resource.DecimalSI)
	case string(corev1.ResourceMemory):
		return *resource.NewQuantity(amount, resource.BinarySI)
	default:
		return *resource.NewQuantity(amount, resource.DecimalSI)
	}
}

// set puts what list names in the place of what amounts have of a flavour; what cannot be read is as if it was not said.
func (t *Tree) set(amounts queue.Amounts, flavour int, list corev1.ResourceList) {
	for i, name := range t.Resources {
		if quantity, ok := list[corev1.ResourceName(name)]; ok && Check(name, quantity) == "" {
			amounts[t.At(flavour)+i] = Amount(name, quantity)
		}
	}
}

// Said is the capacity that flavours are said to have. What is not said is Unlimited: it is as much as nodes have.
func (t *Tree) Said() queue.Amounts {
	said := t.All(queue.Unlimited)
	for flavour, kind := range t.Kinds {
		t.set(said, flavour, kind.Capacity)
	}
	return said
}
