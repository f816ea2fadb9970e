package applications

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many names are near enough to be told.
const maxNear = 3

// Near returns those of names that somebody who typed name may have meant, the nearest first: names that hold it or
// begin as it does, or that differ by a few characters.
func Near(name string, names []string) []string {
	type candidate struct {
		name  string
		steps int
	}
	var near []candidate
	for _, other := range names {
		steps := distance(name, other)
		within := strings.Contains(other, name) || strings.Contains(name, other)
		if within && len(name) > 2 && len(other) > 2 {
			steps = min(steps, 1)
		}
		if steps <= max(len(name)/3, 1) {
			near = append(near, candidate{name: other, steps: steps})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.steps, b.steps), cmp.Compare(a.name, b.name))
	})
	var nearest []string
	for _, one := range near[:min(len(near), maxNear)] {
		nearest = append(nearest, one.name)
	}
	return nearest
}

// distance is how many characters have to be put in, taken out or replaced to make b of a (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(diagonal+cost, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(b)]
}
