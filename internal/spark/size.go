package spark

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podresource "k8s.io/component-helpers/resource"
)

// What an application takes of a cluster is known here, from what Spark will ask for: a scheduler of whole applications
// that reads "1g" as Kubernetes does, or leaves the overhead out, admits what then does not fit.

// executorMemory is what an executor's container requests and may use at most, in MiB:
// ResourceProfile.getResourcesForClusterManager and BasicExecutorFeatureStep.
func (p *planner) executorMemory() int64 {
	heap := p.conf.miB("spark.executor.memory", 1024)
	floor := int64(overheadFloorMiB)
	if p.release.floorIsSetting {
		floor = p.conf.miB("spark.executor.minMemoryOverhead", floor)
	}
	factor := p.conf.number("spark.executor.memoryOverheadFactor", p.overheadFactor())
	overhead := p.conf.miB("spark.executor.memoryOverhead", memoryOverhead(heap, factor, floor))
	return heap + overhead + p.executorMemoryOutside()
}

// executorMemoryOutside is what an executor has outside its heap and its overhead, in MiB.
func (p *planner) executorMemoryOutside() int64 {
	var outside int64
	if p.conf.boolean("spark.memory.offHeap.enabled") {
		outside += p.conf.bytes("spark.memory.offHeap.size") / bytesPerMiB
	}
	if resourceType(p.app) == "python" {
		outside += p.conf.miB("spark.executor.pyspark.memory", 0)
	}
	return outside
}

// allowExecutorMemory follows spec.executor.memoryLimit. Spark makes the limit of an executor's memory its request, so
// that the only way to a higher limit is a higher overhead, and the executor requests that as well.
func (p *planner) allowExecutorMemory() {
	text := p.app.Spec.Executor.MemoryLimit
	if text == "" {
		return
	}
	request := *resource.NewQuantity(p.executorMemory()*bytesPerMiB, resource.BinarySI)
	limit := p.memoryLimit(executorRole(p.app), text, request)
	if limit.Cmp(request) <= 0 {
		return
	}
	path := field.NewPath("spec", "executor", "memoryLimit")
	overhead := limit.Value()/bytesPerMiB - p.executorMemoryOutside() - p.conf.miB("spark.executor.memory", 1024)
	p.conf.set("spark.executor.memoryOverhead", resource.NewQuantity(overhead, resource.DecimalSI).String()+"m", path)
	p.warnings = append(p.warnings, path.String()+": executors request all of "+text+", since Spark makes the limit of their memory their request")
}

// executorRequests are what one executor's pod requests, with the other containers of its template.
func (p *planner) executorRequests(template *corev1.Pod) corev1.ResourceList {
	pod := template.DeepCopy()
	p.executorResources(&pod.Spec.Containers[0].Resources)
	return podRequests(pod)
}

// executorShare is the CPU and the memory that Spark's driver has an executor's container request.
func (p *planner) executorShare() corev1.ResourceList {
	cpu, ok := p.conf.quantity("spark.kubernetes.executor.request.cores")
	if !ok {
		cpu = *resource.NewQuantity(p.conf.integer("spark.executor.cores", 1), resource.DecimalSI)
	}
	return corev1.ResourceList{
		corev1.ResourceCPU:    cpu,
		corev1.ResourceMemory: *resource.NewQuantity(p.executorMemory()*bytesPerMiB, resource.BinarySI),
	}
}

// podRequests are what pod requests once the API server has it, which requests what a container only limits to the same
// amount: SetDefaults_Pod.
func podRequests(pod *corev1.Pod) corev1.ResourceList {
	pod = pod.DeepCopy()
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range containers {
			r := &containers[i].Resources
			requests := corev1.ResourceList{}
			maps.Copy(requests, r.Limits)
			maps.Copy(requests, r.Requests)
			r.Requests = requests
		}
	}
	return podresource.PodRequests(pod, podresource.PodResourcesOptions{})
}

// devices are the resources, such as GPUs, that properties under prefix ask for: KubernetesConf's resource requests.
func (p *planner) devices(prefix string) map[corev1.ResourceName]resource.Quantity {
	found := map[corev1.ResourceName]resource.Quantity{}
	for _, name := range resourceNames(p.conf, prefix) {
		key := prefix + name
		vendor := p.conf.get(key + ".vendor")
		if vendor == "" {
			p.conf.invalid(key+".amount", "has no vendor beside it; set "+key+".vendor, for example to nvidia.com")
		}
		found[corev1.ResourceName(vendor+"/"+name)] = *resource.NewQuantity(p.conf.integer(key+".amount", 0), resource.DecimalSI)
	}
	return found
}

// multiplied is n times as much.
func multiplied(list corev1.ResourceList, n int64) corev1.ResourceList {
	all := corev1.ResourceList{}
	for name, amount := range list {
		if name == corev1.ResourceCPU {
			all[name] = *resource.NewMilliQuantity(amount.MilliValue()*n, amount.Format)
		} else {
			all[name] = *resource.NewQuantity(amount.Value()*n, amount.Format)
		}
	}
	return all
}

func sumOf(a, b corev1.ResourceList) corev1.ResourceList {
	sum := a.DeepCopy()
	for name, amount := range b {
		total := sum[name]
		total.Add(amount)
		sum[name] = total
	}
	return sum
}

// bytes reads a size that is in bytes where it has no unit.
func (s *settings) bytes(key string) int64 {
	text := strings.TrimSpace(s.values[key])
	if strings.Trim(text, "0123456789") == "" && text != "" {
		return s.integer(key, 0)
	}
	return s.miB(key, 0) * bytesPerMiB
}
