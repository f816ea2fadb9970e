package diagnose

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// said are the lines that the run's containers have said, in the order in which they were kept: those of logs, a structured
// one as the lines that a plain one would be, then the termination messages of pods without a log.
func (c *Case) said() []found {
	if c.read == nil {
		c.read = &reading{}
	}
	return once(&c.read.said, c.readLogs)
}

// reading keeps what was read of a case's logs, which every rule asks for.
type reading struct {
	said, fatal      *[]found
	driver, executor *[]*trace
	failure          **trace
	known            *[]v1alpha1.Cause
	// variables are those of expressions.
	variables map[string]any
}

// once is what kept has, or what make makes if it has nothing yet.
func once[T any](kept **T, make func() T) T {
	if *kept == nil {
		*kept = new(make())
	}
	return **kept
}

func (c *Case) readLogs() []found {
	all := []found{}
	known := map[string]bool{}
	for i := range c.Evidence.Logs {
		log := &c.Evidence.Logs[i]
		role := c.roleOf(log.Pod)
		for j := range log.Lines {
			known[log.Pod] = true
			for _, text := range spoken(log.Lines[j].Text) {
				all = append(all, found{log: log, line: &log.Lines[j], text: text, role: role})
			}
		}
	}
	c.containers(func(pod *v1alpha1.Pod, container *v1alpha1.Container) bool {
		if !known[pod.Name] {
			all = append(all, lastWords(pod, container, container.Previous, "lastState.terminated.message")...)
			all = append(all, lastWords(pod, container, container.Terminated, "state.terminated.message")...)
		}
		return true
	})
	return all
}

// lastWords are the lines of a container's termination message.
func lastWords(pod *v1alpha1.Pod, container *v1alpha1.Container, ended *v1alpha1.ContainerEnd, field string) []found {
	if ended == nil || ended.ExitCode == 0 || ended.Message == "" || container.Init {
		return nil
	}
	log := &v1alpha1.Log{Pod: pod.Name, Container: container.Name}
	var at *metav1.MicroTime
	if !ended.Finished.IsZero() {
		finished := metav1.NewMicroTime(ended.Finished.Time)
		at = &finished
	}
	var all []found
	for _, line := range strings.Split(ended.Message, "\n") {
		kept := &v1alpha1.LogLine{Text: line, At: at}
		for _, text := range spoken(line) {
			all = append(all, found{log: log, line: kept, text: text, field: containerField(container, field), role: pod.Role})
		}
	}
	return all
}

// saidBy are the lines that pods of role have said.
func (c *Case) saidBy(role v1alpha1.Role) []found {
	var all []found
	for _, f := range c.said() {
		if f.role == role {
			all = append(all, f)
		}
	}
	return all
}

// roleOf is the role of the pod called name. Of a pod that was not kept its name tells: ExecutorPodsAllocator names
// executors NAME-exec-N.
func (c *Case) roleOf(name string) v1alpha1.Role {
	for i := range c.Evidence.Pods {
		if c.Evidence.Pods[i].Name == name {
			return c.Evidence.Pods[i].Role
		}
	}
	if strings.Contains(name, "-exec-") {
		return v1alpha1.RoleExecutor
	}
	return v1alpha1.RoleDriver
}

// structured is a line of Spark's structured log: SparkLayout.json in common/utils, and pyspark/logger for Python's.
type structured struct {
	TS        string `json:"ts"`
	Level     string `json:"level"`
	Message   string `json:"msg"`
	Logger    string `json:"logger"`
	Exception *struct {
		Class      string `json:"class"`
		Message    string `json:"msg"`
		StackTrace []struct {
			Class  string `json:"class"`
			Method string `json:"method"`
			File   string `json:"file"`
			Line   any    `json:"line"`
		} `json:"stacktrace"`
	} `json:"exception"`
}

// spoken are the lines that a line of a log says: itself, or what the plain log would have had for a structured one.
func spoken(text string) []string {
	if !strings.HasPrefix(text, "{") || !strings.Contains(text, `"level"`) {
		return []string{text}
	}
	var line structured
	if json.Unmarshal([]byte(mended(text)), &line) != nil || line.Level == "" {
		return []string{text}
	}
	head := fmt.Sprintf("%s %s %s: %s", line.TS, line.Level, line.Logger, line.Message)
	lines := strings.Split(strings.TrimRight(head, "\n"), "\n")
	if line.Exception == nil {
		return lines
	}
	thrown := line.Exception.Class
	if line.Exception.Message != "" {
		thrown += ": " + line.Exception.Message
	}
	lines = append(lines, strings.Split(thrown, "\n")...)
	for _, frame := range line.Exception.StackTrace {
		if frame.Class == "" {
			lines = append(lines, fmt.Sprintf("  File %q, line %v, in %s", frame.File, frame.Line, frame.Method))
			continue
		}
		lines = append(lines, fmt.Sprintf("\tat %s.%s(%s:%v)", frame.Class, frame.Method, frame.File, frame.Line))
	}
	return lines
}

// mended closes what a line leaves open that was shortened, so that what it says until there can be read.
func mended(text string) string {
	var open []byte
	quoted, escaped := false, false
	for i := range len(text) {
		switch c := text[i]; {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			open = append(open, '}')
		case c == '[':
			open = append(open, ']')
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return text
	}
	if escaped {
		text = text[:len(text)-1]
	}
	if quoted {
		text += `"`
	}
	text = strings.TrimRight(text, " ,")
	// A key that was cut off has no value.
	if strings.HasSuffix(text, ":") {
		text += "null"
	} else if open[len(open)-1] == '}' && endsWithKey(text) {
		text += ":null"
	}
	for i := len(open) - 1; i >= 0; i-- {
		text += string(open[i])
	}
	return text
}

// endsWithKey reports whether text ends with a string that stands where a key does.
func endsWithKey(text string) bool {
	end := len(text) - 1
	if end < 1 || text[end] != '"' {
		return false
	}
	start := end - 1
	for start > 0 && (text[start] != '"' || text[start-1] == '\\') {
		start--
	}
	before := strings.TrimRight(text[:start], " ")
	return strings.HasSuffix(before, "{") || strings.HasSuffix(before, ",")
}
