package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
	"brazier.sh/brazier/internal/spark"
)

// Queue returns the queue that app is in: the one that its label names, else the one that has its namespace. An application
// that another scheduler or queue looks after is in none.
func (c *Controller) Queue(ctx context.Context, app *v1beta2.SparkApplication) (string, error) {
	if app.Spec.BatchScheduler != "" || app.Labels[v1alpha1.LabelKueueQueue] != "" {
		return "", nil
	}
	if name := app.Labels[v1alpha1.LabelQueue]; name != "" {
		return name, nil
	}
	var queues v1alpha1.QueueList
	if err := c.cached.List(ctx, &queues, client.MatchingFields{indexNamespace: app.Namespace}, client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("list queues: %w", err)
	}
	if len(queues.Items) == 0 {
		return "", nil
	}
	return slices.MinFunc(queues.Items, func(a, b v1alpha1.Queue) int { return strings.Compare(a.Name, b.Name) }).Name, nil
}

// indexNamespace is the index of queues by the namespaces that are theirs.
const indexNamespace = "namespaces"

func namespacesOf(object client.Object) []string { return object.(*v1alpha1.Queue).Spec.Namespaces }

// Terms returns on which terms app's current run was let in.
func (c *Controller) Terms(ctx context.Context, app *v1beta2.SparkApplication) (spark.Queue, error) {
	if last := c.books.shared(); last.tree != nil {
		found := terms(last.tree, app.Status.Queue)
		found.MaxExecutors = ceiling(last.tree, last.capacity, app.Status.Queue.Name, app.Status.Queue.Executor)
		return found, nil
	}
	// Another has let it in, and there was no round here yet.
	var queues v1alpha1.QueueList
	if err := c.cached.List(ctx, &queues); err != nil {
		return spark.Queue{}, fmt.Errorf("list queues: %w", err)
	}
	tree, _ := queuetree.Convert(queues.Items)
	return terms(&tree, app.Status.Queue), nil
}

// Verdict returns what was decided about app's current run in the queue that its status names.
func (c *Controller) Verdict(app *v1beta2.SparkApplication) admission.Verdict {
	v, decided := c.books.about(runKey{app.UID, app.Status.Run})
	if !decided || v.place.Name != app.Status.Queue.Name {
		return admission.Verdict{}
	}
	return v.Verdict
}

// Apply asks for a run that is not claimed yet to be let in with place. It answers what was decided about it; false is that
// there was no round about it yet, and that called is told when there was.
func (c *Controller) Apply(app *v1beta2.SparkApplication, run int64, place *v1beta2.QueuePlace) (admission.Verdict, bool) {
	overdue := c.applicants.apply(app.UID, run, place, c.clock.Now())
	v, decided := c.books.about(runKey{app.UID, run})
	if !decided || !asMuch(v.place, place) {
		return admission.Verdict{}, overdue
	}
	return v.Verdict, true
}

// Notify has told called with each application of which there is something new to say.
func (c *Controller) Notify(told func(app types.NamespacedName)) { c.books.notify(told) }

// books is what the application controller may ask about.
type books struct {
	lock     sync.RWMutex
	verdicts map[runKey]verdict
	last     shared
	told     []func(types.NamespacedName)
}

// verdict is what was decided about a run of an application in a queue.
type verdict struct {
	admission.Verdict
	place *v1beta2.QueuePlace
	app   types.NamespacedName
}

// shared is what queues shared when that was looked at last.
type shared struct {
	tree     *queuetree.Tree
	capacity engine.Amounts
}

func (b *books) notify(told func(types.NamespacedName)) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.told = append(b.told, told)
}

// about returns what was decided about a run; false for nothing.
func (b *books) about(run runKey) (verdict, bool) {
	b.lock.RLock()
	defer b.lock.RUnlock()
	v, ok := b.verdicts[run]
	v.Admitted = v.Admitted.DeepCopy()
	return v, ok
}

func (b *books) shared() shared {
	b.lock.RLock()
	defer b.lock.RUnlock()
	return b.last
}

// write puts verdicts into the books, and tells those of whom they say something new.
func (b *books) write(verdicts map[runKey]verdict, s *situation) {
	b.lock.Lock()
	before, told := b.verdicts, slices.Clone(b.told)
	b.verdicts, b.last = verdicts, shared{s.tree, s.Capacity}
	b.lock.Unlock()
	for run, v := range verdicts {
		if was, ok := before[run]; ok && was.same(v) {
			continue
		}
		for _, tell := range told {
			tell(v.app)
		}
	}
}

// close forgets all verdicts.
func (b *books) close() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.verdicts = nil
}

func (v verdict) same(other verdict) bool {
	return asMuch(v.place, other.place) && v.Refused == other.Refused && v.TakenBack == other.TakenBack &&
		v.Reason == other.Reason && v.Message == other.Message && (v.Admitted == nil) == (other.Admitted == nil)
}
