package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// DAGScheduler.handleTaskCompletion of a FetchFailed.
	stageGivenUp = lazily(`ShuffleMapStage \d+ \(([^)]*)\) has failed the maximum allowable number of times: (\d+)|(?:ResultStage|ShuffleMapStage) \d+ .*has failed the maximum allowable number of times: (\d+)`)
	fetchFailed  = lazily(`FetchFailed(?:Exception)?\b|Missing an output location for shuffle|MetadataFetchFailedException`)
)

// shuffleLost finds stages that were given up since what others had written for them was gone. Something has ended the
// executors that had it.
func shuffleLost() rule {
	follows := append(endedPods(), "executor-out-of-memory", "executor-heap-out-of-memory", "native-crash", "executor-silent")
	return rule{code: "shuffle-lost", follows: follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		lines := c.fatal()
		first, _, ok := firstMatch(lines, fetchFailed)
		if !ok {
			return v1alpha1.Cause{}, false // a stage is given up for a barrier task too
		}
		f, match, ok := firstMatch(lines, stageGivenUp)
		why := "A stage could not fetch what earlier tasks had written: the executors that had it, or their files, were gone."
		if ok {
			why = fmt.Sprintf("A stage was given up that could not fetch what earlier tasks had written (attempts: %s): the executors that had it, or their files, were gone.", firstOf(match[2:]))
		} else {
			f = first
		}
		cause := told(f, why, c.driverLog(),
			change("Let executors that are to go hand over what they have.",
				"spec:\n  sparkConf:\n    spark.decommission.enabled: \"true\"\n    spark.storage.decommission.enabled: \"true\"\n    spark.storage.decommission.shuffleBlocks.enabled: \"true\"\n"))
		cause.Transient = true
		return cause, true
	}}
}
