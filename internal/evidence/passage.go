package evidence

import (
	"regexp"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// passage is a line that tells of trouble, and those after it that belong to it.
type passage struct {
	grade grade
	lines []v1alpha1.LogLine
	size  int
}

func (p *passage) add(line v1alpha1.LogLine) {
	p.lines = append(p.lines, line)
	p.size += size(line)
}

// kind is of a line what it has in common with others of its kind: all but numbers, unless they are exit codes.
var kind = regexp.MustCompile(`(?i)(exit(?:ed with)? ?code:? |exit ?status:? |signal )?(?:0x)?\d[\da-f]*`)

// key is what the passage has in common with others of its kind: its first line, and the exception that is at its bottom.
func (p *passage) key() string {
	key := kindOf(p.lines[0].Text)
	for i := len(p.lines) - 1; i > 0; i-- {
		if text := p.lines[i].Text; !frame(text) {
			return key + "\n" + kindOf(text)
		}
	}
	return key
}

func kindOf(text string) string {
	return kind.ReplaceAllStringFunc(cut(text, maxLine), func(match string) string {
		if strings.IndexAny(match, "eEsS") == 0 && strings.Contains(match, " ") {
			return match
		}
		return "#"
	})
}

// Bounds of a passage, in lines.
const (
	// maxPassage is for all of it.
	maxPassage = 60
	// maxPassageSize is for all of it, in bytes.
	maxPassageSize = 6 << 10
	// maxFrames is for the frames of an exception, maxCauseFrames for those of each that it is caused by.
	maxFrames, maxCauseFrames = 6, 3
	// maxOwnFrames is for frames of code that is not Spark's or the language's, beside those.
	maxOwnFrames = 8
	// maxRest is for lines of text after a line of a log, or after an exception's own.
	maxRest = 6
)

// passageReader tells which lines belong to a passage, and which of them are kept.
type passageReader struct {
	// frames, own and rest are how many more of them are kept.
	frames, own, rest int
	// python says that a traceback is being read; code that the next line is the source of the frame before it.
	python, code bool
}

func newPassageReader(head string) passageReader {
	return passageReader{frames: maxFrames, own: maxOwnFrames, rest: maxRest, python: strings.Contains(head, traceback)}
}

// goesOn reports whether line belongs to the passage, and adds it if it is worth keeping.
func (r *passageReader) goesOn(p *passage, line v1alpha1.LogLine, grade grade) bool {
	text := line.Text
	switch {
	case len(p.lines) >= maxPassage || p.size >= maxPassageSize:
		return frame(text) || causedBy(text)
	case causedBy(text):
		r.frames, r.rest, r.python = maxCauseFrames, maxRest, strings.Contains(text, traceback)
		p.add(line)
		return true
	case logLine(text):
		return false
	case strings.Contains(text, traceback): // inside an exception, or the next of a chain
		r.python, r.rest = true, maxRest
		p.add(line)
		return true
	case r.python:
		return r.traceback(p, line)
	case javaFrame(text):
		return r.frame(p, line)
	case strings.HasPrefix(strings.TrimSpace(text), "... "): // ... 12 more
		return true
	case r.rest > 0:
		r.rest--
		if strings.TrimSpace(text) != "" {
			p.add(line)
		}
		if grade == strong {
			p.grade = strong
		}
		return true
	}
	return false
}

// frame keeps the first frames, and those of the user's own code.
func (r *passageReader) frame(p *passage, line v1alpha1.LogLine) bool {
	switch {
	case r.frames > 0:
		r.frames--
		p.add(line)
	case r.own > 0 && !platformFrame(line.Text):
		r.own--
		p.add(line)
	}
	return true
}

// traceback keeps of Python's traceback the frames of the user's own files, and what it ends with.
func (r *passageReader) traceback(p *passage, line v1alpha1.LogLine) bool {
	text := line.Text
	switch {
	case strings.HasPrefix(text, "  File \""):
		r.code = !platformFile(text)
		if r.code {
			p.add(line)
		}
	case strings.HasPrefix(text, "   "):
		if r.code {
			p.add(line)
		}
		r.code = false // markers below the source are not kept
	case strings.TrimSpace(text) == "" || strings.HasPrefix(text, "  ["): // [Previous line repeated 990 more times]
	default:
		r.python = false
		p.add(line)
	}
	return true
}

func javaFrame(text string) bool {
	trimmed := strings.TrimLeft(text, " \t")
	return len(trimmed) < len(text) && strings.HasPrefix(trimmed, "at ")
}

// frame reports whether text is a frame, or the source of one.
func frame(text string) bool {
	return javaFrame(text) || strings.HasPrefix(text, "  ") || strings.HasPrefix(text, "\t...")
}

func causedBy(text string) bool {
	trimmed := strings.TrimLeft(text, " \t")
	return strings.HasPrefix(trimmed, "Caused by: ") || strings.HasPrefix(trimmed, "Suppressed: ")
}

// platformFrame reports whether a frame is of Java, Scala, Spark or what Spark consists of.
func platformFrame(text string) bool {
	name := strings.TrimPrefix(strings.TrimLeft(text, " \t"), "at ")
	// java.base/java.lang.Thread.run, but also org.apache.spark.rdd.RDD$$Lambda$790/0x00007f2b35126c40.apply
	named, _, _ := strings.Cut(name, "/0x")
	name = name[strings.LastIndexByte(named, '/')+1:]
	for _, prefix := range []string{
		"java.", "javax.", "jdk.", "sun.", "com.sun.", "scala.", "org.apache.spark.", "org.apache.hadoop.", "org.sparkproject.",
		"io.netty.", "py4j.", "okhttp3.", "io.fabric8.", "org.apache.parquet.", "org.apache.hive.",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// platformFile reports whether a frame of a traceback is of Python, PySpark or a package.
func platformFile(text string) bool {
	for _, part := range []string{"/pyspark/", "pyspark.zip/", "py4j", "/lib/python", "site-packages/", "dist-packages/", "<frozen "} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}
