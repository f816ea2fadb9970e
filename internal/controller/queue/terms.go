package queue

import (
	"math"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	engine "brazier.sh/brazier/internal/queue"
	"brazier.sh/brazier/internal/queuetree"
	"brazier.sh/brazier/internal/spark"
)

// maxPending is how many executors of an application may wait for their gate or for a node at once. Spark makes more when
// these have started, so that it bounds how fast an application grows, and how many pods wait for nothing.
const maxPending = 20

// terms are what a run's plan has to know of the queue that has let it in, but for what depends on how much there is.
func terms(tree *queuetree.Tree, place *v1beta2.QueuePlace) spark.Queue {
	queue := spark.Queue{Name: place.Name, MaxPending: maxPending, Pack: tree.Packing}
	if place.Admitted == nil {
		return queue
	}
	if flavour := tree.Flavour(place.Admitted.Driver); flavour >= 0 {
		queue.Driver = tree.Kinds[flavour]
	}
	return queue
}

// ceiling is how many executors of a size a queue could give an application that had all of it: within limits and what there
// is, on all flavours that executors may have. 0 is as many as anybody asks for.
func ceiling(tree *queuetree.Tree, capacity engine.Amounts, name string, executor corev1.ResourceList) int64 {
	size, path := tree.Size(executor), pathOf(tree, name)
	var all int64
	for _, flavour := range executorFlavours(tree, path) {
		most := int64(math.MaxInt32)
		for r, amount := range size {
			slot := tree.At(flavour) + r
			if amount > 0 {
				most = min(most, bound(path, capacity, slot)/amount)
			}
		}
		all += most
	}
	if all >= math.MaxInt32 {
		return 0
	}
	return max(all, 1)
}

// bound is the most that a queue may have of a slot.
func bound(path []*engine.Queue, capacity engine.Amounts, slot int) int64 {
	most := int64(queuetree.Most)
	if capacity != nil {
		most = min(most, capacity[slot])
	}
	for i, queue := range path {
		if queue.Limit != nil {
			most = min(most, queue.Limit[slot])
		}
		// What parts are guaranteed comes on top of it, so that only of the queue itself this is a bound.
		if i == 0 && queue.BorrowingLimit != nil && queue.BorrowingLimit[slot] != engine.Unlimited {
			own := int64(0)
			if queue.Guaranteed != nil {
				own = queue.Guaranteed[slot]
			}
			most = min(most, own+queue.BorrowingLimit[slot])
		}
	}
	return most
}

// pathOf returns a queue and all above it.
func pathOf(tree *queuetree.Tree, name string) []*engine.Queue {
	var path []*engine.Queue
	for range len(tree.Queues) {
		for i := range tree.Queues {
			if tree.Queues[i].Name == name {
				path = append(path, &tree.Queues[i])
				break
			}
		}
		if len(path) == 0 || path[len(path)-1].Name == engine.Root {
			break
		}
		if name = path[len(path)-1].Parent; name == "" {
			name = engine.Root
		}
	}
	return path
}

// executorFlavours are those that the queue's executors may have: its own, else those of the next above it that has any.
func executorFlavours(tree *queuetree.Tree, path []*engine.Queue) []int {
	for _, queue := range path {
		if queue.Executors != nil {
			return queue.Executors
		}
	}
	all := make([]int, len(tree.Flavours))
	for i := range all {
		all[i] = i
	}
	return all
}
