package spark

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// Queue is the queue that a run is in, and what it was given there. A run that was not let in yet can be planned as well:
// such a plan says what the run asks for, and what is wrong with it.
type Queue struct {
	// Name is the queue's.
	Name string
	// Driver is the flavour of nodes on which the driver was let in.
	Driver brazierv1alpha1.Flavour
	// MaxExecutors is how many executors the queue could ever give the run, for dynamic allocation that has no maximum of its
	// own; 0 where nobody knows.
	MaxExecutors int64
	// MaxPending is how many executors of the run may wait for nodes, or for their queue to let them go, at once. It is raised
	// to the run's minimum. Default: that.
	MaxPending int64
	// Pack has executors run where others do, as far as there is room, so that other nodes become empty.
	Pack bool
}

const (
	maxExecutorsProperty = "spark.dynamicAllocation.maxExecutors"
	// since 3.2
	maxPendingProperty   = "spark.kubernetes.allocation.maxPendingPods"
	registeredProperty   = "spark.scheduler.minRegisteredResourcesRatio"
	decommissionProperty = "spark.decommission.enabled"
	// Fetch failures of blocks that decommissioned executors had count for nothing as long as the driver remembers those
	// executors. It does not, unless it is told how many.
	retainedProperty = "spark.scheduler.maxRetainedRemovedDecommissionExecutors"
	retained         = "1000"
)

// enqueue has executors wait at the gate of the run's queue until it lets them go, and give back gracefully what it takes
// back. What the application says itself of its properties stays.
func (p *planner) enqueue(executor *corev1.Pod) {
	if p.queue == nil {
		return
	}
	p.checkQueued()
	p.conf.set("spark.kubernetes.executor.label."+brazierv1alpha1.LabelQueue, p.queue.Name, nil)
	gate := corev1.PodSchedulingGate{Name: brazierv1alpha1.SchedulingGate}
	if !slices.Contains(executor.Spec.SchedulingGates, gate) {
		executor.Spec.SchedulingGates = append(executor.Spec.SchedulingGates, gate)
	}
	if p.queue.Pack {
		pack(executor)
	}
	p.boundExecutors()
	p.begin()
	p.decommission(executor)
}

// pack has an executor prefer nodes that have executors of queues, whosesoever, over others: any scheduler knows affinity,
// while filling nodes up one after the other needs a profile of its own. Where the application has a say on affinity, that
// comes beside it.
func pack(executor *corev1.Pod) {
	affinity := executor.Spec.Affinity.DeepCopy() // it may be the application's own
	if affinity == nil {
		affinity = new(corev1.Affinity)
	}
	executor.Spec.Affinity = affinity
	if affinity.PodAffinity == nil {
		affinity.PodAffinity = new(corev1.PodAffinity)
	}
	terms := &affinity.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	*terms = append(*terms, corev1.WeightedPodAffinityTerm{Weight: 100, PodAffinityTerm: corev1.PodAffinityTerm{
		TopologyKey: corev1.LabelHostname, NamespaceSelector: new(metav1.LabelSelector),
		LabelSelector: &metav1.LabelSelector{
			MatchLabels:      map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor},
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: brazierv1alpha1.LabelQueue, Operator: metav1.LabelSelectorOpExists}},
		},
	}})
}

// boundExecutors keeps the driver from making more executors than can be let go. By itself it makes one for each task that
// waits, all at once.
func (p *planner) boundExecutors() {
	minimum := p.minimumExecutors()
	p.conf.fill(maxPendingProperty, strconv.FormatInt(max(1, p.queue.MaxPending, minimum), 10), nil)
	if p.dynamic() && p.queue.MaxExecutors > 0 {
		p.conf.fill(maxExecutorsProperty, strconv.FormatInt(max(p.queue.MaxExecutors, minimum, p.firstExecutors()), 10), nil)
	}
}

// begin has a driver that may begin with some of its executors not wait for the others, half a minute by default:
// KubernetesClusterSchedulerBackend.sufficientResourcesRegistered.
func (p *planner) begin() {
	minimum, first := p.minimumExecutors(), p.firstExecutors()
	if minimum >= first {
		return
	}
	ratio := math.Floor(float64(minimum)*10_000/float64(first)) / 10_000
	p.conf.fill(registeredProperty, strconv.FormatFloat(ratio, 'f', -1, 64), nil)
}

// decommission has executors that are told to go hand over what they hold.
func (p *planner) decommission(executor *corev1.Pod) {
	if !p.conf.has(decommissionProperty) && executor.Spec.Containers[0].Lifecycle != nil {
		p.warnings = append(p.warnings, fmt.Sprintf("spec.executor: executors that queue %q takes back lose what they hold, since they have a "+
			"lifecycle hook where Spark would put its own; leave it out", p.queue.Name))
		return
	}
	p.conf.fill(decommissionProperty, "true", nil)
	if !p.conf.boolean(decommissionProperty) {
		p.warnings = append(p.warnings, fmt.Sprintf("%s: executors that queue %q takes back lose what they hold; leave it out",
			p.conf.said[decommissionProperty], p.queue.Name))
		return
	}
	for _, blocks := range []string{"enabled", "rddBlocks.enabled", "shuffleBlocks.enabled"} {
		p.conf.fill("spark.storage.decommission."+blocks, "true", nil)
	}
	if p.release.retainsDecommissioned {
		p.conf.fill(retainedProperty, retained, nil)
	}
}

// checkQueued finds what a queue has no hold of.
func (p *planner) checkQueued() {
	if allocator := p.conf.get(allocatorProperty); allocator != "" && Allocator(allocator) != DirectAllocator {
		p.conf.invalid(allocatorProperty, fmt.Sprintf("makes executors that queue %q can neither hold back nor take back; write direct, "+
			"or take the application out of the queue", p.queue.Name))
	}
	for _, r := range []role{driverRole(p.app), executorRole(p.app)} {
		if template := r.spec.Template; template != nil && template.Spec.NodeName != "" {
			p.conf.errs = append(p.conf.errs, field.Invalid(r.path.Child("template", "spec", "nodeName"), template.Spec.NodeName,
				fmt.Sprintf("names a node, and which nodes there are for it queue %q says; leave it out", p.queue.Name)))
		}
	}
}

// checkQueueLabel finds roles that say of themselves which queue they are in: pods are counted by that label.
func (p *planner) checkQueueLabel() {
	const name, why = brazierv1alpha1.LabelQueue, "is a label of the whole application; write it into metadata.labels"
	for _, r := range []role{driverRole(p.app), executorRole(p.app)} {
		if key := "spark.kubernetes." + r.name + ".label." + name; p.conf.has(key) {
			p.conf.errs = append(p.conf.errs, field.Forbidden(p.conf.said[key], why))
		}
		if template := r.spec.Template; template != nil && template.Labels[name] != "" {
			p.conf.errs = append(p.conf.errs, field.Forbidden(r.path.Child("template", "metadata", "labels").Key(name), why))
		}
	}
}

// admit binds the driver to nodes of the flavour on which its queue has let it in. Its label is no property, since the
// driver's Service selects by those and the application can move to another queue.
func (p *planner) admit(driver *corev1.Pod) {
	if p.queue == nil {
		return
	}
	driver.Labels[brazierv1alpha1.LabelQueue] = p.queue.Name
	flavour := p.queue.Driver
	p.checkFlavour(driver.Spec.NodeSelector)
	driver.Spec.NodeSelector = merged(driver.Spec.NodeSelector, flavour.NodeLabels)
	for _, toleration := range flavour.Tolerations {
		has := func(t corev1.Toleration) bool { return apiequality.Semantic.DeepEqual(t, toleration) }
		if !slices.ContainsFunc(driver.Spec.Tolerations, has) {
			driver.Spec.Tolerations = append(driver.Spec.Tolerations, *toleration.DeepCopy())
		}
	}
}

// checkFlavour finds labels that the driver wants of its node, and those of the flavour have otherwise.
func (p *planner) checkFlavour(selector map[string]string) {
	flavour := p.queue.Driver
	for label, value := range flavour.NodeLabels {
		wanted, ok := selector[label]
		if !ok || wanted == value {
			continue
		}
		p.conf.errs = append(p.conf.errs, field.Invalid(p.selectorPath(label), wanted, fmt.Sprintf("is not what nodes of the flavour %q have, "+
			"on which queue %q lets the driver in: they have %q; leave it out, or choose a queue with such nodes", flavour.Name, p.queue.Name, value)))
	}
}

// selectorPath is where the application says what label the driver wants of its node.
func (p *planner) selectorPath(label string) *field.Path {
	for _, key := range []string{"spark.kubernetes.driver.node.selector." + label, "spark.kubernetes.node.selector." + label} {
		if p.conf.has(key) {
			return p.conf.said[key]
		}
	}
	return driverRole(p.app).path.Child("template", "spec", "nodeSelector").Key(label)
}
