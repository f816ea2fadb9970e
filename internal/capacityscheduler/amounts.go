package capacityscheduler

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// gpu is what Kubernetes calls YARN's yarn.io/gpu.
const gpu corev1.ResourceName = "nvidia.com/gpu"

// amounts are exact amounts of resources: cores, bytes, pieces. Nil is not known.
type amounts map[corev1.ResourceName]*big.Rat

func amountsOf(list corev1.ResourceList) amounts {
	a := amounts{}
	for name, quantity := range list {
		exact, ok := new(big.Rat).SetString(quantity.AsDec().String())
		if ok {
			a[name] = exact
		}
	}
	return a
}

// times is part of a.
func (a amounts) times(part *big.Rat) amounts {
	if a == nil {
		return nil
	}
	product := amounts{}
	for name, amount := range a {
		product[name] = new(big.Rat).Mul(amount, part)
	}
	return product
}

// less is a without b, and never below zero.
func (a amounts) less(b amounts) amounts {
	rest := amounts{}
	for name, amount := range a {
		rest[name] = new(big.Rat).Set(amount)
		if other, ok := b[name]; ok {
			rest[name].Sub(amount, other)
		}
		if rest[name].Sign() < 0 {
			rest[name].SetInt64(0)
		}
	}
	return rest
}

func (a amounts) plus(b amounts) amounts {
	sum := amounts{}
	for _, list := range []amounts{a, b} {
		for name, amount := range list {
			if sum[name] == nil {
				sum[name] = new(big.Rat)
			}
			sum[name].Add(sum[name], amount)
		}
	}
	return sum
}

// beyond is a resource of which there is more in a than in b.
func (a amounts) beyond(b amounts) (corev1.ResourceName, bool) {
	for _, name := range a.names() {
		if other, ok := b[name]; ok && a[name].Cmp(other) > 0 {
			return name, true
		}
	}
	return "", false
}

func (a amounts) names() []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// steps are what a resource is counted in: thousandths of a core, MiB, pieces.
func steps(name corev1.ResourceName) *big.Rat {
	switch name {
	case corev1.ResourceCPU:
		return big.NewRat(1, 1000)
	case corev1.ResourceMemory:
		return big.NewRat(1<<20, 1)
	}
	return big.NewRat(1, 1)
}

// list is a in whole steps: rounded down, or up for what is a limit. What is zero then is left out of guarantees. Inexact
// are resources that are counted in pieces, and of which not all were whole.
func (a amounts) list(up bool) (list corev1.ResourceList, inexact []corev1.ResourceName) {
	for _, name := range a.names() {
		step := steps(name)
		in := new(big.Rat).Quo(a[name], step)
		whole := new(big.Int).Quo(in.Num(), in.Denom())
		if !in.IsInt() {
			if up {
				whole.Add(whole, big.NewInt(1))
			}
			if step.IsInt() && step.Num().IsInt64() && step.Num().Int64() == 1 {
				inexact = append(inexact, name)
			}
		}
		if whole.Sign() == 0 && !up {
			continue
		}
		if list == nil {
			list = corev1.ResourceList{}
		}
		list[name] = quantity(name, whole)
	}
	return list, inexact
}

func quantity(name corev1.ResourceName, whole *big.Int) resource.Quantity {
	switch name {
	case corev1.ResourceCPU:
		return resource.MustParse(whole.String() + "m")
	case corev1.ResourceMemory:
		return resource.MustParse(whole.String() + "Mi")
	}
	return resource.MustParse(whole.String())
}

// number matches what is taken for a number: enough for every cluster, and nothing that could take the room of one.
var number = regexp.MustCompile(`^[+]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})$`)

func parseNumber(text string) (*big.Rat, bool) {
	if !number.MatchString(text) {
		return nil, false
	}
	return new(big.Rat).SetString(strings.TrimPrefix(text, "+"))
}

// pair matches a resource of an absolute capacity, such as memory=10240 or vcores=12.
var pair = regexp.MustCompile(`^([\w./-]+)=(\d{1,12})(\w*)$`)

// units are YARN's (UnitsConversionUtil), as far as a cluster is counted in them.
func units(unit string) (int64, bool) {
	size, ok := map[string]int64{
		"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "Pi": 1 << 50,
	}[unit]
	return size, ok
}

// parseAbsolute reads an absolute capacity: [memory=10240,vcores=12,yarn.io/gpu=2]. Memory without a unit is in MiB. Strange
// are resources that no pod requests by any name known here.
func parseAbsolute(text string) (found amounts, strange []string, err error) {
	found = amounts{}
	for _, one := range words(strings.Trim(text, "[]"), ",") {
		match := pair.FindStringSubmatch(strings.Join(strings.Fields(one), ""))
		if match == nil {
			return nil, nil, fmt.Errorf("%q is no amount; write for example memory=10240 (MiB) or vcores=12", one)
		}
		unit := match[3]
		if match[1] == "memory" || match[1] == "memory-mb" {
			unit = cmp.Or(unit, "Mi")
		}
		size, ok := units(unit)
		if !ok {
			return nil, nil, fmt.Errorf("%q is in no unit of YARN's; write for example memory=10240, memory=10Gi or vcores=12", one)
		}
		value, _ := new(big.Rat).SetString(match[2])
		value.Mul(value, big.NewRat(size, 1))
		switch match[1] {
		case "memory", "memory-mb":
			found[corev1.ResourceMemory] = value
		case "vcores":
			found[corev1.ResourceCPU] = value
		case "yarn.io/gpu":
			found[gpu] = value
		default:
			strange = append(strange, match[1])
		}
	}
	return found, strange, nil
}
