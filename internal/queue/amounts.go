package queue

import "math"

// Unlimited is an amount that bounds nothing.
const Unlimited = math.MaxInt64

// Amounts are amounts of each resource on nodes of each flavour, in the order of Shape: the resources of the first
// flavour, then those of the next. Their units are the caller's; CPU is usual in thousandths, memory in bytes.
type Amounts []int64

// Size is what one pod requests of each resource, in the order of Shape.Resources, whatever the flavour of its node.
type Size []int64

// Shape says which amount is which.
type Shape struct {
	Flavours  []Flavour
	Resources []string
}

// Flavour is a kind of node.
type Flavour struct {
	Name string
	// ScalesFromZero says that there is room on its nodes whenever the queues say so: an autoscaler adds them.
	ScalesFromZero bool
}

// None returns amounts of nothing.
func (s Shape) None() Amounts { return make(Amounts, len(s.Flavours)*len(s.Resources)) }

// All returns the same amount of everything.
func (s Shape) All(amount int64) Amounts {
	all := s.None()
	for i := range all {
		all[i] = amount
	}
	return all
}

// At returns where the amounts of a flavour begin.
func (s Shape) At(flavour int) int { return flavour * len(s.Resources) }

func (a Amounts) add(b Amounts) {
	for i, amount := range b {
		a[i] += amount
	}
}

func (a Amounts) sub(b Amounts) {
	for i, amount := range b {
		a[i] -= amount
	}
}

// addSize adds n times size to the amounts that begin at at.
func (a Amounts) addSize(at int, size Size, n int64) {
	for i, amount := range size {
		a[at+i] += n * amount
	}
}

func (a Amounts) zero() bool {
	for _, amount := range a {
		if amount != 0 {
			return false
		}
	}
	return true
}
