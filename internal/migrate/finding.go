package migrate

import (
	"cmp"
	"slices"
)

// Severity is what becomes of what was found.
type Severity string

const (
	// Blocks stands in the way: nothing is handed over before it is dealt with.
	Blocks Severity = "blocks"
	// Lost cannot be kept.
	Lost Severity = "cannot be kept"
	// Changes is kept, and is not the same.
	Changes Severity = "changes"
	// Kept stays as it is.
	Kept Severity = "kept"
)

// severities are all there are, the gravest first.
func severities() []Severity { return []Severity{Blocks, Lost, Changes, Kept} }

// Finding is one thing that whoever migrates has to know.
type Finding struct {
	Severity Severity `json:"severity"`
	// Object is what it is about, as kind, namespace and name, or the Helm release.
	Object string `json:"object"`
	// Field is the field or value of the object, where it is about one.
	Field string `json:"field,omitempty"`
	// Means says what it means.
	Means string `json:"means"`
	// Do says what to do, where something is to be done.
	Do string `json:"do,omitempty"`
}

// Report is what Check found.
type Report struct {
	// Summary counts what is there.
	Summary  Summary   `json:"summary"`
	Findings []Finding `json:"findings"`
	// Values are those of Brazier's chart that the other's come to.
	Values map[string]any `json:"values"`
}

// Summary counts what is there.
type Summary struct {
	// Applications are counted by state; "NEW" stands for the empty one.
	Applications map[string]int `json:"applications"`
	Schedules    int            `json:"schedules"`
	Connects     int            `json:"connects"`
	// Running are the applications whose driver runs and goes on.
	Running int `json:"running"`
}

// Blockers returns what stands in the way.
func (r Report) Blockers() []Finding {
	var found []Finding
	for _, finding := range r.Findings {
		if finding.Severity == Blocks {
			found = append(found, finding)
		}
	}
	return found
}

// sort puts the gravest first, and what is about one object together.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severities(), a.Severity), slices.Index(severities(), b.Severity)),
			cmp.Compare(a.Object, b.Object), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Means, b.Means),
		)
	})
}
