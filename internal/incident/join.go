package incident

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// membership is a factor that joins runs, with the cause that it takes for it where one is needed.
type membership struct {
	Factor
	// code is the cause that all its runs have; empty where any cause at that place counts.
	code string
}

// holds reports whether a cause of a run belongs to what the membership joins by.
func (m membership) holds(cause v1alpha1.Cause) bool {
	switch m.Kind {
	case OfNode, OfStorageClass:
		return placed(cause) && m.place(cause) == m.Name
	default:
		return m.code == "" || cause.Code == m.code
	}
}

// place is where a cause happened, as what kind of place the membership is of.
func (m membership) place(cause v1alpha1.Cause) string {
	if m.Kind == OfNode {
		return cause.Node
	}
	return cause.StorageClass
}

// level is one way to join runs. Levels are tried in order: what joins more closely comes first.
type level struct {
	// by are the memberships of a run for one of its causes.
	by func(run Run, cause v1alpha1.Cause) []membership
	// applications is how many applications have to be met, and runs how many runs.
	applications, runs int
	// window is how long it may be quiet between two runs; none where time does not matter.
	window time.Duration
	// concentrated asks that most runs with the same causes, at that time, are among those joined.
	concentrated bool
}

func levels() []level {
	return []level{
		{by: places, applications: 2, runs: 2, window: Window, concentrated: true},
		{by: ofReach(reachImage, imageOf), applications: 2, runs: 2, window: Window},
		{by: ofReach(reachNamespace, namespaceOf), applications: 2, runs: 2, window: Window},
		{by: ofReach(reachCluster, clusterOf), applications: 2, runs: 2, window: Window},
		// An application that fails of the same thing every night has one problem.
		{by: applicationOf, applications: 1, runs: 2},
	}
}

// places are where a cause says that it happened, which it does where that may be why.
func places(_ Run, cause v1alpha1.Cause) []membership {
	var all []membership
	if !placed(cause) {
		return nil
	}
	if cause.Node != "" {
		all = append(all, membership{Factor: Factor{OfNode, cause.Node}})
	}
	if cause.StorageClass != "" {
		all = append(all, membership{Factor: Factor{OfStorageClass, cause.StorageClass}})
	}
	return all
}

func ofReach(want reach, factor func(run Run, code string) (Factor, bool)) func(Run, v1alpha1.Cause) []membership {
	return func(run Run, cause v1alpha1.Cause) []membership {
		if reachOf(cause) != want {
			return nil
		}
		joined, ok := factor(run, cause.Code)
		if !ok {
			return nil
		}
		return []membership{{Factor: joined, code: cause.Code}}
	}
}

func imageOf(run Run, _ string) (Factor, bool) { return Factor{OfImage, run.Image}, run.Image != "" }

func namespaceOf(run Run, _ string) (Factor, bool) { return Factor{OfNamespace, run.Namespace}, true }

func clusterOf(_ Run, code string) (Factor, bool) { return Factor{OfCause, code}, true }

func applicationOf(run Run, cause v1alpha1.Cause) []membership {
	return []membership{{Factor: Factor{OfApplication, run.key()}, code: cause.Code}}
}

// largest returns the runs of left that the level joins the most of, in the order of time, with what joins them; none where
// nothing is left to join. all are the runs that there were before any were joined.
func (l level) largest(left, all []Run) ([]Run, membership) {
	var best []Run
	var by membership
	for _, group := range l.groups(left) {
		for _, runs := range bursts(group.runs, l.window) {
			switch {
			case len(runs) < l.runs || len(runs) <= len(best) || (Incident{Runs: runs}).Applications() < l.applications:
			case l.concentrated && !concentrated(group.membership, runs, all):
			default:
				best, by = runs, group.membership
			}
		}
	}
	return best, by
}

type group struct {
	membership
	runs []Run
}

// groups are the runs of each membership, in an order that does not change: nodes come before storage classes, since of
// two that explain the same the narrower is more likely.
func (l level) groups(runs []Run) []group {
	byKey := map[membership][]Run{}
	for _, run := range runs {
		seen := map[membership]bool{}
		for _, cause := range run.Causes {
			for _, m := range l.by(run, cause) {
				if !seen[m] {
					seen[m] = true
					byKey[m] = append(byKey[m], run)
				}
			}
		}
	}
	groups := make([]group, 0, len(byKey))
	for m, members := range byKey {
		groups = append(groups, group{m, members})
	}
	slices.SortFunc(groups, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.code, b.code))
	})
	return groups
}

// bursts splits runs, which are in the order of time, wherever it was quiet for longer than window.
func bursts(runs []Run, window time.Duration) [][]Run {
	if window == 0 {
		return [][]Run{runs}
	}
	var all [][]Run
	for i, run := range runs {
		if i == 0 || run.At.Sub(runs[i-1].At) > window {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], run)
	}
	return all
}

// concentrated reports whether more than half of what failed in the same ways at that time, at any place that is known, did
// so at the place of m. What fails everywhere at once is no single node's fault.
func concentrated(m membership, runs, all []Run) bool {
	codes := map[string]bool{}
	for _, run := range runs {
		for _, cause := range run.Causes {
			if m.holds(cause) {
				codes[cause.Code] = true
			}
		}
	}
	from, to := runs[0].At.Add(-Window), runs[len(runs)-1].At.Add(Window)
	same := 0
	for _, run := range all {
		if run.At.Before(from) || run.At.After(to) {
			continue
		}
		if slices.ContainsFunc(run.Causes, func(c v1alpha1.Cause) bool { return codes[c.Code] && m.place(c) != "" }) {
			same++
		}
	}
	return 2*len(runs) > same
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
