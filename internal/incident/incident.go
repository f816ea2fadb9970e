// Package incident tells which failures of many applications are one and the same problem: records of runs in, incidents
// out. It is pure: it reads no cluster and no clock.
//
// What runs have in common is not yet why they failed: on one cluster all may have the same image. So each cause says by
// where it lies what can join its runs (reach.go), and a node or a storage class is blamed only where most of what failed
// the same way at that time was there.
package incident

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// Window is how long it may be quiet between two runs of one incident.
const Window = 30 * time.Minute

// Run is a run that failed of something, or waits for it.
type Run struct {
	Namespace   string    `json:"namespace"`
	Application string    `json:"application"`
	UID         types.UID `json:"uid"`
	// Number is the run's number.
	Number int64 `json:"run"`
	// At is when it was seen first what the run failed of.
	At time.Time `json:"at"`
	// Image is what the driver's container was made of.
	Image string `json:"image,omitempty"`
	// Causes are what it failed of; consequences are not among them.
	Causes []v1alpha1.Cause `json:"-"`
}

// Of returns what a record says of its run; false if the run is well.
func Of(record *v1alpha1.RunRecord) (Run, bool) {
	run := Run{
		Namespace: record.Namespace, Application: record.Application.Name, UID: record.Application.UID, Number: record.Run,
		Image: image(record),
	}
	for _, cause := range record.Causes {
		if cause.Follows == "" {
			run.Causes = append(run.Causes, cause)
		}
	}
	run.At = when(record, run.Causes)
	return run, len(run.Causes) > 0
}

// when is the time of the first cause that has one, else that of the run's end.
func when(record *v1alpha1.RunRecord, causes []v1alpha1.Cause) time.Time {
	for _, cause := range causes {
		if !cause.At.IsZero() {
			return cause.At.Time
		}
	}
	switch {
	case record.Ended != nil:
		return record.Ended.Time
	case record.Began != nil:
		return record.Began.Time
	}
	return record.CreationTimestamp.Time
}

func image(record *v1alpha1.RunRecord) string {
	for _, pod := range record.Evidence.Pods {
		for _, container := range pod.Containers {
			if pod.Role == v1alpha1.RoleDriver && !container.Init && container.Image != "" {
				return container.Image
			}
		}
	}
	return ""
}

// Kind says what the runs of an incident have in common.
type Kind string

// What the runs of an incident can have in common.
const (
	OfNode         Kind = "node"
	OfStorageClass Kind = "storage class"
	OfImage        Kind = "image"
	OfNamespace    Kind = "namespace"
	OfCause        Kind = "cause"
	OfApplication  Kind = "application"
	// OfRun is a run that has nothing in common with another.
	OfRun Kind = "run"
)

// Factor is what the runs of an incident have in common.
type Factor struct {
	Kind Kind `json:"kind"`
	// Name is the node, the storage class, the image, the namespace, the cause's code, or the application or run in its
	// namespace.
	Name string `json:"name"`
}

// Incident is one problem, with the runs that it has met.
type Incident struct {
	// Factor is what its runs have in common.
	Factor Factor `json:"factor"`
	// Causes are the codes of what its runs failed of, the most frequent first.
	Causes []string `json:"causes"`
	// Why is the most frequent cause in the words of the run that met it first.
	Why string `json:"why"`
	// Since and Until are when it was seen first and last.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Runs are those that it has met, the first first.
	Runs []Run `json:"runs"`
}

// Applications is how many applications the incident has met.
func (i Incident) Applications() int {
	return count(i.Runs, func(r Run) string { return string(r.UID) + "/" + r.key() })
}

// Namespaces is how many namespaces the incident has met.
func (i Incident) Namespaces() int { return count(i.Runs, func(r Run) string { return r.Namespace }) }

func (r Run) key() string { return r.Namespace + "/" + r.Application }

func count[T comparable](runs []Run, of func(Run) T) int {
	seen := map[T]bool{}
	for _, run := range runs {
		seen[of(run)] = true
	}
	return len(seen)
}

// Find returns the incidents that runs are of: each run is in exactly one. Those that have met the most applications come
// first, and of those the latest.
func Find(runs []Run) []Incident {
	left := slices.Clone(runs)
	slices.SortStableFunc(left, func(a, b Run) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.key(), b.key()), cmp.Compare(a.Number, b.Number))
	})
	all := left
	var incidents []Incident
	for _, level := range levels() {
		for {
			members, factor := level.largest(left, all)
			if len(members) == 0 {
				break
			}
			incidents = append(incidents, made(factor, members))
			left = without(left, members)
		}
	}
	for _, run := range left {
		incidents = append(incidents, made(membership{Factor: Factor{OfRun, run.name()}}, []Run{run}))
	}
	slices.SortStableFunc(incidents, func(a, b Incident) int {
		return cmp.Or(
			cmp.Compare(b.Applications(), a.Applications()), cmp.Compare(len(b.Runs), len(a.Runs)), b.Until.Compare(a.Until),
		)
	})
	return incidents
}

// made returns the incident of runs that a factor joins.
func made(joined membership, runs []Run) Incident {
	times := map[string]int{}
	why := map[string]string{}
	for _, run := range runs {
		for _, cause := range run.Causes {
			if !joined.holds(cause) {
				continue
			}
			times[cause.Code]++
			if why[cause.Code] == "" {
				why[cause.Code] = cause.Why
			}
		}
	}
	codes := make([]string, 0, len(times))
	for code := range times {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int { return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b)) })
	incident := Incident{Factor: joined.Factor, Causes: codes, Since: runs[0].At, Until: runs[0].At, Runs: runs}
	if len(codes) > 0 {
		incident.Why = why[codes[0]]
	}
	for _, run := range runs {
		if run.At.After(incident.Until) {
			incident.Until = run.At
		}
	}
	return incident
}

// name tells the run from all others.
func (r Run) name() string { return r.key() + " run " + decimal(r.Number) }

// id tells the run from all others, also from those of an application that had the same name before.
func (r Run) id() string { return string(r.UID) + " " + r.name() }

func without(runs, taken []Run) []Run {
	gone := map[string]bool{}
	for _, run := range taken {
		gone[run.id()] = true
	}
	return slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return gone[r.id()] })
}
