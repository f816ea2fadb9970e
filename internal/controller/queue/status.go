package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
)

// statusEvery is how often the status of one queue is written at most.
const statusEvery = 3 * time.Second

const (
	reasonInUse    = "InUse"
	reasonDraining = "Draining"
)

// statuses are when the status of each queue was written last, and what it said.
type statuses map[string]written

type written struct {
	at     time.Time
	status v1alpha1.QueueStatus
}

// tellStatus writes the status of queues that have changed. It returns when those that were written just now are due; 0
// where none is.
func (c *Controller) tellStatus(ctx context.Context, s *situation, decided engine.Decisions, problems []queuetree.Problem) time.Duration {
	usage := make(map[string]engine.Usage, len(decided.Queues))
	for _, u := range decided.Queues {
		usage[u.Queue] = u
	}
	problems = append(slices.Clip(problems), overcommitted(s, problems)...)
	before := c.told
	c.told = make(statuses, len(s.objects))
	var next time.Duration
	for i := range s.objects {
		queue := &s.objects[i]
		last, known := before[queue.Name]
		if !known {
			last.status = queue.Status
		}
		c.told[queue.Name] = last
		status := statusOf(s, queue, usage[queue.Name], problems)
		if apiequality.Semantic.DeepEqual(status, last.status) {
			continue
		}
		if due := last.at.Add(statusEvery).Sub(s.Now); due > 0 {
			next = max(due, next)
			continue
		}
		if err := c.writeStatus(ctx, queue, status); err != nil {
			log.FromContext(ctx).Error(err, "the status of a queue could not be written", "queue", queue.Name)
			next = max(next, tryAgain)
			continue
		}
		c.told[queue.Name] = written{at: s.Now, status: status}
	}
	return next
}

func (c *Controller) writeStatus(ctx context.Context, queue *v1alpha1.Queue, status v1alpha1.QueueStatus) error {
	before := queue.DeepCopy()
	after := queue.DeepCopy()
	after.Status = status
	return client.IgnoreNotFound(c.cluster.Status().Patch(ctx, after, client.MergeFrom(before)))
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
