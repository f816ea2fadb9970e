package spark

import (
	"strings"

	"brazier.sh/brazier/api/v1beta2"
)

// Allocator is how Spark's driver makes executors: spark.kubernetes.allocation.pods.allocator.
type Allocator string

// Spark's own allocators. The first is its default.
const (
	DirectAllocator      Allocator = "direct"
	StatefulSetAllocator Allocator = "statefulset"
	DeploymentAllocator  Allocator = "deployment" // since 4.2
)

const (
	allocatorProperty = "spark.kubernetes.allocation.pods.allocator"
	deleteProperty    = "spark.kubernetes.executor.deleteOnTermination"
)

// AllocatorOf returns how the executors of app are made.
func AllocatorOf(app *v1beta2.SparkApplication, platform Platform) Allocator {
	if said, ok := property(app, platform, allocatorProperty); ok {
		return Allocator(said)
	}
	return DirectAllocator
}

// KeepsExecutors reports whether the pods of executors that have ended are to be kept.
func KeepsExecutors(app *v1beta2.SparkApplication, platform Platform) bool {
	if remove := app.Spec.Executor.DeleteOnTermination; remove != nil {
		return !*remove
	}
	said, _ := property(app, platform, deleteProperty)
	return said == "false"
}

// property returns what app, or else the platform, says of a property that has no field.
func property(app *v1beta2.SparkApplication, platform Platform, key string) (string, bool) {
	for _, conf := range []map[string]string{app.Spec.SparkConf, platform.SparkConf} {
		if said, ok := conf[key]; ok {
			return said, true
		}
	}
	return "", false
}

// checkAllocator finds one that the driver would look for in vain when it starts. What has a dot is a class of the
// application's.
func (p *planner) checkAllocator() {
	said := p.conf.get(allocatorProperty)
	switch Allocator(said) {
	case "", DirectAllocator, StatefulSetAllocator:
		return
	case DeploymentAllocator:
		if !p.release.deployments {
			p.conf.invalid(allocatorProperty, "is not known to Spark "+p.release.String()+", but from 4.2 on; use statefulset or direct")
		}
		return
	}
	if !strings.Contains(said, ".") {
		p.conf.invalid(allocatorProperty, "is neither an allocator nor a class; write direct, statefulset or deployment")
	}
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
