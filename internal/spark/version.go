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
	// connectPort: the driver's container and Service have the port of Spark Connect.
	connectPort bool
	// gracePeriod: executors' grace period is the property spark.kubernetes.executor.terminationGracePeriodSeconds,
	// which wins over the pod template's.
	gracePeriod bool
	// pythonVersion: spark.kubernetes.pyspark.pythonVersion is known, though all it may be is 3.
	pythonVersion bool
	// networkPolicy: executors take connections from their own application only.
	networkPolicy bool
	// proxySparkUser: SPARK_USER is the user that the application acts as, where there is one.
	proxySparkUser bool
	// publishNotReady: the driver's Service can list a driver that is not ready.
	publishNotReady bool
}

// releases are the versions that can be submitted, oldest first.
func releases() []release {
	return []release{
		{major: 3, minor: 5, claimMode: corev1.ReadWriteOnce, pythonVersion: true},
		{major: 4, minor: 0, claimMode: corev1.ReadWriteOncePod, pythonVersion: true, floorIsSetting: true},
		{
			major: 4, minor: 1, claimMode: corev1.ReadWriteOncePod, floorIsSetting: true, connectPort: true,
			gracePeriod: true,
		},
		{
			major: 4, minor: 2, claimMode: corev1.ReadWriteOncePod, floorIsSetting: true, connectPort: true,
			gracePeriod: true, networkPolicy: true,
		},
		{
			major: 4, minor: 3, claimMode: corev1.ReadWriteOncePod, floorIsSetting: true, connectPort: true,
			gracePeriod: true, networkPolicy: true, proxySparkUser: true, publishNotReady: true,
		},
	}
}

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

func (r release) newerThan(major, minor int) bool {
	return r.major > major || r.major == major && r.minor > minor
}

var versionPattern = regexp.MustCompile(`^v?([0-9]{1,4})\.([0-9]{1,4})(?:[^0-9].*)?$`)

// releaseOf returns the release whose rules an application of the given version follows. sparkVersion is free text and
// often stale, so that a version from between two known ones, or from after the last, gets the nearest older one and a
// warning. A version from before the first is refused: its driver would not understand what is made for it.
func releaseOf(sparkVersion string) (_ release, warning string, _ *field.Error) {
	path := field.NewPath("spec", "sparkVersion")
	known := releases()
	oldest, latest := known[0], known[len(known)-1]

	match := versionPattern.FindStringSubmatch(strings.TrimSpace(sparkVersion))
	if match == nil {
		return latest, fmt.Sprintf("%s: %q is not a version such as %s.0; taken for %s", path, sparkVersion, latest, latest), nil
	}
	major, _ := strconv.Atoi(match[1])
	minor, _ := strconv.Atoi(match[2])
	if oldest.newerThan(major, minor) {
		return release{}, "", field.Invalid(path, sparkVersion,
			fmt.Sprintf("is older than what Brazier submits (%s to %s); use an image of one of those", oldest, latest))
	}
	nearest := oldest
	for _, r := range known {
		if !r.newerThan(major, minor) {
			nearest = r
		}
	}
	if nearest.major != major || nearest.minor != minor {
		warning = fmt.Sprintf("%s: %q is not known; submitted as Spark %s does", path, sparkVersion, nearest)
	}
	return nearest, warning, nil
}
