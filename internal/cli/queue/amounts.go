package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// sum is what there is of something on nodes of all flavours, such as "400 cpu 1.5Ti 8 gpu".
func sum(usage []v1alpha1.QueueUsage, of func(v1alpha1.QueueUsage) corev1.ResourceList) string {
	total := corev1.ResourceList{}
	for _, flavour := range usage {
		for name, amount := range of(flavour) {
			so := total[name]
			so.Add(amount)
			total[name] = so
		}
	}
	var words []string
	for _, name := range sorted(total) {
		if amount := total[name]; !amount.IsZero() {
			words = append(words, measured(name, amount))
		}
	}
	return strings.Join(words, " ")
}

// sorted are the names of resources: cores, memory, and others by name.
func sorted(lists ...corev1.ResourceList) []corev1.ResourceName {
	var names []corev1.ResourceName
	for _, list := range lists {
		for name := range list {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	rank := map[corev1.ResourceName]int{corev1.ResourceCPU: 2, corev1.ResourceMemory: 1}
	slices.SortFunc(names, func(a, b corev1.ResourceName) int {
		return cmp.Or(rank[b]-rank[a], strings.Compare(string(a), string(b)))
	})
	return names
}

// measured is an amount with its unit: memory has one, others are named.
func measured(name corev1.ResourceName, amount resource.Quantity) string {
	if name == corev1.ResourceMemory {
		return short(name, amount)
	}
	unit := string(name)
	if at := strings.LastIndexByte(unit, '/'); at >= 0 {
		unit = unit[at+1:]
	}
	return short(name, amount) + " " + unit
}

// short is an amount in three digits or so.
func short(name corev1.ResourceName, amount resource.Quantity) string {
	if name != corev1.ResourceMemory {
		return trimmed(float64(amount.MilliValue()) / 1000)
	}
	value, units := float64(amount.Value()), []string{"", "Ki", "Mi", "Gi", "Ti", "Pi"}
	for len(units) > 1 && (value >= 1024 || value <= -1024) {
		value, units = value/1024, units[1:]
	}
	return trimmed(value) + units[0]
}

// trimmed is a number with one digit after the point, where that is not zero.
func trimmed(value float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0")
}

// percent is how much of a bound is used.
func percent(used, of resource.Quantity) string {
	if of.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*used.AsApproximateFloat64()/of.AsApproximateFloat64())
}
