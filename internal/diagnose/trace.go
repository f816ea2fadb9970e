package diagnose

import (
	"slices"
	"strconv"
	"strings"
)

// trace is an exception as it was printed, with those that it was caused by.
type trace struct {
	lines []found
	// logged says that it ended nothing by itself: a logger has written it, or it was in a thread beside the main one.
	logged bool
	thrown []thrown
}

// thrown is one exception of a trace.
type thrown struct {
	class, message string
	line           found
	// frames are those of Python, the outermost first, or those of the JVM, the innermost first.
	frames []frame
	python bool
}

// frame is a place in the code that an exception has passed.
type frame struct {
	// function is a Python function, or a method with its class.
	function string
	file     string
	number   int
	line     found
}

var (
	logPrefix = lazily(`^\[?\d{2,4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}\S* .*?\b(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b`)
	// What Python and PySpark print between exceptions that belong together.
	chained = lazily(`^(During handling of the above exception|The above exception was the direct cause|\s*An exception was thrown from the Python worker)`)
	// What Python prints before exceptions that end nothing: in finalizers, in threads of their own, and from its logger.
	aside = lazily(`^(Exception ignored in|Exception in thread [^"]|--- Logging error ---|(ERROR|CRITICAL|WARNING):[\w.]+:)`)

	pythonFrame = lazily(`^\s+File "([^"]*)", line (\d+)(?:, in (.*))?$`)
	javaFrame   = lazily(`^\s+at ([^\s(]+)\(([^)]*)\)`)
	// What a Python traceback ends with: the class need not be called an error.
	pythonEnd = lazily(`^([A-Za-z_][\w.]*)(?:: (.*))?$`)
	lostTask  = lazily(`Lost task \S+ in stage \S+ \(TID \d+\) \([^)]*\): `)
	javaHead  = lazily(
		`^(?:Exception in thread "[^"]*" |Caused by: |: )?((?:[A-Za-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Failure|Throwable|Interrupted|Exit|Timeout)[\w$]*)(?:: (.*))?$`)
	taskFailure = lazily(`^(ExecutorLostFailure|FetchFailed|TaskKilled|TaskCommitDenied|UnknownReason) ?(\(.*)$`)
)

// traces are the exceptions in the lines of one log.
func traces(lines []found) []*trace {
	var all []*trace
	var current *trace
	linked, endsNothing := false, false
	for i, line := range lines {
		level := logLevel(line.text)
		switch {
		case level == "ERROR" || level == "FATAL":
			current = &trace{logged: true}
			all = append(all, current)
		case level != "":
			current = nil
		case begins(lines, i, current) && !linked:
			current = &trace{logged: endsNothing || ofAThread(line.text)}
			all = append(all, current)
		}
		if strings.TrimSpace(line.text) != "" {
			linked, endsNothing = chained.MatchString(line.text), aside.MatchString(line.text)
		}
		if current != nil {
			current.lines = append(current.lines, line)
		}
	}
	for _, t := range all {
		t.parse()
	}
	return all
}

// logLevel is the level of a line that a logger wrote, as Spark's own and most others' patterns begin; empty for other lines.
func logLevel(text string) string {
	if len(text) == 0 || text[0] != '[' && (text[0] < '0' || text[0] > '9') {
		return ""
	}
	if match := logPrefix.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}

// begins reports whether a trace that nobody caught begins at line i. Without a header are those of a file that Python
// cannot parse, and those whose beginning was not kept.
func begins(lines []found, i int, current *trace) bool {
	text := lines[i].text
	if strings.HasPrefix(text, "Traceback (most recent call last)") || strings.HasPrefix(text, `Exception in thread "`) {
		return true
	}
	match := pythonFrame.FindStringSubmatch(text)
	cut := i == 0 || lines[i].line.Number > lines[i-1].line.Number+1
	return current == nil && match != nil && (match[3] == "" || cut)
}

// ofAThread reports whether the JVM tells of an exception in another thread than the main one.
func ofAThread(text string) bool {
	return strings.HasPrefix(text, `Exception in thread "`) && !strings.HasPrefix(text, `Exception in thread "main"`)
}

// parse finds the exceptions in the trace's lines.
func (t *trace) parse() {
	var frames []frame
	python := false
	for _, line := range t.lines {
		text := line.text
		if logLevel(text) != "" {
			// "LEVEL Logger: message": a task's failure may be in the message.
			if at := lostTask.FindStringIndex(text); at != nil {
				t.head(text[at[1]:], line)
			}
			continue
		}
		if match := pythonFrame.FindStringSubmatch(text); match != nil {
			number, _ := strconv.Atoi(match[2])
			frames = append(frames, frame{function: match[3], file: match[1], number: number, line: line})
			python = true
			continue
		}
		if match := javaFrame.FindStringSubmatch(text); match != nil {
			t.place(match, line)
			continue
		}
		if python && text != "" && text[0] != ' ' && text[0] != '\t' && !strings.HasPrefix(text, "Traceback") {
			if match := pythonEnd.FindStringSubmatch(text); match != nil {
				t.thrown = append(t.thrown, thrown{class: match[1], message: match[2], line: line, frames: frames, python: true})
				frames, python = nil, false
				continue
			}
		}
		if at := lostTask.FindStringIndex(text); at != nil {
			t.head(text[:at[0]], line)
			text = text[at[1]:]
		}
		t.head(text, line)
	}
}

// head adds the exception that text begins, if it does.
func (t *trace) head(text string, line found) {
	match := javaHead.FindStringSubmatch(text)
	if match == nil {
		match = taskFailure.FindStringSubmatch(text)
	}
	if match != nil {
		t.thrown = append(t.thrown, thrown{class: match[1], message: match[2], line: line})
	}
}

// place adds a frame of the JVM to the exception that was read last.
func (t *trace) place(match []string, line found) {
	if len(t.thrown) == 0 {
		return
	}
	last := &t.thrown[len(t.thrown)-1]
	if last.python {
		return
	}
	file, number, _ := strings.Cut(match[2], ":")
	n, _ := strconv.Atoi(number)
	last.frames = append(last.frames, frame{function: match[1], file: file, number: n, line: line})
}

// errorClass is Spark's name of an error, such as UNRESOLVED_COLUMN.WITH_SUGGESTION: error-conditions.json.
var errorClass = lazily(`\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]`)

// condition is Spark's name of the error; empty if it has none.
func (t *thrown) condition() string {
	if at := errorClass.FindStringSubmatchIndex(t.message); at != nil && at[0] == 0 {
		return t.message[at[2]:at[3]]
	}
	return ""
}

// simple is the class without its package.
func (t *thrown) simple() string {
	return t.class[strings.LastIndexByte(t.class, '.')+1:]
}

// wraps reports whether the exception says nothing but that there was another.
func (t *thrown) wraps() bool {
	switch t.simple() {
	case "Py4JJavaError", "PythonException", "SparkUserAppException", "InvocationTargetException", "ExecutionException",
		"UndeclaredThrowableException", "CompletionException", "UncheckedExecutionException", "StreamingQueryException":
		return true
	}
	for _, prefix := range []string{
		"Job aborted", "[TASK_WRITE_FAILED]", "[FAILED_EXECUTE_UDF]", "[FAILED_READ_FILE", "[STREAM_FAILED]",
		"Task failed while writing rows", "Writing job aborted", "Exception thrown in awaitResult",
	} {
		if strings.HasPrefix(t.message, prefix) {
			return true
		}
	}
	return false
}

// root is the exception that the others of the trace only carry on: the first that Spark has a name for, or else the last.
func (t *trace) root() *thrown {
	var last *thrown
	for i := range t.thrown {
		th := &t.thrown[i]
		if th.wraps() {
			continue
		}
		if th.condition() != "" {
			return th
		}
		last = th
	}
	if last == nil && len(t.thrown) > 0 {
		return &t.thrown[len(t.thrown)-1]
	}
	return last
}

// notTheUsers is where code is from that the user of Spark did not write.
var notTheUsers = struct{ python, java []string }{
	python: []string{"/pyspark/", "pyspark.zip/", "/py4j", "/site-packages/", "/dist-packages/", "/lib/python3", "<frozen ", "/pyspark.zip"},
	java: []string{
		"org.apache.spark.", "java.", "javax.", "jdk.", "sun.", "scala.", "py4j.", "org.apache.hadoop.", "com.google.common.",
		"org.apache.parquet.", "io.netty.", "com.esotericsoftware.", "io.fabric8.", "okhttp3.", "software.amazon.", "com.amazonaws.",
	},
}

// userFrame is the innermost place in the user's own code that the exception has passed; of a Python one that came from the
// JVM it is where the driver's code has called Spark.
func (t *trace) userFrame(root *thrown) (frame, bool) {
	if f, ok := root.userFrame(); ok {
		return f, true
	}
	for i := range t.thrown {
		if f, ok := t.thrown[i].userFrame(); ok {
			return f, true
		}
	}
	return frame{}, false
}

func (t *thrown) userFrame() (frame, bool) {
	if t.python {
		for _, f := range slices.Backward(t.frames) {
			if !containsAny(f.file, notTheUsers.python) {
				return f, true
			}
		}
		return frame{}, false
	}
	for _, f := range t.frames {
		function := withoutModule(f.function)
		if !slices.ContainsFunc(notTheUsers.java, func(prefix string) bool { return strings.HasPrefix(function, prefix) }) {
			return f, true
		}
	}
	return frame{}, false
}

// withoutModule is a method of the JVM without the class loader and the module that StackTraceElement.toString puts before
// its class. What is behind a slash in the name of a class that was made at run time, such as a lambda's, begins with 0x.
func withoutModule(function string) string {
	named, _, _ := strings.Cut(function, "/0x")
	return function[strings.LastIndexByte(named, '/')+1:]
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
