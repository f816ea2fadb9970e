package queue

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/capacity"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// remains is what the name of what is left of a run ends with, beside the application that it was of.
const remains = "/remains"

// situation is what is decided on: the engine's state, and what its names stand for.
type situation struct {
	engine.State
	tree *queuetree.Tree
	// objects are all queues.
	objects []v1alpha1.Queue
	// apps and groups are by the application's name in the state.
	apps   map[string]*member
	groups map[string][]group
}

// cluster is what was seen.
type cluster struct {
	now  time.Time
	tree *queuetree.Tree
	// objects are all queues, and problems what is wrong with them.
	objects  []v1alpha1.Queue
	problems []queuetree.Problem
	apps     []member
	nodes    []capacity.Node
	// used is what each user has used lately.
	used map[string]float64
}

// assess lays the ledger over what was seen, and puts it into the engine's words.
func assess(seen cluster, ledger *ledger) *situation {
	tree := seen.tree
	s := &situation{
		tree: tree, objects: seen.objects, apps: make(map[string]*member, len(seen.apps)), groups: make(map[string][]group, len(seen.apps)),
		State: engine.State{Shape: tree.Shape, Now: seen.now, ReclaimPercent: tree.ReclaimPercent, Queues: tree.Queues},
	}
	s.Capacity, s.Nodes = available(tree, seen.nodes)
	for i := range seen.apps {
		app := seen.apps[i]
		app.pods = slices.Clone(app.pods)
		ledger.lay(&app)
		s.add(&app, ledger, seen.used)
	}
	slices.SortFunc(s.Applications, func(a, b engine.Application) int { return cmp.Compare(a.ID, b.ID) })
	return s
}

// available is what queues may share, and what is free on nodes where applications need room there.
func available(tree *queuetree.Tree, nodes []capacity.Node) (engine.Amounts, []engine.Node) {
	measured, free := measure(tree.Shape, tree.Kinds, nodes)
	all := tree.Said()
	for flavour := range tree.Flavours {
		for r := range tree.Resources {
			switch slot := tree.At(flavour) + r; {
			case all[slot] != engine.Unlimited:
			case tree.Flavours[flavour].ScalesFromZero:
				all[slot] = queuetree.Most // nodes come when they are wanted, and nobody has said how many
			default:
				all[slot] = measured[slot]
			}
		}
	}
	if !tree.Room {
		free = nil
	}
	return all, free
}

// needsNodes reports whether it has to be looked at nodes to know what there is.
func needsNodes(tree *queuetree.Tree) bool {
	for flavour := range tree.Flavours {
		said := tree.Said()[tree.At(flavour) : tree.At(flavour)+len(tree.Resources)]
		if !tree.Flavours[flavour].ScalesFromZero && slices.Contains(said, engine.Unlimited) {
			return true
		}
	}
	return tree.Room
}

// add adds an application's current run, if that waits or runs, and what is left of earlier ones.
func (s *situation) add(app *member, ledger *ledger, used map[string]float64) {
	id := string(app.uid)
	_, goes := ledger.wholly[app.runKey()]
	var current, left []pod
	for _, p := range app.pods {
		if app.runs() && p.run == app.run && !goes {
			current = append(current, p)
		} else if !p.gated {
			p.leaving = true
			left = append(left, p)
		}
	}
	if app.waits() || app.runs() && !goes {
		s.put(id, app, current, s.application(app, ledger, used))
	}
	// A driver that is there while no run of its application goes on is on its way out.
	driver := app.driver && (!app.runs() || goes) && app.place != nil && app.place.Admitted != nil
	if len(left) > 0 || driver {
		s.leave(id+remains, app, left, driver)
	}
}

func (s *situation) put(id string, app *member, pods []pod, a engine.Application) {
	gathered := groups(pods, len(s.Flavours))
	for i := range gathered {
		a.Groups = append(a.Groups, gathered[i].Group)
	}
	a.ID = id
	s.Applications = append(s.Applications, a)
	s.apps[id], s.groups[id] = app, gathered
}

func (s *situation) application(app *member, ledger *ledger, used map[string]float64) engine.Application {
	place := app.place
	a := engine.Application{
		Queue: place.Name, User: app.user, UserUsage: used[app.user], Created: place.Since.Time, MaxRunTime: app.maxRunTime,
		Priority: queuetree.Priority(s.tree.Objects[place.Name], app.priority),
		Driver:   s.tree.Size(place.Driver), Executor: s.tree.Size(place.Executor), Minimum: place.Minimum,
		Reclaimed: ledger.reclaimed[app.uid],
	}
	if place.Admitted != nil {
		a.Admitted, a.DriverComes = s.admission(place.Admitted), !app.driverOnNode
	}
	return a
}

// admission is an admission in the engine's words. A flavour that there is not any more is as good as the first.
func (s *situation) admission(said *v1beta2.QueueAdmission) *engine.Admission {
	admission := &engine.Admission{
		Driver: max(0, s.tree.Flavour(said.Driver)), Executors: make([]int64, len(s.Flavours)), At: said.At.Time,
	}
	for _, name := range slices.Sorted(maps.Keys(said.Executors)) {
		admission.Executors[max(0, s.tree.Flavour(name))] += said.Executors[name]
	}
	return admission
}

// leave adds what is left of runs that are over: all of it, a driver too, is on its way back, and none of it is promised.
func (s *situation) leave(id string, app *member, pods []pod, driver bool) {
	a := engine.Application{User: app.user, Admitted: &engine.Admission{Executors: make([]int64, len(s.Flavours))}}
	if app.place != nil {
		a.Queue, a.Created = app.place.Name, app.place.Since.Time
	}
	if driver {
		admission := s.admission(app.place.Admitted)
		pods = append(pods, pod{profile: "driver", size: s.tree.Size(app.place.Driver), flavour: admission.Driver, leaving: true})
	}
	s.put(id, app, pods, a)
}

// unsettled reports whether executors wait to be let go or are on their way out.
func (s *situation) unsettled() bool {
	for i := range s.Applications {
		for _, g := range s.Applications[i].Groups {
			if g.Gated > 0 || slices.ContainsFunc(g.Leaving, func(n int64) bool { return n > 0 }) {
				return true
			}
		}
	}
	return false
}

// said is an admission in the API's words.
func (s *situation) said(admission engine.Admission) *v1beta2.QueueAdmission {
	said := &v1beta2.QueueAdmission{Driver: s.Flavours[admission.Driver].Name}
	said.At.Time = admission.At
	for flavour, count := range admission.Executors {
		if count == 0 {
			continue
		}
		if said.Executors == nil {
			said.Executors = make(map[string]int64)
		}
		said.Executors[s.Flavours[flavour].Name] = count
	}
	return said
}
