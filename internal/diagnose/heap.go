package diagnose

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What the JVM says of a full heap, and Spark of its share of one (SparkOutOfMemoryError: UNABLE_TO_ACQUIRE_MEMORY).
var heapFull = lazily(
	`java\.lang\.OutOfMemoryError: (Java heap space|GC overhead limit exceeded|Requested array size exceeds VM limit)|(UNABLE_TO_ACQUIRE_MEMORY)|(Unable to acquire) \d+ bytes of memory`)

// driverHeap and executorHeap find JVMs whose heap was full.
func driverHeap() rule {
	return rule{code: "driver-heap-out-of-memory", follows: []string{"result-too-large"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		if end, ok := c.driverEnd(); ok && end.code == exitHeapFull {
			return c.heapCause(v1alpha1.RoleDriver, end.name, []v1alpha1.Proof{end.proof}, c.driversOwn(), end.at), true
		}
		if f, _, ok := firstMatch(c.driversOwn(), heapFull); ok {
			return c.heapCause(v1alpha1.RoleDriver, "the driver", nil, []found{f}, f.at()), true
		}
		return v1alpha1.Cause{}, false
	}}
}

func executorHeap() rule {
	return rule{code: "executor-heap-out-of-memory", find: func(c *Case) (v1alpha1.Cause, bool) {
		for _, e := range c.ends(v1alpha1.RoleExecutor) {
			if e.code == exitHeapFull {
				cause := c.heapCause(v1alpha1.RoleExecutor, e.name, []v1alpha1.Proof{e.proof}, having(c.executorsLast(), "OutOfMemoryError"), e.at)
				if f, ok := c.taskFailedOf(heapFull); ok {
					cause.Evidence = append(cause.Evidence, f.proof())
				} else if !c.lossMatters() {
					cause.Confidence = v1alpha1.ConfidenceLow
				}
				return cause, true
			}
		}
		if f, _, ok := firstMatch(c.taskLines(), heapFull); ok {
			return c.heapCause(v1alpha1.RoleExecutor, "an executor", nil, []found{f}, f.at()), true
		}
		return v1alpha1.Cause{}, false
	}}
}

// taskLines are the fatal lines that tell of a task: the failure that is quoted as the stage's, and what executors said.
func (c *Case) taskLines() []found {
	var lines []found
	task := false
	for _, f := range c.fatal() {
		switch {
		case lostTask.MatchString(f.text):
			task = true
		case logLevel(f.text) != "", strings.HasPrefix(f.text, "Driver stacktrace:"):
			task = false
		}
		if task || f.role == v1alpha1.RoleExecutor {
			lines = append(lines, f)
		}
	}
	return lines
}

// taskFailedOf is where the driver tells of a task that has failed of what pattern matches, as what ended the run.
func (c *Case) taskFailedOf(pattern *pattern) (found, bool) {
	lines := slices.DeleteFunc(c.taskLines(), func(f found) bool { return f.role != v1alpha1.RoleDriver })
	f, _, ok := firstMatch(lines, pattern)
	return f, ok
}

// driversOwn are the fatal lines of the driver that do not tell of a task. What the trace says below a task's failure is
// the same exception again.
func (c *Case) driversOwn() []found {
	var lines []found
	for _, f := range c.fatal() {
		if lostTask.MatchString(f.text) {
			return lines
		}
		if f.role == v1alpha1.RoleDriver {
			lines = append(lines, f)
		}
	}
	return lines
}

func (c *Case) heapCause(role v1alpha1.Role, name string, proofs []v1alpha1.Proof, lines []found, at metav1.Time) v1alpha1.Cause {
	what := "was full"
	if f, match, ok := firstMatch(lines, heapFull); ok {
		proofs = append(proofs, f.proof())
		if match[1] == "GC overhead limit exceeded" {
			what = "was so full that the JVM did nothing but collect garbage"
		}
		if match[2] != "" || match[3] != "" {
			what = "had no room left for the rows that a task works on"
		}
	}
	heap := c.heapMiB(role)
	of := ""
	if heap > 0 {
		of = " of " + size(heap)
	}
	return v1alpha1.Cause{
		Why: fmt.Sprintf("The heap%s of %s %s.", of, name, what), Confidence: v1alpha1.ConfidenceHigh, At: at, Evidence: proofs,
		Fixes: c.moreHeap(role, heap),
	}
}

func (c *Case) moreHeap(role v1alpha1.Role, heap int64) []v1alpha1.Fix {
	fixes := []v1alpha1.Fix{c.driverLog()}
	if role == v1alpha1.RoleExecutor {
		fixes = append(fixes, change("Make tasks smaller: more partitions, and let Spark split the skewed ones.",
			"spec:\n  sparkConf:\n    spark.sql.shuffle.partitions: \"800\"\n    spark.sql.adaptive.skewJoin.enabled: \"true\"\n"))
	} else {
		fixes = append(fixes, v1alpha1.Fix{Risk: v1alpha1.RiskChanges, Say: "Write results instead of collecting them (collect, toPandas), and broadcast less."})
	}
	if heap == 0 {
		return append(fixes, change("Raise memory.", ""))
	}
	return append(fixes, change(fmt.Sprintf("Raise memory from %s to %s.", size(heap), size(nextMiB(heap))),
		roleField(role, "memory", fmt.Sprintf("%dm", nextMiB(heap)))))
}
