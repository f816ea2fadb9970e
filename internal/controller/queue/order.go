package queue

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// toLift returns the pods of a group that are let go first: those that have waited longest.
func toLift(g *group, count int64) []pod {
	pods := slices.DeleteFunc(slices.Clone(g.pods), func(p pod) bool { return !p.gated || p.leaving })
	slices.SortFunc(pods, older)
	return pods[:min(count, int64(len(pods)))]
}

// toTake returns the pods of a group on a flavour that are the cheapest to lose: those that have not started, which hold
// nothing, and then the youngest, which hold least.
func toTake(g *group, flavour int, count int64) []pod {
	pods := slices.DeleteFunc(slices.Clone(g.pods), func(p pod) bool { return p.gated || p.leaving || p.flavour != flavour })
	slices.SortFunc(pods, func(a, b pod) int {
		return cmp.Or(compareBool(a.running, b.running), older(b, a))
	})
	return pods[:min(count, int64(len(pods)))]
}

// older orders pods by when they were made, and those of the same second by the number that Spark gives them.
func older(a, b pod) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(number(a.name), number(b.name)), cmp.Compare(a.name, b.name))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// number is the executor's number, which Spark puts at the end of its pod's name.
func number(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	if err != nil {
		return 0 // a pod that Spark did not name
	}
	return n
}
