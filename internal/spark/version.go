package spark

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// release is what one minor version of Spark does otherwise than the others when it submits an application. A
// difference is a column here, so that nothing else in the package asks for a version.
type release struct {
	major, minor int

	// floorIsSetting: the least memory overhead can be set, spark.{driver,executor}.minMemoryOverhead.
	floorIsSetting bool
	// claimMode is the access mode of claims that Spark makes itself, unless the older one is asked for.
	claimMode corev1.PersistentVolumeAccessMode
	// filledLabels: {{APP_ID}} stands for the application's ID in labels, and not in annotations alone.
	filledLabels bool
	// subPathExpr: volumes of properties can be mounted at a path made of environment variables.
	subPathExpr bool
	// hostPathType: a volume of kind hostPath has a type.
	hostPathType bool
	// connectPort: the driver's container and Service have the port of Spark Connect.
	connectPort bool
	// connectGRPC: that port of the Service says that it speaks gRPC.
	connectGRPC bool
	// gracePeriod: executors' grace period is the property spark.kubernetes.executor.terminationGracePeriodSeconds,
	// which wins over the pod template's.
	gracePeriod bool
	// pythonVersion: spark.kubernetes.pyspark.pythonVersion is known, though all it may be is 3.
	pythonVersion bool
	// networkPolicy: executors take connections from their own application only.
	networkPolicy bool
	// retainsDecommissioned: fetch failures of blocks that decommissioned executors had count for nothing by default.
	retainsDecommissioned bool
	// deployments: executors can be made by Deployments.
	deployments bool
	// publishNotReady: the driver's Service can list a driver that is not ready.
	publishNotReady bool
	// forbidsEscalation: containers may not gain privileges unless a property says so.
	forbidsEscalation bool
}

// releases are the versions that can be submitted, oldest first. test/conformance has what each made of the same
// applications.
func releases() []release {
	v35 := release{major: 3, minor: 5, claimMode: corev1.ReadWriteOnce, pythonVersion: true}

	v40 := v35
	v40.major, v40.minor = 4, 0
	v40.claimMode = corev1.ReadWriteOncePod
	v40.floorIsSetting, v40.filledLabels, v40.subPathExpr, v40.hostPathType = true, true, true, true
	v40.retainsDecommissioned = true

	v41 := v40
	v41.minor = 1
	v41.connectPort, v41.gracePeriod, v41.pythonVersion = true, true, false

	v42 := v41
	v42.minor = 2
	v42.connectGRPC, v42.networkPolicy, v42.deployments = true, true, true

	v43 := v42
	v43.minor = 3
	v43.publishNotReady, v43.forbidsEscalation = true, true

	return []release{v35, v40, v41, v42, v43}
}

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

func (r release) newerThan(major, minor int) bool {
	return r.major > major || r.major == major && r.minor > minor
}

var versionPattern = regexp.MustCompile(`^v?([0-9]{1,4})\.([0-9]{1,4})(?:[^0-9].*)?$`)

// releaseOf returns the release whose rules an application of the given version follows, and what is to be said about it.
// sparkVersion is free text and often stale, the image being what counts: a version that is not known gets the nearest
// older one, or the first where it is older than that.
func releaseOf(sparkVersion string) (_ release, warning string) {
	path := field.NewPath("spec", "sparkVersion")
	known := releases()
	oldest, latest := known[0], known[len(known)-1]

	match := versionPattern.FindStringSubmatch(strings.TrimSpace(sparkVersion))
	if match == nil {
		return latest, fmt.Sprintf("%s: %q is not a version such as %s.0; taken for %s", path, sparkVersion, latest, latest)
	}
	major, _ := strconv.Atoi(match[1])
	minor, _ := strconv.Atoi(match[2])
	nearest := oldest
	for _, r := range known {
		if !r.newerThan(major, minor) {
			nearest = r
		}
	}
	switch {
	case oldest.newerThan(major, minor):
		warning = fmt.Sprintf("%s: %q is older than what is known (%s to %s); submitted as Spark %s does, which an older image may not understand",
			path, sparkVersion, oldest, latest, nearest)
	case nearest.major != major || nearest.minor != minor:
		warning = fmt.Sprintf("%s: %q is not known; submitted as Spark %s does", path, sparkVersion, nearest)
	}
	return nearest, warning
}
