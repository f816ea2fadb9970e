package evidence

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// grade is how much a line tells of trouble.
type grade int

const (
	nothing grade = iota
	mild
	strong
)

const traceback = "Traceback (most recent call last)"

// telling are words that tell of trouble wherever they stand, whatever the level of their line.
func telling() []string {
	return []string{
		traceback, "Exception in thread", "Caused by: ", "another exception occurred", "direct cause of the following exception",
		// What becomes of executors: ExecutorPodsLifecycleManager, BasicExecutorFeatureStep, TaskSchedulerImpl, HeartbeatReceiver.
		"exited with exit code", "termination reason", "Lost executor", "Max number of executor failures", "heartbeat timed out",
		"Remote RPC client disassociated", "has not accepted any resources", "RECEIVED SIGNAL", "ecommission",
		"Python worker exited", "Python worker failed",
		// What jobs and stages fail of.
		"maximum allowable number", "FetchFailed", "Total size of serialized results", "Could not execute broadcast",
		"Could not initialize class", "resource not found", "unresolved dependency", "UNRESOLVED DEPENDENCIES", "FAILED DOWNLOADS",
		"UNABLE_TO_ACQUIRE_MEMORY", "External scheduler cannot be instantiated",
		// Memory, disk and network.
		"OutOfMemory", "Java heap space", "GC overhead limit", "Cannot allocate memory", "insufficient memory", "No space left on device",
		"Disk quota exceeded", "UnknownHost", "Connection refused", "Failed to connect", "Temporary failure in name resolution",
		"Access Denied", "AccessDenied", "Forbidden", "is forbidden", "Code: 403",
		// Native crashes and programs that do not start.
		"A fatal error has been detected by the Java Runtime", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "hs_err_pid",
		"Segmentation fault", "core dumped", "Fatal Python error", "terminate called", "Killed", "exec format error",
		"command not found", "cannot execute", "No such file or directory", "Permission denied", "can't open file",
		"Error: ", "ERROR: ",
	}
}

var (
	// words is telling, once.
	words = telling()
	// javaException is a class of an exception with its package, pythonException one without.
	javaException   = regexp.MustCompile(`(?:^|[\s:(\["'])(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable|Failure)\b`)
	pythonException = regexp.MustCompile(`^(?:[a-z_]\w*\.)*[A-Z]\w*(?:Exception|Error|Exit|Interrupt)(?::|$)`)
	exitLine        = regexp.MustCompile(`(?i)\bexit ?code\b[^a-z]*\d`)
)

// head is how much of a line is searched for its level.
const head = 80

// classify returns the lines that a line stands for, of which a line of JSON may say several, and how much it tells.
func classify(text string) ([]string, grade) {
	if strings.HasPrefix(text, "{") {
		if lines := fromJSON(text); lines != nil {
			return lines, gradeOf(lines[0], len(lines) > 1)
		}
	}
	return []string{text}, gradeOf(text, false)
}

// gradeOf returns how much a line tells; more says that it comes with an exception.
func gradeOf(text string, more bool) grade {
	level := levelOf(text)
	if level == levelDebug {
		return nothing
	}
	if more || level == levelError || tellsTrouble(text) {
		return strong
	}
	if level == levelWarn {
		return mild
	}
	return nothing
}

func tellsTrouble(text string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	if strings.Contains(text, "Exception") || strings.Contains(text, "Error") || strings.Contains(text, "Throwable") ||
		strings.Contains(text, "Failure") || strings.Contains(text, "Exit") || strings.Contains(text, "Interrupt") {
		if javaException.MatchString(text) || pythonException.MatchString(text) {
			return true
		}
	}
	return strings.Contains(text, "ode") && exitLine.MatchString(text)
}

type level int

const (
	levelNone level = iota
	levelDebug
	levelInfo
	levelWarn
	levelError
)

// levelOf returns the level of a line of a log, by the first word near its beginning that is one.
func levelOf(text string) level {
	text = text[:min(len(text), head)]
	for len(text) > 0 {
		i := strings.IndexFunc(text, isLetter)
		if i < 0 {
			return levelNone
		}
		text = text[i:]
		end := strings.IndexFunc(text, func(r rune) bool { return !isLetter(r) })
		if end < 0 {
			end = len(text)
		}
		switch text[:end] {
		case "TRACE", "DEBUG":
			return levelDebug
		case "INFO":
			return levelInfo
		case "WARN", "WARNING":
			return levelWarn
		case "ERROR", "FATAL", "SEVERE", "CRITICAL":
			return levelError
		}
		text = text[end:]
	}
	return levelNone
}

func isLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '$'
}

// logLine reports whether text begins a message of a log.
func logLine(text string) bool { return levelOf(text) != levelNone && !javaFrame(text) }

// structured is a line of Spark's JSON log: org/apache/spark/SparkLayout.json, and pyspark/logger/logger.py.
type structured struct {
	Time      string `json:"ts"`
	Level     string `json:"level"`
	Message   string `json:"msg"`
	Logger    string `json:"logger"`
	Exception *struct {
		Class   string `json:"class"`
		Message string `json:"msg"`
		Trace   []struct {
			Class  string `json:"class"`
			Method string `json:"method"`
			File   string `json:"file"`
			Line   any    `json:"line"`
		} `json:"stacktrace"`
	} `json:"exception"`
}

// fromJSON puts a line of Spark's JSON log as its text log has it; nil if it is none.
func fromJSON(text string) []string {
	var said structured
	if json.Unmarshal([]byte(text), &said) != nil || said.Level == "" || said.Time == "" && said.Logger == "" {
		return nil
	}
	short := said.Logger[strings.LastIndexByte(said.Logger, '.')+1:]
	lines := splitMessage(fmt.Sprintf("%s %s %s: ", said.Time, said.Level, short) + said.Message)
	if said.Exception == nil {
		return lines
	}
	lines = append(lines, splitMessage(said.Exception.Class+": "+said.Exception.Message)...)
	for _, at := range said.Exception.Trace {
		name := at.Method
		if at.Class != "" {
			name = at.Class + "." + at.Method
		}
		lines = append(lines, plain(fmt.Sprintf("\tat %s(%s:%v)", name, at.File, at.Line)))
	}
	return lines
}

// splitMessage splits a message of several lines.
func splitMessage(text string) []string {
	return strings.Split(strings.TrimRight(plain(text), "\n"), "\n")
}
