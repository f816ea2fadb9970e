package evidence

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// scan returns the numbers and texts of what is kept of log but for its end.
func scan(log string) []string {
	room := DriverLog()
	room.TailLines, room.Tail = 1, 1
	kept := ScanLog(strings.NewReader(log+"\nthe end\n"), v1alpha1.Log{}, room)
	var texts []string
	for _, line := range kept.Lines[:len(kept.Lines)-1] {
		text := fmt.Sprintf("%d %s", line.Number, line.Text)
		if line.Count > 0 {
			text += fmt.Sprintf(" (%d times)", line.Count)
		}
		texts = append(texts, text)
	}
	return texts
}

func TestScanLog(t *testing.T) {
	tests := map[string]struct {
		reason, log string
		want        []string
	}{
		"Healthy": {
			reason: "What goes well is not kept.",
			log:    "26/11/26 14:00:00 INFO SparkContext: Running Spark version 4.1.1\n26/11/26 14:00:01 INFO Executor: Starting executor ID 1\nPi is roughly 3.14",
		},
		"Levels": {
			reason: "Warnings and errors are kept, in whatever pattern.",
			log:    "26/11/26 14:00:00 WARN Utils: Service could not bind\n2026-11-26 14:00:01,123 ERROR [main] o.a.s.SparkContext - no\n26/11/26 14:00:02 INFO X: fine\nDEBUG:root:no error: none",
			want:   []string{"1 26/11/26 14:00:00 WARN Utils: Service could not bind", "2 2026-11-26 14:00:01,123 ERROR [main] o.a.s.SparkContext - no"},
		},
		"JavaException": {
			reason: "Of an exception the first frames are kept, those of the user's code, and every cause.",
			log: "Exception in thread \"main\" org.apache.spark.SparkException: Job aborted\n" +
				strings.Repeat("\tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)\n", 9) +
				"\tat com.example.Sales.main(Sales.scala:31)\n\tat java.base/java.lang.Thread.run(Unknown Source)\n" +
				"Caused by: java.io.IOException: disk\n" + strings.Repeat("\tat java.base/java.io.F.write(F.java:1)\n", 5) +
				"\t... 12 more\nCaused by: com.example.Root: because\n26/11/26 14:00:00 INFO ShutdownHookManager: Shutdown",
			want: []string{
				"1 Exception in thread \"main\" org.apache.spark.SparkException: Job aborted",
				"2 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)", "3 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)",
				"4 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)", "5 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)",
				"6 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)", "7 \tat org.apache.spark.rdd.RDD.collect(RDD.scala:1)",
				"11 \tat com.example.Sales.main(Sales.scala:31)",
				"13 Caused by: java.io.IOException: disk", "14 \tat java.base/java.io.F.write(F.java:1)",
				"15 \tat java.base/java.io.F.write(F.java:1)", "16 \tat java.base/java.io.F.write(F.java:1)",
				"20 Caused by: com.example.Root: because",
			},
		},
		"Lambdas": {
			reason: "What the JVM makes of Spark's lambdas is Spark's code, and of the user's the user's.",
			log: "26/11/26 14:00:00 ERROR Executor: Exception in task 0.0\n" + strings.Repeat("\tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)\n", 6) +
				"\tat org.apache.spark.rdd.RDD$$Lambda$790/0x00007f2b35126c40.apply(Unknown Source)\n" +
				"\tat com.example.Sales$$Lambda/0x00007f2b35126c41.apply(Unknown Source)\n" +
				"\tat app//org.apache.spark.scheduler.Task.run(Task.scala:147)",
			want: []string{
				"1 26/11/26 14:00:00 ERROR Executor: Exception in task 0.0",
				"2 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)", "3 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)",
				"4 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)", "5 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)",
				"6 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)", "7 \tat org.apache.spark.rdd.RDD.iterator(RDD.scala:1)",
				"9 \tat com.example.Sales$$Lambda/0x00007f2b35126c41.apply(Unknown Source)",
			},
		},
		"Python": {
			reason: "Of a traceback the user's frames are kept with their source, and what it ends with.",
			log: "Traceback (most recent call last):\n  File \"/opt/job.py\", line 12, in <module>\n    main()\n    ~~~~^^\n" +
				"  File \"/opt/spark/python/lib/pyspark.zip/pyspark/sql/frame.py\", line 5, in count\n    return int(x)\n" +
				"ValueError: no such column\nfor 5\n26/11/26 14:00:00 INFO SparkContext: Invoking stop()",
			want: []string{
				"1 Traceback (most recent call last):", "2   File \"/opt/job.py\", line 12, in <module>", "3     main()",
				"7 ValueError: no such column", "8 for 5",
			},
		},
		"PythonInJava": {
			reason: "A task's exception in Python comes inside of Java's.",
			log: "26/11/26 14:00:00 WARN TaskSetManager: Lost task 0.0 in stage 1.0 (TID 1) (10.0.0.1 executor 1): " +
				"org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n" +
				"  File \"/opt/spark/python/lib/pyspark.zip/pyspark/worker.py\", line 1, in main\n    process()\n" +
				"  File \"/opt/job.py\", line 7, in <lambda>\n    1 / 0\nZeroDivisionError: division by zero\n\n" +
				"\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)",
			want: []string{
				"1 26/11/26 14:00:00 WARN TaskSetManager: Lost task 0.0 in stage 1.0 (TID 1) (10.0.0.1 executor 1): " +
					"org.apache.spark.api.python.PythonException: Traceback (most recent call last):",
				"4   File \"/opt/job.py\", line 7, in <lambda>", "5     1 / 0", "6 ZeroDivisionError: division by zero",
				"8 \tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)",
			},
		},
		"JSON": {
			reason: "Spark's JSON log is put as its text log has it, so that the same rules read it.",
			log: `{"ts":"2026-11-26T14:00:00.123Z","level":"INFO","msg":"fine","logger":"org.apache.spark.SparkContext"}` + "\n" +
				`{"ts":"2026-11-26T14:00:01.123Z","level":"ERROR","msg":"Lost executor 1","context":{"executor_id":"1"},` +
				`"exception":{"class":"java.io.IOException","msg":"no space","stacktrace":[{"class":"com.example.Sales","method":"main","file":"Sales.scala","line":31}]},` +
				`"logger":"org.apache.spark.scheduler.TaskSchedulerImpl"}`,
			want: []string{
				"2 2026-11-26T14:00:01.123Z ERROR TaskSchedulerImpl: Lost executor 1", "2 java.io.IOException: no space",
				"2 \tat com.example.Sales.main(Sales.scala:31)",
			},
		},
		"ExecutorsEnds": {
			reason: "How executors ended is told at all levels; what differs in numbers only is counted, but exit codes are no numbers.",
			log: strings.Repeat("26/11/26 14:00:00 INFO K8s: The executor with id 7 exited with exit code 137(SIGKILL).\n", 5) +
				"26/11/26 14:00:00 INFO K8s: The executor with id 8 exited with exit code 52(OOM).",
			want: []string{
				"1 26/11/26 14:00:00 INFO K8s: The executor with id 7 exited with exit code 137(SIGKILL). (5 times)",
				"2 26/11/26 14:00:00 INFO K8s: The executor with id 7 exited with exit code 137(SIGKILL).",
				"3 26/11/26 14:00:00 INFO K8s: The executor with id 7 exited with exit code 137(SIGKILL).",
				"6 26/11/26 14:00:00 INFO K8s: The executor with id 8 exited with exit code 52(OOM).",
			},
		},
		"Secrets": {
			reason: "Secrets are blotted out, those that take several lines as well.",
			log: "26/11/26 14:00:00 ERROR Job: password=hunter2\n-----BEGIN RSA PRIVATE KEY-----\nshort/line+of/key\n-----END RSA PRIVATE KEY-----\n" +
				"26/11/26 14:00:00 ERROR Job: done",
			want: []string{
				"1 26/11/26 14:00:00 ERROR Job: password=" + Blot, "2 " + Blot, "3 " + Blot, "4 " + Blot, "5 26/11/26 14:00:00 ERROR Job: done",
			},
		},
		"Colours": {
			reason: "A log does not steer the terminal that shows it.",
			log:    "\x1b[31m26/11/26 ERROR Job: \x1b]0;title\x07red\x1b[0m\x07",
			want:   []string{"1 26/11/26 ERROR Job: red"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scan(tt.log)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestScanLogTelling holds the scan against lines of Spark, Java and Kubernetes that rules are about.
func TestScanLogTelling(t *testing.T) {
	for _, line := range []string{
		"26/11/26 14:00:00 WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI",
		"26/11/26 14:00:00 INFO ExecutorPodsLifecycleManager: Executor termination reason: OOMKilled",
		"# A fatal error has been detected by the Java Runtime Environment:",
		"#  SIGSEGV (0xb) at pc=0x00007f, pid=1, tid=2",
		"Error: Failed to load class com.example.Missing.",
		"python3: can't open file '/opt/nope.py': [Errno 2] No such file or directory",
		"exec /opt/entrypoint.sh: exec format error",
		"\t\t:: UNRESOLVED DEPENDENCIES ::",
		"26/11/26 14:00:00 INFO SparkContext: Successfully stopped SparkContext, exitCode: 1",
		"Fatal Python error: Segmentation fault",
	} {
		if got := scan("nothing\n" + line); len(got) != 1 {
			t.Errorf("not kept: %s", line)
		}
	}
}

func TestScanLogTimes(t *testing.T) {
	got := ScanLog(strings.NewReader("2026-11-26T14:00:00.123456789Z ERROR no\n2026-11-26T14:00:01Z \nnone\n"), v1alpha1.Log{Pod: "pi-driver"}, Room{})
	var at []string
	for _, line := range got.Lines {
		if line.At != nil {
			at = append(at, line.At.Format("15:04:05.000000")+" "+line.Text)
			continue
		}
		at = append(at, line.Text)
	}
	if diff := cmp.Diff([]string{"14:00:00.123456 ERROR no", "14:00:01.000000 ", "none"}, at); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Pod != "pi-driver" || got.Total != 3 {
		t.Errorf("want three lines of pi-driver, got %d of %q", got.Total, got.Pod)
	}
}

func TestScanLogBounds(t *testing.T) {
	var log strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&log, "26/11/26 14:00:00 ERROR %s: %s\n", letters(i), strings.Repeat("ä", 2000))
	}
	got := ScanLog(strings.NewReader(log.String()), v1alpha1.Log{}, Room{})
	size, first, last := 0, got.Lines[0].Number, got.Lines[len(got.Lines)-1].Number
	for _, line := range got.Lines {
		if len(line.Text) > maxLine || !utf8.ValidString(line.Text) {
			t.Fatalf("a line of %d bytes was kept: %q", len(line.Text), line.Text)
		}
		size += len(line.Text)
	}
	if room := DriverLog(); size > room.Strong+room.Mild+room.Tail {
		t.Errorf("%d bytes were kept", size)
	}
	if first != 1 || last != 5000 || got.Dropped == 0 || got.Total != 5000 {
		t.Errorf("want the first and the last of 5000 lines and those between counted, got %d to %d of %d, %d dropped", first, last, got.Total, got.Dropped)
	}
}

// letters is a number in letters, which repeats do not equate.
func letters(i int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'g' }, fmt.Sprint(i))
}

func TestScanLogMissing(t *testing.T) {
	broken := io.MultiReader(strings.NewReader("ERROR one\n"), iotest.ErrReader(errors.New("token=hunter2 was refused")))
	got := ScanLog(broken, v1alpha1.Log{}, Room{})
	if diff := cmp.Diff("the log breaks off after line 1: token="+Blot+" was refused", got.Missing); diff != "" || len(got.Lines) != 1 {
		t.Errorf("%v\n-want +got:\n%s", got.Lines, diff)
	}
	endless := ScanLog(repeat("26/11/26 INFO again\n"), v1alpha1.Log{}, Room{})
	if endless.Missing != "the log goes on after its first 32 MiB" {
		t.Errorf("an endless log is missing %q", endless.Missing)
	}
}

// repeat reads the same again and again.
type repeat string

func (r repeat) Read(into []byte) (int, error) { return copy(into, r), nil }

func FuzzScanLog(f *testing.F) {
	for _, name := range []string{"../follow/testdata", "testdata"} {
		files, _ := filepath.Glob(filepath.Join(name, "*.log"))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add("2026-11-26T14:00:00Z Traceback (most recent call last):\n  File \"x\"\nE: x\nCaused by: y\n\tat z\n")
	f.Add(`{"ts":"1","level":"ERROR","msg":"a\nb","exception":{"stacktrace":[{}]}}`)
	f.Add("-----BEGIN PRIVATE KEY-----\nabc\n")
	f.Fuzz(func(t *testing.T, log string) {
		room := Room{Strong: 2000, Mild: 1000, Tail: 1000, TailLines: 5}
		got := ScanLog(strings.NewReader(log), v1alpha1.Log{}, room)
		size, number := 0, int64(0)
		for _, line := range got.Lines {
			if line.Number < number || len(line.Text) > maxLine || !utf8.ValidString(line.Text) || strings.Contains(line.Text, "\n") {
				t.Errorf("line %d after %d: %q", line.Number, number, line.Text)
			}
			number = line.Number
			size += len(line.Text)
		}
		// A passage that is larger than the room of the last ones is kept nevertheless.
		if limit := room.Strong + room.Mild + room.Tail + 2*(maxPassageSize+maxLine); size > limit {
			t.Errorf("%d bytes were kept of %d", size, limit)
		}
		if got.Missing != "" {
			t.Error(got.Missing)
		}
	})
}

func BenchmarkScanLog(b *testing.B) {
	var log strings.Builder
	for i := 0; log.Len() < 10<<20; i++ {
		fmt.Fprintf(&log, "2026-11-26T14:00:00.123456789Z 26/11/26 14:00:00 INFO TaskSetManager: Finished task %d.0 in stage 3.0 (TID %d) in 42 ms on 10.0.0.7 (executor 3) (%d/10000)\n", i, i, i)
	}
	text := log.String()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		ScanLog(strings.NewReader(text), v1alpha1.Log{}, Room{})
	}
}
