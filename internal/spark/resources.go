package spark

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The JVM and Python applications differ in how much memory they need beside the heap: MEMORY_OVERHEAD_FACTOR and
// NON_JVM_MEMORY_OVERHEAD_FACTOR in Spark's Kubernetes module.
const (
	overheadFactorJVM   = 0.1
	overheadFactorOther = 0.4
	overheadFloorMiB    = 384
)

// driverResources sets what the driver's container requests and may use, over the template's.
func (p *planner) driverResources(r *corev1.ResourceRequirements) {
	heap := p.conf.miB("spark.driver.memory", 1024)
	memory := *resource.NewQuantity((heap+p.driverOverhead(heap))*bytesPerMiB, resource.BinarySI)
	cpu, ok := p.conf.quantity("spark.kubernetes.driver.request.cores")
	if !ok {
		cpu = *resource.NewQuantity(p.conf.integer("spark.driver.cores", 1), resource.DecimalSI)
	}
	if r.Requests == nil {
		r.Requests = corev1.ResourceList{}
	}
	if r.Limits == nil {
		r.Limits = corev1.ResourceList{}
	}
	r.Requests[corev1.ResourceCPU], r.Requests[corev1.ResourceMemory] = cpu, memory
	r.Limits[corev1.ResourceMemory] = memory
	if limit, ok := p.conf.quantity("spark.kubernetes.driver.limit.cores"); ok {
		if limit.Cmp(cpu) < 0 {
			p.conf.invalid("spark.kubernetes.driver.limit.cores", "is less than the "+cpu.String()+" that the driver requests; raise it or lower coreRequest")
		}
		r.Limits[corev1.ResourceCPU] = limit
	}
	if limit := p.app.Spec.Driver.MemoryLimit; limit != "" {
		r.Limits[corev1.ResourceMemory] = p.memoryLimit(driverRole(p.app), limit, memory)
	}
	maps.Copy(r.Limits, p.devices("spark.driver.resource."))
}

// driverOverhead is the driver's memory beside its heap, in MiB.
func (p *planner) driverOverhead(heap int64) int64 {
	floor := int64(overheadFloorMiB)
	if p.release.floorIsSetting {
		floor = p.conf.miB("spark.driver.minMemoryOverhead", floor)
	}
	factor := p.conf.number("spark.driver.memoryOverheadFactor", p.overheadFactor())
	return p.conf.miB("spark.driver.memoryOverhead", memoryOverhead(heap, factor, floor))
}

// overheadFactor is the share of both roles unless a role has one of its own.
func (p *planner) overheadFactor() float64 {
	if isJVM(p.app) {
		return p.conf.number("spark.kubernetes.memoryOverheadFactor", overheadFactorJVM)
	}
	return p.conf.number("spark.kubernetes.memoryOverheadFactor", overheadFactorOther)
}

// memoryLimit reads a role's memoryLimit, which may be a size of Spark's or a quantity of Kubernetes'.
func (p *planner) memoryLimit(r role, text string, request resource.Quantity) resource.Quantity {
	path := r.path.Child("memoryLimit")
	limit, err := resource.ParseQuantity(text)
	if miB, sizeErr := parseMiB(text); sizeErr == nil {
		limit, err = *resource.NewQuantity(miB*bytesPerMiB, resource.BinarySI), nil
	}
	switch {
	case err != nil:
		p.conf.errs = append(p.conf.errs, field.Invalid(path, text, "is not a size; write for example 2g or 2Gi"))
	case limit.Cmp(request) < 0:
		p.conf.errs = append(p.conf.errs, field.Invalid(path, text,
			"is less than memory with memoryOverhead, "+request.String()+"; raise it or leave it out"))
	}
	return limit
}

// resourceNames are the names of the resources, such as gpu, that a role asks for.
func resourceNames(conf *settings, prefix string) []string {
	var found []string
	for key := range conf.under(prefix) {
		if name, ok := strings.CutSuffix(key, ".amount"); ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}
