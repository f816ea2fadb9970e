package diagnose

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
)

const bytesPerMiB = 1 << 20

// heapMiB is the heap of a role's JVM; 0 if the application is not known. Spark's own default is 1g for both.
func (c *Case) heapMiB(role v1alpha1.Role) int64 {
	if c.Application == nil {
		return 0
	}
	size := c.podSpec(role).Memory
	if size == "" {
		size = c.conf("spark." + string(role) + ".memory")
	}
	if size == "" {
		size = "1g"
	}
	miB, err := spark.MiB(size)
	if err != nil {
		return 0
	}
	return miB
}

// podSpec is what the application says of a role's pods; the application is known.
func (c *Case) podSpec(role v1alpha1.Role) *v1beta2.SparkPodSpec {
	if role == v1alpha1.RoleDriver {
		return &c.Application.Spec.Driver.SparkPodSpec
	}
	return &c.Application.Spec.Executor.SparkPodSpec
}

// conf is a property of the application; empty if it sets none or is not known.
func (c *Case) conf(key string) string {
	if c.Application == nil {
		return ""
	}
	return c.Application.Spec.SparkConf[key]
}

func (c *Case) python() bool {
	return c.Application != nil && c.Application.Spec.Type == v1beta2.SparkApplicationTypePython
}

// overheadMiB is the memory beside the heap: what the limit of the container leaves, or what the application asks for;
// 0 if neither is known.
func (c *Case) overheadMiB(role v1alpha1.Role, limit *resource.Quantity) int64 {
	heap := c.heapMiB(role)
	if limit != nil && heap > 0 && limit.Value()/bytesPerMiB > heap {
		return limit.Value()/bytesPerMiB - heap
	}
	if c.Application == nil {
		return 0
	}
	if miB, err := spark.MiB(c.podSpec(role).MemoryOverhead); err == nil {
		return miB
	}
	return 0
}

// nextMiB is the next size to try: half as much again, and 512 MiB more at least, in steps of 256 MiB.
func nextMiB(miB int64) int64 {
	const step = 256
	return (max(miB+miB/2, miB+2*step) + step - 1) / step * step
}

// size is an amount in MiB as a person would write it.
func size(miB int64) string {
	if miB%1024 == 0 {
		return fmt.Sprintf("%d GiB", miB/1024)
	}
	return fmt.Sprintf("%d MiB", miB)
}
