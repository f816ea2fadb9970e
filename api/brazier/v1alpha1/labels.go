package v1alpha1

// LabelQueue on an application is the queue that it is in. It may be changed at any time: what the application has moves
// with it. Its pods have the label as well.
const LabelQueue = "brazier.sh/queue"

// LabelKueueQueue on an application is by which it waits in a queue of Kueue, and in none of Brazier's: pkg/controller/constants
// of Kueue.
const LabelKueueQueue = "kueue.x-k8s.io/queue-name"

// SchedulingGate is the gate that holds an executor's pod until its queue lets it go.
const SchedulingGate = "brazier.sh/queue"

// What an application says of itself to its queue, as annotations.
const (
	// AnnotationPriority is its priority in its queue, a whole number. Default: the queue's.
	AnnotationPriority = "brazier.sh/priority"
	// AnnotationUser is whose it is, for what queues grant each user. Default: its namespace's.
	AnnotationUser = "brazier.sh/user"
	// AnnotationMinExecutors is with how many executors it can begin, at least 1. Default: all of a fixed number of instances;
	// with dynamic allocation its minimum, and at least one.
	AnnotationMinExecutors = "brazier.sh/min-executors"
	// AnnotationMaxRunTime is how long it runs at most, as a Go duration such as 20m. One that is short may go before a larger
	// one that waits for room. It is ended when it takes longer.
	AnnotationMaxRunTime = "brazier.sh/max-run-time"
)
