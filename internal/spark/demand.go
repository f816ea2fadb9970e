package spark

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
)

// Demand is what a run asks of its cluster. Sizes are those of whole pods as the API server will have them, with what Spark
// adds to a heap, sidecars and devices; what a RuntimeClass or a LimitRange of the cluster adds is not known here.
type Demand struct {
	// Driver is what the driver's pod requests.
	Driver corev1.ResourceList
	// Executor is what the pod of an executor of the default resource profile requests. Other profiles are the program's own
	// and known only when it runs.
	Executor corev1.ResourceList
	// Minimum is with how many executors the run can begin: all of a fixed number, or those that dynamic allocation keeps, and
	// at least one, unless the application says so itself. It is 0 only where there are never any.
	Minimum int64
	// First is how many executors Spark asks for when it starts.
	First int64
	// Most is how many it asks for at most: Unbounded where nothing says so.
	Most int64
}

// Unbounded is the most executors of an application with dynamic allocation that names no maximum:
// spark.dynamicAllocation.maxExecutors.
const Unbounded = math.MaxInt32

func (p *planner) demand(driver, executor *corev1.Pod) Demand {
	return Demand{
		Driver:   podRequests(driver),
		Executor: p.executorRequests(executor),
		Minimum:  p.minimumExecutors(),
		First:    p.firstExecutors(),
		Most:     p.mostExecutors(),
	}
}

// minimumExecutors is with how many executors the run can begin.
func (p *planner) minimumExecutors() int64 {
	most := p.mostExecutors()
	wishes, _ := QueueWishes(p.app) // what is wrong with them was found before anything was planned
	if wishes.MinExecutors > most {
		raise := "spec.executor.instances"
		if p.dynamic() {
			raise = "spec.dynamicAllocation.maxExecutors"
		}
		p.conf.errs = append(p.conf.errs, field.Invalid(annotationPath(brazierv1alpha1.AnnotationMinExecutors), wishes.MinExecutors,
			fmt.Sprintf("is more than the %d executors that the application ever has; lower it or raise %s", most, raise)))
	}
	switch {
	case wishes.MinExecutors > 0:
		return wishes.MinExecutors
	case p.dynamic():
		return min(max(1, p.conf.integer("spark.dynamicAllocation.minExecutors", 0)), most)
	default:
		return most
	}
}

// firstExecutors is how many executors Spark asks for at its start: SchedulerBackendUtils.getInitialTargetExecutorNumber.
func (p *planner) firstExecutors() int64 {
	instances := p.conf.integer("spark.executor.instances", 0)
	if !p.dynamic() {
		return instances
	}
	least := p.conf.integer("spark.dynamicAllocation.minExecutors", 0)
	return max(least, instances, p.conf.integer("spark.dynamicAllocation.initialExecutors", least))
}

// mostExecutors is how many executors Spark asks for at most.
func (p *planner) mostExecutors() int64 {
	if !p.dynamic() {
		return p.firstExecutors()
	}
	return p.conf.integer(maxExecutorsProperty, Unbounded)
}

func (p *planner) dynamic() bool { return p.conf.boolean("spark.dynamicAllocation.enabled") }
