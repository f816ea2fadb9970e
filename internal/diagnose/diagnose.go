// Package diagnose tells what a run failed of, or what it waits for: evidence in, ranked causes out.
//
// It is pure: it reads no cluster and no clock, so that every rule can be tested on evidence that was recorded once. Each
// rule is a file of its own, named by its cause, with its table of evidence beside it; rules.go lists them. Who gathers
// evidence (internal/evidence, internal/controller/evidence, internal/scene) and who shows causes (internal/cli/why) is
// not known here.
package diagnose

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// Case is what is known of a run.
type Case struct {
	// Namespace and Name are the application's.
	Namespace, Name string
	// Application is the application itself; nil where it is gone.
	Application *v1beta2.SparkApplication
	// Evidence is what was seen of the run, recorded or live.
	Evidence v1alpha1.Evidence
	// Cluster is what was seen of the cluster around it.
	Cluster Cluster
	// Ended says that the run is over.
	Ended bool
	// Now is when the evidence was gathered.
	Now time.Time

	// read is what was read of the logs already.
	read *reading
}

// Cluster is what is known of a cluster beside the run. Each part may be missing: few people may read nodes.
type Cluster struct {
	// Nodes are the cluster's nodes with what is requested on them.
	Nodes []Node
	// Waiting are the run's pods that have no node yet, as they are.
	Waiting []corev1.Pod
	// Quotas, Limits and Claims are those of the application's namespace.
	Quotas []corev1.ResourceQuota
	Limits []corev1.LimitRange
	Claims []corev1.PersistentVolumeClaim
	// Unread says what could not be read and why: "nodes: forbidden".
	Unread []string
}

// Node is a node and what its pods request in all.
type Node struct {
	corev1.Node
	Requested corev1.ResourceList
}

// rule finds one cause.
type rule struct {
	// code is what its causes are called.
	code string
	// follows are the causes that this one is a consequence of, where they are found as well.
	follows []string
	// find returns the cause; false if there is nothing of it in the case. Code, Follows and Waiting are filled in later.
	find func(c *Case) (v1alpha1.Cause, bool)
}

// slack is how much later than its consequence a cause may have been seen: clocks differ, and kubelet tells of a
// container's end after the driver has noticed it.
const slack = time.Minute

// Causes returns what the run of c failed of or waits for, the most fundamental first: nothing comes before what it
// follows from. A run that is well, or that ended well, has none. Rules of a team's own are tried beside the built-in ones.
func Causes(c *Case, own ...Rule) []v1alpha1.Cause {
	read := *c
	read.read = &reading{}
	if read.completed() {
		return nil
	}
	all := rules()
	for _, r := range own {
		all = append(all, r.rule())
	}
	var found []v1alpha1.Cause
	for _, r := range all {
		cause, ok := r.find(&read)
		if !ok || indexOf(found, r.code) >= 0 {
			continue
		}
		cause.Code, cause.Follows = r.code, ""
		cause.Waiting = cause.Waiting || !c.Ended
		found = append(found, cause)
	}
	return rank(found, all)
}

// rank links consequences to their causes and puts those first that follow from nothing: what is merely possible last, and
// otherwise what was seen first.
func rank(causes []v1alpha1.Cause, rules []rule) []v1alpha1.Cause {
	slices.SortStableFunc(causes, func(a, b v1alpha1.Cause) int {
		return cmp.Or(
			cmp.Compare(guessed(a), guessed(b)),
			compareTimes(a.At, b.At),
			cmp.Compare(certainty(b.Confidence), certainty(a.Confidence)),
		)
	})
	follows := make(map[string][]string, len(rules))
	for _, r := range rules {
		follows[r.code] = r.follows
	}
	for i := range causes {
		for _, code := range follows[causes[i].Code] {
			j := indexOf(causes, code)
			if j >= 0 && guessed(causes[j]) <= guessed(causes[i]) && before(causes[j], causes[i]) && !leads(causes, i, j) {
				causes[i].Follows = code
				break
			}
		}
	}
	return inOrder(causes)
}

// leads reports whether cause j follows from cause i already, by however many steps, or is the same.
func leads(causes []v1alpha1.Cause, i, j int) bool {
	for j != i {
		if causes[j].Follows == "" {
			return false
		}
		j = indexOf(causes, causes[j].Follows)
	}
	return true
}

func guessed(c v1alpha1.Cause) int {
	if certainty(c.Confidence) == 0 {
		return 1
	}
	return 0
}

// inOrder moves each cause behind the one it follows from, and keeps the order otherwise.
func inOrder(causes []v1alpha1.Cause) []v1alpha1.Cause {
	ordered := make([]v1alpha1.Cause, 0, len(causes))
	var add func(after string)
	add = func(after string) {
		for _, cause := range causes {
			if cause.Follows == after && indexOf(ordered, cause.Code) < 0 {
				ordered = append(ordered, cause)
				add(cause.Code)
			}
		}
	}
	add("")
	return ordered
}

func indexOf(causes []v1alpha1.Cause, code string) int {
	return slices.IndexFunc(causes, func(c v1alpha1.Cause) bool { return c.Code == code })
}

// before reports whether a can have led to b.
func before(a, b v1alpha1.Cause) bool {
	return a.At.IsZero() || b.At.IsZero() || a.At.Time.Before(b.At.Add(slack))
}

func compareTimes(a, b metav1.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b.Time)
}

func certainty(c v1alpha1.Confidence) int {
	switch c {
	case v1alpha1.ConfidenceHigh:
		return 2
	case v1alpha1.ConfidenceMedium:
		return 1
	default:
		return 0
	}
}
