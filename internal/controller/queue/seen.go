package queue

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	engine "brazier.sh/brazier/internal/queue"
)

// member is an application that is, or was, in a queue.
type member struct {
	uid       types.UID
	key       types.NamespacedName
	run       int64
	state     v1beta2.ApplicationStateType
	deleting  bool
	suspended bool
	// place is what its current run has of its queue; nil where it is in none.
	place *v1beta2.QueuePlace
	// priority and maxRunTime are what it says of itself; priority is nil where it says nothing.
	priority   *int32
	maxRunTime time.Duration
	user       string
	// driver says that a driver's pod takes up room, of whichever run, driverOnNode that it has a node.
	driver, driverOnNode bool
	// pods are its executors that have not ended.
	pods []pod
}

// pod is an executor's pod.
type pod struct {
	name    string
	run     int64
	profile string
	size    engine.Size
	// flavour is that of the nodes that it is bound to, or runs on.
	flavour int
	// gated says that it has our gate, leaving that it was told to go, running that it has started, onNode that it has a node.
	gated, leaving, running, onNode bool
	created                         time.Time
}

// waits reports whether the application's current run is to be let in.
func (a *member) waits() bool {
	return a.place != nil && a.place.Admitted == nil && a.state == v1beta2.ApplicationStateSubmitted && !a.deleting && !a.suspended
}

// runs reports whether the application's current run was let in and is not called off.
func (a *member) runs() bool {
	return a.place != nil && a.place.Admitted != nil && !a.deleting && underWay(a.state)
}

// underWay reports whether a run in state s goes on, as far as its application can tell.
func underWay(s v1beta2.ApplicationStateType) bool {
	switch s {
	case v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateSucceeding,
		v1beta2.ApplicationStateFailing, v1beta2.ApplicationStateUnknown:
		return true
	}
	return false
}

// flavourOf returns the first flavour whose labels are among those of a node, or among those that a pod wants of one.
func flavourOf(flavours []v1alpha1.Flavour, labels map[string]string) (int, bool) {
	i := slices.IndexFunc(flavours, func(f v1alpha1.Flavour) bool { return within(f.NodeLabels, labels) })
	return i, i >= 0
}

func within(some, all map[string]string) bool {
	for label, value := range some {
		if got, ok := all[label]; !ok || got != value {
			return false
		}
	}
	return true
}

// groups gathers pods of one size, sorted by the first of their resource profiles.
func groups(pods []pod, flavours int) []group {
	bySize := make(map[string]*group)
	for i := range pods {
		p := &pods[i]
		key := sizeKey(p.size)
		g := bySize[key]
		if g == nil {
			g = &group{Group: engine.Group{Name: p.profile, Size: p.size, Held: make([]int64, flavours), Leaving: make([]int64, flavours)}}
			bySize[key] = g
		}
		g.Name = min(g.Name, p.profile)
		g.add(p)
	}
	sorted := slices.SortedFunc(maps.Values(bySize), func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Size, b.Size))
	})
	all := make([]group, len(sorted))
	for i, g := range sorted {
		all[i] = *g
		if i > 0 && g.Name == sorted[i-1].Name { // one profile whose pods were resized
			all[i].Name += "#" + sizeKey(g.Size)
		}
	}
	return all
}

// group is executors of one size with their pods.
type group struct {
	engine.Group
	pods []pod
}

func (g *group) add(p *pod) {
	g.pods = append(g.pods, *p)
	switch {
	case p.gated && p.leaving: // it takes nothing, and never will
	case p.gated:
		g.Gated++
	default:
		g.Held[p.flavour]++
		switch {
		case p.leaving:
			g.Leaving[p.flavour]++
		case !p.onNode:
			if g.Comes == nil {
				g.Comes = make([]int64, len(g.Held))
			}
			g.Comes[p.flavour]++
		}
	}
}

func sizeKey(size engine.Size) string {
	var key strings.Builder
	for _, amount := range size {
		key.WriteString(strconv.FormatInt(amount, 10) + ",")
	}
	return key.String()
}
