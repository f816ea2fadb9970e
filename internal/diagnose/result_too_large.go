package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// TaskSetManager.canFetchMoreResults.
var resultSize = lazily(`Total size of serialized results of (\d+) tasks \(([^)]+)\) is bigger than (?:local )?(?:spark\.driver\.)?maxResultSize \(?([^)]+?)\)`)

// resultTooLarge finds results that were collected into the driver and are larger than it takes.
func resultTooLarge() rule {
	return rule{code: "result-too-large", find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.fatal(), resultSize)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		tasks := match[1] + " tasks"
		if match[1] == "1" {
			tasks = "one task"
		}
		cause := told(f, fmt.Sprintf("The results of %s, %s in all, were to be collected into the driver, which takes %s.", tasks, match[2], match[3]),
			c.driverLog(),
			v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: "Write the rows (df.write) instead of collecting them with collect() or toPandas(), or collect fewer."},
			change("Or let the driver take more, and give it the memory for it.", sparkConf("spark.driver.maxResultSize", "4g")))
		if frame, ok := c.failure().userFrameOf(); ok {
			cause.Evidence = append(cause.Evidence, frame.line.proof())
		}
		return cause, true
	}}
}

// userFrameOf is the place in the user's code where the trace began.
func (t *trace) userFrameOf() (frame, bool) {
	if t == nil {
		return frame{}, false
	}
	for i := range t.thrown {
		if f, ok := t.thrown[i].userFrame(); ok {
			return f, true
		}
	}
	return frame{}, false
}
