package spark

import "brazier.sh/brazier/api/v1beta2"

// Allocator is how Spark's driver makes executors: spark.kubernetes.allocation.pods.allocator.
type Allocator string

// Spark's own allocators. The first is its default.
const (
	DirectAllocator      Allocator = "direct"
	StatefulSetAllocator Allocator = "statefulset"
	DeploymentAllocator  Allocator = "deployment" // since 4.2
)

const allocatorProperty = "spark.kubernetes.allocation.pods.allocator"

// AllocatorOf returns how the executors of app are made.
func AllocatorOf(app *v1beta2.SparkApplication, platform Platform) Allocator {
	for _, conf := range []map[string]string{app.Spec.SparkConf, platform.SparkConf} {
		if said, ok := conf[allocatorProperty]; ok {
			return Allocator(said)
		}
	}
	return DirectAllocator
}

// SetPrefix returns what the names of the allocator's sets for an application begin with; each ends with the ID of a
// resource profile (setName in StatefulSetPodsAllocator and DeploymentPodsAllocator). The direct allocator has no sets.
func (a Allocator) SetPrefix(appID string) string {
	switch a {
	case StatefulSetAllocator:
		return "spark-s-" + appID + "-"
	case DeploymentAllocator:
		return "spark-d-" + appID + "-"
	default:
		return ""
	}
}
