package diagnose

import (
	"fmt"
	"strconv"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// QueryExecutionErrors.executeBroadcastTimeoutError.
	broadcastTime = lazily(`Could not execute broadcast in (\d+) secs`)
	// BroadcastExchangeExec, and QueryExecutionErrors.cannotBroadcastTableOverMaxTableBytesError.
	broadcastSize = lazily(`Cannot broadcast the table that is larger than ([^:]+): (.+?)\.?$|Cannot broadcast the table over (\d+) rows: (\d+) rows`)
)

// broadcastTimeout finds joins that waited in vain for the table that was to be sent to all executors.
func broadcastTimeout() rule {
	follows := append(endedPods(), "executor-out-of-memory", "executor-heap-out-of-memory", "driver-heap-out-of-memory", "executor-silent")
	return rule{code: "broadcast-timeout", follows: follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.fatal(), broadcastTime)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		seconds, _ := strconv.Atoi(match[1])
		cause := told(f, fmt.Sprintf("A table that was to be broadcast for a join was not ready within %s s.", match[1]), c.driverLog(), noBroadcast(),
			change("Or wait longer, if the table is small and only slow to come.", sparkConf("spark.sql.broadcastTimeout", fmt.Sprint(max(2*seconds, 600)))))
		cause.Transient = true
		return cause, true
	}}
}

// broadcastTooLarge finds tables that are larger than Spark broadcasts.
func broadcastTooLarge() rule {
	return rule{code: "broadcast-too-large", find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.fatal(), broadcastSize)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		why := fmt.Sprintf("A table of %s was to be broadcast for a join; Spark broadcasts up to %s.", match[2], match[1])
		if match[3] != "" {
			why = fmt.Sprintf("A table of %s rows was to be broadcast for a join; Spark broadcasts up to %s.", match[4], match[3])
		}
		return told(f, why, c.driverLog(), noBroadcast(),
			v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: "Take the broadcast hint off that table, or broadcast the other side of the join."}), true
	}}
}

func noBroadcast() v1alpha1.Fix {
	return change("Let Spark join without broadcasting.", sparkConf("spark.sql.autoBroadcastJoinThreshold", "-1"))
}
