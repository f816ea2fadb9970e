package diagnose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jsonLine is a line of Spark 4's structured log.
const jsonLine = `{"ts":"2026-11-26T14:37:54.789Z","level":"ERROR","msg":"Exception in task 0.0 in stage 0.0 (TID 0): it \"broke\"","context":{"task_name":"task 0.0"},"exception":{"class":"java.lang.IllegalStateException","msg":"it \"broke\"","stacktrace":[{"class":"com.example.Main$","method":"main","file":"Main.scala","line":17},{"class":"org.apache.spark.Task","method":"run","file":"Task.scala","line":147}]},"logger":"Executor"}`

func TestSpoken(t *testing.T) {
	tests := map[string]struct {
		reason, line string
		want         []string
	}{
		"Plain":   {reason: "A plain line is what it is.", line: "26/11/26 INFO X: {}", want: []string{"26/11/26 INFO X: {}"}},
		"NotALog": {reason: "A job prints JSON of its own.", line: `{"level": 3}`, want: []string{`{"level": 3}`}},
		"Whole": {
			reason: "A structured line says what a plain log would have had on several.", line: jsonLine,
			want: []string{
				`2026-11-26T14:37:54.789Z ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0): it "broke"`,
				`java.lang.IllegalStateException: it "broke"`, "\tat com.example.Main$.main(Main.scala:17)", "\tat org.apache.spark.Task.run(Task.scala:147)",
			},
		},
		"Shortened": {
			reason: "What was said until it was cut off can be read.", line: jsonLine[:strings.Index(jsonLine, "Task.scala")+4],
			want: []string{
				`2026-11-26T14:37:54.789Z ERROR : Exception in task 0.0 in stage 0.0 (TID 0): it "broke"`,
				`java.lang.IllegalStateException: it "broke"`, "\tat com.example.Main$.main(Main.scala:17)", "\tat org.apache.spark.Task.run(Task:<nil>)",
			},
		},
		"Python": {
			reason: "PySpark's logger writes frames of Python.",
			line:   `{"ts": "2026-11-26 14:19:37.962", "level": "ERROR", "logger": "job", "msg": "no", "exception": {"class": "Py4JJavaError", "msg": "x", "stacktrace": [{"class": null, "method": "main", "file": "/opt/job.py", "line": "7"}]}}`,
			want:   []string{"2026-11-26 14:19:37.962 ERROR job: no", "Py4JJavaError: x", `  File "/opt/job.py", line 7, in main`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, spoken(tt.line)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
	// However a line is cut, it is read or left as it is.
	for i := range len(jsonLine) {
		if lines := spoken(jsonLine[:i]); len(lines) == 0 {
			t.Errorf("%q says nothing", jsonLine[:i])
		}
	}
}

// A structured log has the same causes as a plain one.
func TestStructuredLog(t *testing.T) {
	checkRows(t, map[string]row{
		"Heap": {
			reason: "Exceptions are in the line's own field.",
			run: failedRun(executorEnds(2, 52, "Error", 800), says("pi-exec-2", 790,
				`{"ts":"2026-11-26T12:13:10.000Z","level":"ERROR","msg":"Uncaught exception in thread x","exception":{"class":"java.lang.OutOfMemoryError","msg":"GC overhead limit exceeded","stacktrace":[]},"logger":"SparkUncaughtExceptionHandler"}`)),
			want: []string{"executor-heap-out-of-memory"},
			why:  "The heap of 2 GiB of executor 2 was so full that the JVM did nothing but collect garbage.",
		},
		"Job": {
			reason: "Where nothing but a logger has told of an exception, it may be what ended the run.",
			run:    failedRun(driverSays(jsonLine)),
			want:   []string{"jvm-exception"}, confidence: "medium",
			why: "The job's code threw IllegalStateException in com.example.Main$.main (Main.scala, line 17): it \"broke\".",
		},
	})
}
