package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

const (
	// statusEvery is how often the status of one queue is written at most.
	statusEvery = 3 * time.Second
	// statusPace is the time between the statuses of two queues: a thousand of them may not keep the API server busy.
	statusPace = 50 * time.Millisecond
	// statusLook is how often it is looked whether there is something to write.
	statusLook = 500 * time.Millisecond
)

const (
	reasonInUse    = "InUse"
	reasonDraining = "Draining"
)

// teller writes the statuses of queues. It does so beside rounds, which wait for no write of what is only told.
type teller struct {
	cluster client.Client
	clock   clock.WithTicker

	lock sync.Mutex
	// wanted is what the last round has to tell, by the queue's name.
	wanted map[string]wanted
	// told is what was written, and when. It belongs to Start.
	told map[string]written
}

var _ manager.Runnable = (*teller)(nil)

// wanted is what a queue's status should say.
type wanted struct {
	queue  *v1alpha1.Queue
	status v1alpha1.QueueStatus
}

type written struct {
	at     time.Time
	status v1alpha1.QueueStatus
}

// want has told what a round found out about queues.
func (t *teller) want(s *situation, decided engine.Decisions, problems []queuetree.Problem) {
	usage := make(map[string]engine.Usage, len(decided.Queues))
	for _, u := range decided.Queues {
		usage[u.Queue] = u
	}
	problems = append(slices.Clip(problems), overcommitted(s, problems)...)
	all := make(map[string]wanted, len(s.objects))
	for i := range s.objects {
		queue := &s.objects[i]
		all[queue.Name] = wanted{queue, statusOf(s, queue, usage[queue.Name], problems)}
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	t.wanted = all
}

// Start implements manager.Runnable: it writes until ctx ends, in the replica that leads.
func (t *teller) Start(ctx context.Context) error {
	look := t.clock.NewTicker(statusLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C():
			t.tell(ctx)
		}
	}
}

// tell writes what has changed and is due, one after the other. What could not be written is tried again when it is due.
func (t *teller) tell(ctx context.Context) {
	for _, name := range t.queues() {
		queue, status, ok := t.due(name)
		if !ok {
			continue
		}
		if err := t.write(ctx, queue, status); err != nil {
			if ctx.Err() != nil {
				return
			}
			log.FromContext(ctx).Error(err, "the status of a queue could not be written", "queue", name)
			status = queue.Status
		}
		t.told[name] = written{t.clock.Now(), status}
		select {
		case <-ctx.Done():
			return
		case <-t.clock.After(statusPace):
		}
	}
}

// queues are the names of those that there are. What was told of others is forgotten.
func (t *teller) queues() []string {
	t.lock.Lock()
	defer t.lock.Unlock()
	maps.DeleteFunc(t.told, func(name string, _ written) bool { _, ok := t.wanted[name]; return !ok })
	return slices.Sorted(maps.Keys(t.wanted))
}

// due returns what is to be written of a queue, as it is by now; false for nothing.
func (t *teller) due(name string) (*v1alpha1.Queue, v1alpha1.QueueStatus, bool) {
	t.lock.Lock()
	wanted, ok := t.wanted[name]
	t.lock.Unlock()
	if !ok {
		return nil, v1alpha1.QueueStatus{}, false
	}
	last, known := t.told[name]
	if !known {
		last.status = wanted.queue.Status
	}
	if apiequality.Semantic.DeepEqual(wanted.status, last.status) || t.clock.Since(last.at) < statusEvery {
		return nil, v1alpha1.QueueStatus{}, false
	}
	return wanted.queue, wanted.status, true
}

func (t *teller) write(ctx context.Context, queue *v1alpha1.Queue, status v1alpha1.QueueStatus) error {
	after := queue.DeepCopy()
	after.Status = status
	patch := client.MergeFromWithOptions(queue, client.MergeFromWithOptimisticLock{}) // what the cache has may be old
	return client.IgnoreNotFound(t.cluster.Status().Patch(ctx, after, patch))
}

// statusOf is what a queue's status says. What does not change in it has the times that it had.
func statusOf(s *situation, queue *v1alpha1.Queue, usage engine.Usage, problems []queuetree.Problem) v1alpha1.QueueStatus {
	status := v1alpha1.QueueStatus{ObservedGeneration: queue.Generation, Conditions: slices.Clone(queue.Status.Conditions)}
	condition := ready(queue, problems)
	condition.LastTransitionTime = metav1.NewTime(s.Now.Truncate(time.Second))
	meta.SetStatusCondition(&status.Conditions, condition)
	if usage.Queue == "" { // it is not part of the tree
		return status
	}
	status.Running, status.Waiting = int32(usage.Running), int32(usage.Waiting)
	status.Share = fmt.Sprintf("%.1f%%", 100*min(usage.Share, 100))
	for flavour := range s.Flavours {
		u := v1alpha1.QueueUsage{Flavour: s.Flavours[flavour].Name}
		for amounts, list := range map[*engine.Amounts]*corev1.ResourceList{
			&usage.Guaranteed: &u.Guaranteed, &usage.Used: &u.Used, &usage.Borrowed: &u.Borrowed, &usage.Lent: &u.Lent, &usage.Leaving: &u.Leaving,
		} {
			*list = s.tree.List(*amounts, flavour)
		}
		status.Usage = append(status.Usage, u)
	}
	return status
}

// ready says whether applications of a queue are let in. What is wrong with it and does not keep them out is said as well.
func ready(queue *v1alpha1.Queue, problems []queuetree.Problem) metav1.Condition {
	condition := metav1.Condition{
		Type: v1alpha1.ConditionQueueReady, Status: metav1.ConditionTrue, Reason: reasonInUse, Message: "applications are let in",
		ObservedGeneration: queue.Generation,
	}
	var said []string
	for _, problem := range problems {
		if problem.Queue != queue.Name {
			continue
		}
		if len(said) == 0 || problem.Outside() && condition.Status == metav1.ConditionTrue {
			condition.Reason = string(problem.Reason)
		}
		if problem.Outside() {
			condition.Status = metav1.ConditionFalse
		}
		said = append(said, fmt.Sprintf("%s: %q %s", problem.Field, problem.Value, problem.Message))
	}
	if len(said) > 0 {
		condition.Message = strings.Join(said, "; ")
	}
	if queue.Spec.Drain && condition.Status == metav1.ConditionTrue {
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse, reasonDraining, "spec.drain is true: nothing is let in"
	}
	return condition
}

// overcommitted are the queues that are guaranteed more than nodes have, where that was not known from what is said.
func overcommitted(s *situation, known []queuetree.Problem) []queuetree.Problem {
	var more []queuetree.Problem
	for _, problem := range s.tree.Overcommitted(s.Capacity) {
		if !slices.ContainsFunc(known, func(k queuetree.Problem) bool { return k.Reason == problem.Reason && k.Field == problem.Field }) {
			more = append(more, problem)
		}
	}
	return more
}
