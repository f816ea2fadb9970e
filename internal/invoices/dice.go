package invoices

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// dice draws from a generator whose sequence is fixed for ever, with whole numbers only: floating point may be fused or
// rounded differently on another processor, and the same seed has to write the same bytes everywhere.
type dice struct{ pcg *rand.PCG }

func newDice(seed uint64) *dice {
	return &dice{pcg: rand.NewPCG(seed, 0x627261_7a696572)}
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	hi, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int(hi)
}

// chance is true in share of 100,000 cases.
func (d *dice) chance(share int) bool {
	return d.below(100_000) < share
}

// shuffled returns the numbers from 0 to n-1 in random order.
func (d *dice) shuffled(n int) []int {
	order := make([]int, n)
	for i := range order {
		j := d.below(i + 1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}

// wheel picks an index with a probability in proportion to its weight.
type wheel struct{ ends []int }

func newWheel(weights []int) wheel {
	w := wheel{ends: make([]int, 0, len(weights))}
	for _, weight := range weights {
		w.add(weight)
	}
	return w
}

func (w *wheel) add(weight int) {
	w.ends = append(w.ends, w.total()+weight)
}

func (w *wheel) total() int {
	if len(w.ends) == 0 {
		return 0
	}
	return w.ends[len(w.ends)-1]
}

func (w *wheel) spin(d *dice) int {
	i, _ := slices.BinarySearch(w.ends, d.below(w.total())+1)
	return i
}

// mulDiv returns a*b/c without overflow in between.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	quotient, _ := bits.Div64(hi, lo, uint64(c))
	return int64(quotient)
}
