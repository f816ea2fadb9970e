package spark

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Schedulers that place an application's pods together, as spec.batchScheduler names them.
const (
	volcano       = "volcano"
	yuniKorn      = "yunikorn"
	kubeScheduler = "kube-scheduler" // with the plugin Coscheduling of kubernetes-sigs/scheduler-plugins
)

// What the schedulers find the pods of a group by: KubeGroupNameAnnotationKey in volcano.sh/apis, PodGroupLabel in
// scheduler-plugins, and YuniKorn's "Labels and Annotations".
const (
	volcanoGroup       = "scheduling.k8s.io/group-name"
	coschedulingGroup  = "scheduling.x-k8s.io/pod-group"
	yuniKornQueue      = "queue"
	yuniKornTaskGroup  = "yunikorn.apache.org/task-group-name"
	yuniKornTaskGroups = "yunikorn.apache.org/task-groups"
	driverTasks        = "spark-driver"
	executorTasks      = "spark-executor"
)

// PodGroupKinds are the kinds of the groups that batch schedulers have pods placed by. YuniKorn has none.
func PodGroupKinds() map[string]schema.GroupVersionKind {
	return map[string]schema.GroupVersionKind{
		volcano:       {Group: "scheduling.volcano.sh", Version: "v1beta1", Kind: "PodGroup"},
		kubeScheduler: {Group: "scheduling.x-k8s.io", Version: "v1alpha1", Kind: "PodGroup"},
	}
}

// group marks the application's pods as those of one group, before any is made.
func (p *planner) group() {
	path := field.NewPath("spec", "batchScheduler")
	both := func(key, value string) {
		for _, role := range []string{"driver", "executor"} {
			p.conf.set("spark.kubernetes."+role+"."+key, value, path)
		}
	}
	switch p.app.Spec.BatchScheduler {
	case volcano:
		p.conf.fill("spark.kubernetes.scheduler.name", volcano, path)
		both("annotation."+volcanoGroup, p.names.podGroup)
	case kubeScheduler:
		both("label."+coschedulingGroup, p.names.podGroup)
	case yuniKorn:
		p.conf.fill("spark.kubernetes.scheduler.name", yuniKorn, path)
		if options := p.app.Spec.BatchSchedulerOptions; options != nil && options.Queue != "" {
			both("label."+yuniKornQueue, options.Queue)
		}
		p.conf.set("spark.kubernetes.driver.annotation."+yuniKornTaskGroup, driverTasks, path)
		p.conf.set("spark.kubernetes.executor.annotation."+yuniKornTaskGroup, executorTasks, path)
	}
}

// gang tells the scheduler how much room the driver and its first executors need together. The driver alone is enough to
// begin: its executors come after it, so that to wait for all of them would be to wait for ever.
func (p *planner) gang(plan *Plan, executor *corev1.Pod) error {
	first := p.firstExecutors()
	driver, each := podRequests(plan.Driver), p.executorRequests(executor)
	if p.app.Spec.BatchScheduler == yuniKorn {
		groups, err := json.Marshal(p.taskGroups(plan.Driver, executor, driver, each, first))
		if err != nil {
			return err
		}
		plan.Driver.Annotations[yuniKornTaskGroups] = string(groups)
		return nil
	}
	if kind, ok := PodGroupKinds()[p.app.Spec.BatchScheduler]; ok {
		plan.PodGroup = p.podGroup(kind, sumOf(driver, multiplied(each, first)))
	}
	return nil
}

func (p *planner) podGroup(kind schema.GroupVersionKind, needed corev1.ResourceList) *unstructured.Unstructured {
	spec := map[string]any{"minMember": int64(1)}
	options := v1beta2.BatchSchedulerConfiguration{}
	if p.app.Spec.BatchSchedulerOptions != nil {
		options = *p.app.Spec.BatchSchedulerOptions
	}
	if len(options.Resources) > 0 {
		needed = options.Resources
	}
	least := map[string]any{}
	for name, amount := range needed {
		least[string(name)] = amount.String()
	}
	spec["minResources"] = least
	if options.Queue != "" && p.app.Spec.BatchScheduler == volcano {
		spec["queue"] = options.Queue
	}
	if options.PriorityClassName != "" && p.app.Spec.BatchScheduler == volcano {
		spec["priorityClassName"] = options.PriorityClassName
	}
	group := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	meta := p.meta(p.names.podGroup)
	group.SetGroupVersionKind(kind)
	group.SetName(meta.Name)
	group.SetNamespace(meta.Namespace)
	group.SetLabels(meta.Labels)
	group.SetOwnerReferences(meta.OwnerReferences)
	return group
}

// taskGroup is an entry of YuniKorn's annotation: TaskGroup in the cache of yunikorn-k8shim. It has to say of the pods
// all that decides where they can be, since room is kept by pods that are made after it.
type taskGroup struct {
	Name         string              `json:"name"`
	MinMember    int64               `json:"minMember"`
	MinResource  map[string]string   `json:"minResource"`
	NodeSelector map[string]string   `json:"nodeSelector,omitempty"`
	Tolerations  []corev1.Toleration `json:"tolerations,omitempty"`
	Affinity     *corev1.Affinity    `json:"affinity,omitempty"`
}

func (p *planner) taskGroups(driver, executor *corev1.Pod, one, each corev1.ResourceList, first int64) []taskGroup {
	groups := []taskGroup{newTaskGroup(driverTasks, 1, one, driver)}
	if first > 0 { // a group of none is refused
		selecting := executor.DeepCopy()
		selecting.Spec.NodeSelector = merged(selecting.Spec.NodeSelector,
			p.conf.under("spark.kubernetes.node.selector."), p.conf.under("spark.kubernetes.executor.node.selector."))
		groups = append(groups, newTaskGroup(executorTasks, first, each, selecting))
	}
	return groups
}

func newTaskGroup(name string, members int64, each corev1.ResourceList, pod *corev1.Pod) taskGroup {
	least := map[string]string{}
	for resource, amount := range each {
		least[string(resource)] = amount.String()
	}
	return taskGroup{
		Name: name, MinMember: members, MinResource: least,
		NodeSelector: pod.Spec.NodeSelector, Tolerations: pod.Spec.Tolerations, Affinity: pod.Spec.Affinity,
	}
}

func validateBatch(app *v1beta2.SparkApplication) field.ErrorList {
	path := field.NewPath("spec", "batchScheduler")
	switch app.Spec.BatchScheduler {
	case "", volcano, yuniKorn, kubeScheduler:
		return nil
	case "kueue":
		return field.ErrorList{field.Invalid(path, "kueue",
			"is not needed: Kueue suspends and resumes the application itself; leave it out, and name the queue in the label kueue.x-k8s.io/queue-name of the application")}
	}
	return field.ErrorList{field.NotSupported(path, app.Spec.BatchScheduler, []string{volcano, yuniKorn, kubeScheduler})}
}

// idleBatch are options that the scheduler named has no use for.
func idleBatch(app *v1beta2.SparkApplication) []string {
	options := app.Spec.BatchSchedulerOptions
	if options == nil {
		return nil
	}
	said := map[string]bool{
		"queue":             options.Queue != "",
		"priorityClassName": options.PriorityClassName != "",
		"resources":         len(options.Resources) > 0,
	}
	used := map[string][]string{volcano: {"queue", "priorityClassName", "resources"}, yuniKorn: {"queue"}, kubeScheduler: {"resources"}}
	var warnings []string
	for _, option := range slices.Sorted(maps.Keys(said)) {
		if said[option] && !slices.Contains(used[app.Spec.BatchScheduler], option) {
			warnings = append(warnings, "spec.batchSchedulerOptions."+option+": has no effect; spec.batchScheduler is "+strconv.Quote(app.Spec.BatchScheduler))
		}
	}
	return warnings
}
