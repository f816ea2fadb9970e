package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/executors"
	"brazier.sh/brazier/internal/queuetree"
)

// observe looks at the cluster. It returns nil where there is nothing to decide about, and false where it is not known yet
// what nodes there are.
func (c *Controller) observe(ctx context.Context) (seen *cluster, ready bool, err error) {
	var objects v1alpha1.QueueList
	if err := c.cached.List(ctx, &objects); err != nil {
		return nil, false, fmt.Errorf("list queues: %w", err)
	}
	apps, err := c.applications(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(objects.Items) == 0 && len(apps) == 0 {
		return nil, true, nil
	}
	tree, problems := queuetree.Convert(objects.Items, c.resources(apps)...)
	seen = &cluster{now: c.clock.Now(), tree: &tree, problems: problems, objects: objects.Items, used: c.history.used}
	if needsNodes(&tree) {
		if seen.nodes, ready = c.capacity.Nodes(); !ready {
			return nil, false, nil
		}
	}
	seen.apps = c.withPods(&tree, apps)
	return seen, true, nil
}

// found is an application of which there may be something to decide.
type found struct {
	member
	executors []executors.Executor
}

// known are applications that were let in. When one is deleted its pods take up room until they are gone.
type known map[types.UID]member

// applications returns those that are in a queue, or have left something there.
func (c *Controller) applications(ctx context.Context) ([]found, error) {
	var list v1beta2.SparkApplicationList
	if err := c.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	drivers, err := c.drivers(ctx)
	if err != nil {
		return nil, err
	}
	var all []found
	here := make(map[types.NamespacedName]bool, len(list.Items))
	before, applied := c.known, c.applicants.waiting(c.clock.Now())
	c.known = make(known)
	for i := range list.Items {
		object := &list.Items[i]
		key := client.ObjectKeyFromObject(object)
		here[key] = true
		delete(before, object.UID)
		if applicant, ok := applied[object.UID]; ok {
			if app, applies := applicant.of(object); applies {
				all = append(all, found{member: app})
				continue
			}
			c.applicants.forget(object.UID)
		}
		if object.Status.Queue == nil {
			continue
		}
		app := found{member: see(object), executors: c.executors.Of(key)}
		app.driverOnNode, app.driver = drivers[app.uid]
		all = append(all, app)
		if app.place.Admitted != nil {
			c.known[app.uid] = app.member
		}
	}
	for uid, app := range before {
		gone := found{member: app}
		gone.deleting = true
		gone.driverOnNode, gone.driver = drivers[uid]
		if !here[app.key] { // of a namesake's executors they cannot be told
			gone.executors = c.executors.Of(app.key)
		}
		if len(gone.executors) > 0 || gone.driver {
			all = append(all, gone)
			c.known[uid] = gone.member
		}
	}
	return all, nil
}

// drivers tells for which applications, by UID, there is a driver's pod that takes up room, and whether it has a node.
func (c *Controller) drivers(ctx context.Context) (map[types.UID]bool, error) {
	var pods corev1.PodList
	err := c.cached.List(ctx, &pods, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list drivers: %w", err)
	}
	drivers := make(map[types.UID]bool)
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Labels[v1beta2.LabelSparkRole] != v1beta2.SparkRoleDriver || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		for _, owner := range pod.OwnerReferences {
			drivers[owner.UID] = pod.Spec.NodeName != ""
		}
	}
	return drivers, nil
}

// see is what is remembered of an application.
func see(object *v1beta2.SparkApplication) member {
	app := member{
		uid: object.UID, key: client.ObjectKeyFromObject(object), run: object.Status.Run, state: object.Status.AppState.State,
		deleting: !object.DeletionTimestamp.IsZero(), suspended: object.Spec.Suspend, place: object.Status.Queue,
		user: object.Annotations[v1alpha1.AnnotationUser],
	}
	if app.user == "" {
		app.user = object.Namespace
	}
	// What is not valid was refused when the run was claimed; what was changed since is for the next one.
	if priority, err := strconv.ParseInt(object.Annotations[v1alpha1.AnnotationPriority], 10, 32); err == nil {
		app.priority = new(int32(priority))
	}
	if limit, err := time.ParseDuration(object.Annotations[v1alpha1.AnnotationMaxRunTime]); err == nil && limit > 0 {
		app.maxRunTime = limit
	}
	return app
}

// resources are all that pods in queues request.
func (*Controller) resources(apps []found) []corev1.ResourceName {
	named := make(map[corev1.ResourceName]bool)
	for i := range apps {
		for name := range apps[i].place.Driver {
			named[name] = true
		}
		for name := range apps[i].place.Executor {
			named[name] = true
		}
		for _, executor := range apps[i].executors {
			if executor.Queued != nil {
				for name := range executor.Queued.Size {
					named[name] = true
				}
			}
		}
	}
	return slices.SortedFunc(maps.Keys(named), func(a, b corev1.ResourceName) int { return strings.Compare(string(a), string(b)) })
}

// withPods adds executors' pods in the words of the tree. Many are alike, and are put into them once.
func (c *Controller) withPods(tree *queuetree.Tree, apps []found) []member {
	alike := make(map[*executors.Queued]pod)
	all := make([]member, len(apps))
	for i := range apps {
		all[i] = apps[i].member
		for _, executor := range apps[i].executors {
			if executor.State.Ended() {
				continue
			}
			p, known := alike[executor.Queued]
			if !known || executor.Queued == nil {
				p = shape(tree, executor.Queued, apps[i].place)
				alike[executor.Queued] = p
			}
			p.name, p.run, p.gated, p.leaving = executor.Name, executor.Run, executor.Gated, executor.Deleting
			p.running, p.onNode = executor.State == v1beta2.ExecutorStateRunning, executor.OnNode
			p.created = time.Unix(executor.Created, 0)
			all[i].pods = append(all[i].pods, p)
		}
	}
	return all
}

// shape is what executors have in common that are alike. One that has lost its label is as large as was planned.
func shape(tree *queuetree.Tree, queued *executors.Queued, place *v1beta2.QueuePlace) pod {
	if queued == nil {
		return pod{size: tree.Size(place.Executor)}
	}
	flavour, _ := flavourOf(tree.Kinds, queued.NodeSelector)
	return pod{profile: queued.Profile, size: tree.Size(queued.Size), flavour: max(0, flavour)}
}
