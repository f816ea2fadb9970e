package diagnose

import (
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// exitNoLocalDirectory is SparkExitCode.DISK_STORE_FAILED_TO_CREATE_DIR.
const exitNoLocalDirectory = 53

// scratchDiskFull finds pods that ran out of room for what Spark writes to its local directories: shuffles, spills, cached
// blocks.
func scratchDiskFull() rule {
	return rule{code: "scratch-disk-full", find: func(c *Case) (v1alpha1.Cause, bool) {
		all, seen := c.evictedFor(evictedForStorage)
		why := ""
		if len(all) > 0 {
			why = storageWhy(all[0], seen)
		}
		others := append(c.noSpaceLeft(), c.ended(func(container *v1alpha1.Container, end *v1alpha1.ContainerEnd) bool {
			return !container.Init && (end.ExitCode == exitNoLocalDirectory || end.ExitCode != 0 && strings.Contains(end.Message, noSpace))
		})...).sorted()
		if why == "" && len(others) > 0 {
			why = sentence("%s could not write to a local directory: no space is left on it.", others.who())
			if !strings.Contains(others[0].text, noSpace) {
				why = sentence("%s could not make a local directory for what Spark writes to disk.", others.who())
			}
		}
		seen = append(seen, others...)
		if len(seen) == 0 || c.survived(seen) {
			return v1alpha1.Cause{}, false
		}
		cause := seen.cause(surely(seen), why, scratchFixes(seen)...)
		if len(all) > 0 || strings.Contains(seen[0].text, noSpace) {
			cause.Confidence = v1alpha1.ConfidenceHigh
		}
		if seen[0].pod != nil {
			cause.Node = seen[0].pod.Node
		}
		return cause, true
	}}
}

// noSpace is ENOSPC as the C library, and so the JVM and Python, call it.
const noSpace = "No space left on device"

// noSpaceLeft are lines of logs, of runs that have not got over it.
func (c *Case) noSpaceLeft() sightings {
	var all sightings
	for _, f := range c.lines(noSpace) {
		if c.isStale(f) {
			continue
		}
		proof := f.proof()
		proof.Text = brief(proof.Text)
		all = append(all, sighting{pod: c.podNamed(f.log.Pod), text: textOf(f), at: timeOf(f), proof: proof})
	}
	return all
}

func storageWhy(e eviction, seen sightings) string {
	who := seen.who()
	if match := overVolumeSize.FindStringSubmatch(e.message); match != nil {
		return sentence("%s was evicted: its volume %s holds more than its limit of %s.", who, match[1], match[2])
	}
	if match := overOwnLimit.FindStringSubmatch(e.message); match != nil {
		return sentence("%s was evicted: the container %s wrote more than its limit of %s ephemeral storage.", who, match[1], match[2])
	}
	if match := overPodLimit.FindStringSubmatch(e.message); match != nil {
		return sentence("%s was evicted: it wrote more than its limit of %s ephemeral storage.", who, match[1])
	}
	container, using, _ := e.muchStorage()
	return sentence("%s was evicted when its node's disk ran full: %s had written %s to it.", who, container, using)
}

// scratchFixes put local directories on a claim of their own: volumes called spark-local-dir-N are used for nothing else
// (LocalDirsFeatureStep).
func scratchFixes(seen sightings) []v1alpha1.Fix {
	volume := "spark.kubernetes." + seen.section() + ".volumes.persistentVolumeClaim.spark-local-dir-1"
	return []v1alpha1.Fix{
		lookAt("See how much disk the nodes have.", "kubectl describe nodes"),
		edit("Give each pod a volume claim for its local directories.", `
spec:
  sparkConf:
    `+volume+`.options.claimName: OnDemand
    `+volume+`.options.storageClass: CLASS
    `+volume+`.options.sizeLimit: 100Gi
    `+volume+`.mount.path: /data
    `+volume+`.mount.readOnly: "false"
`),
		edit("Write less: more partitions spill less each, and columns and rows that are not needed can go before the shuffle.",
			"spec:\n  sparkConf:\n    spark.sql.shuffle.partitions: \"800\"\n"),
	}
}
