package spark

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Spark reads a size that has no unit in the unit of its property; for memory that is MiB (bytesConf(ByteUnit.MiB)).
const bytesPerMiB = 1 << 20

var (
	// JavaUtils.byteStringAs in common/utils, after lower-casing and trimming.
	sizePattern = regexp.MustCompile(`^([0-9]+)([a-z]+)?$`)
	// What the JVM takes behind -Xmx; spark-submit hands spark.driver.memory over as it is written.
	heapPattern = regexp.MustCompile(`^[0-9]+[kmgtKMGT]$`)

	errNotASize = errors.New("is not a size that Spark reads; write 1g or 1024m")
)

// parseMiB reads a size as Spark does and returns it in whole MiB. Units count in powers of two, with or without a
// trailing b; what is smaller than a MiB is cut off (ByteUnit.convertTo).
func parseMiB(size string) (int64, error) {
	match := sizePattern.FindStringSubmatch(strings.TrimSpace(strings.ToLower(size)))
	if match == nil {
		return 0, errNotASize
	}
	n, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return 0, errNotASize
	}
	switch match[2] {
	case "b":
		return n / bytesPerMiB, nil
	case "k", "kb":
		return n / 1024, nil
	case "", "m", "mb":
		return n, nil
	case "g", "gb":
		return scale(n, 1<<10)
	case "t", "tb":
		return scale(n, 1<<20)
	case "p", "pb":
		return scale(n, 1<<30)
	}
	return 0, errNotASize
}

func scale(n, by int64) (int64, error) {
	if n > math.MaxInt64/by {
		return 0, errNotASize
	}
	return n * by, nil
}

// heapSize returns size in a form that both Spark and the JVM read. Spark takes 1gb or a bare 1024 for
// spark.driver.memory, but starts the driver's JVM with -Xmx and the same text, which then refuses to start.
func heapSize(size string, miB int64) string {
	if heapPattern.MatchString(size) {
		return size
	}
	return fmt.Sprintf("%dm", miB)
}

// memoryOverhead returns the memory, in MiB, that Spark adds to a heap of heapMiB for everything that is not heap.
// Spark takes the larger of the factor's share and a floor: BasicDriverFeatureStep, ResourceProfile.calculateOverHeadMemory.
func memoryOverhead(heapMiB int64, factor float64, floorMiB int64) int64 {
	return max(int64(factor*float64(heapMiB)), floorMiB)
}

// MiB reads a size as Spark does, in whole MiB.
func MiB(size string) (int64, error) { return parseMiB(size) }
