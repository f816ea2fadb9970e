package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"brazier.sh/brazier/api/v1beta2"
	engine "brazier.sh/brazier/internal/queue"
)

const (
	// atOnce is how many pods are changed at the same time.
	atOnce = 16
	// patience is how long changing pods may take in one round.
	patience = 30 * time.Second
)

// errStuck says that a pod cannot be let go as it is, however often that is tried.
var errStuck = errors.New("the pod cannot be let go as it is")

// change is something that is to be done about one pod.
type change struct {
	key podKey
	do  func(context.Context) error
	// undo takes out of the ledger that it was done.
	undo func()
}

// carryOut lets executors go and tells others to. It reports whether something could not be done. All of it is in the ledger
// before any of it is done.
func (c *Controller) carryOut(ctx context.Context, s *situation, decided engine.Decisions) (failed bool) {
	changes := append(c.lifts(s, decided), c.takes(s, decided)...)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var lock sync.Mutex
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, change := range changes {
		group.Go(func() error {
			err := change.do(ctx)
			if err == nil {
				return nil
			}
			lock.Lock()
			defer lock.Unlock()
			change.undo()
			if errors.Is(err, errStuck) {
				c.ledger.stuck[change.key] = struct{}{}
			} else {
				failed = true
			}
			log.FromContext(ctx).Error(err, "an executor could not be changed", "pod", change.key.pod)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		failed = true
	}
	return failed
}

// lifts are the executors that are to be let go.
func (c *Controller) lifts(s *situation, decided engine.Decisions) []change {
	var changes []change
	for _, lift := range decided.Lift {
		app, g := s.apps[lift.App], s.group(lift.App, lift.Group)
		if g == nil {
			continue
		}
		pods := toLift(g, lift.Count)
		for _, p := range pods {
			key := podKey{app.uid, p.name}
			c.ledger.lifted[key] = lift.Flavour
			p.gated = false
			g.mark(p)
			changes = append(changes, change{
				key: key, undo: func() { delete(c.ledger.lifted, key) },
				do: func(ctx context.Context) error {
					err := c.lift(ctx, app.key.Namespace, p.name, &s.tree.Kinds[lift.Flavour])
					if errors.Is(err, errStuck) {
						c.say(app, corev1.EventTypeWarning, "NotLetGo", "Lift", "executor %s cannot be put onto %s nodes: %v", p.name, s.Flavours[lift.Flavour].Name, err)
					}
					return err
				},
			})
		}
		if len(pods) == 0 {
			continue
		}
		c.metrics.lifted(app.place.Name, len(pods))
		c.say(app, corev1.EventTypeNormal, "ExecutorsLetGo", "Lift", "%s may start on %s nodes", executorsOf(len(pods)), s.Flavours[lift.Flavour].Name)
	}
	return changes
}

// takes are the executors that are told to go.
func (c *Controller) takes(s *situation, decided engine.Decisions) []change {
	var changes []change
	for _, take := range decided.Reclaim {
		app := s.apps[take.App]
		if take.Whole {
			c.metrics.reclaimed(app.place.Name, take.Why, 0, 1)
			c.say(app, corev1.EventTypeNormal, reasonTakenBack, "Reclaim", "stopped to wait again: %s", takenFor(take.Why))
			continue
		}
		g := s.group(take.App, take.Group)
		if g == nil {
			continue
		}
		pods := toTake(g, take.Flavour, take.Count)
		if len(pods) == 0 {
			continue
		}
		c.ledger.reclaimed[app.uid] = s.Now
		for _, p := range pods {
			key := podKey{app.uid, p.name}
			c.ledger.taken[key] = struct{}{}
			p.leaving = true
			g.mark(p)
			changes = append(changes, change{
				key: key, undo: func() { delete(c.ledger.taken, key) },
				do: func(ctx context.Context) error { return c.take(ctx, app.key.Namespace, p.name, take.Grace) },
			})
		}
		c.metrics.reclaimed(app.place.Name, take.Why, len(pods), 0)
		c.say(app, corev1.EventTypeNormal, "ExecutorsTakenBack", "Reclaim", "%s within %s: %s", executorsOf(len(pods)), take.Grace, takenFor(take.Why))
	}
	return changes
}

// group is the group of an application that the engine calls so.
func (s *situation) group(app, name string) *group {
	for i := range s.groups[app] {
		if s.groups[app][i].Name == name {
			return &s.groups[app][i]
		}
	}
	return nil
}

// mark has the next decision about the group's pods know of one that was about p.
func (g *group) mark(p pod) {
	for i := range g.pods {
		if g.pods[i].name == p.name {
			g.pods[i] = p
		}
	}
}

// say tells in an event of an application what was decided about it.
func (c *Controller) say(app *member, kind, reason, action, note string, args ...any) {
	object := &v1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{Namespace: app.key.Namespace, Name: app.key.Name, UID: app.uid},
	}
	c.events.Eventf(object, nil, kind, reason, action, note, args...)
}

func executorsOf(n int) string {
	if n == 1 {
		return "1 executor"
	}
	return fmt.Sprintf("%d executors", n)
}
