// Package evidence turns what Kubernetes says of a run into what a RunRecord keeps of it: pods, events and logs, within
// bounds, and with secrets blotted out.
//
// It is pure: objects and streams in, values out. It reads no cluster and no clock, so that recorder and command line make
// the same of the same. When something is recorded is decided in internal/controller/evidence, what follows from it in
// internal/diagnose.
package evidence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a text that is kept, in bytes.
const (
	// maxMessage is for what components say; kubelet allows a termination message 4 KiB, and the end of a log 2 KiB.
	maxMessage = 2 << 10
	// maxLine is for lines of a log.
	maxLine = 1 << 10
)

// cutMark ends what was cut.
const cutMark = "…"

// Say makes what a server, or this operator, says fit to be kept.
func Say(text string) string { return say(text, maxMessage) }

// say makes a text fit to be kept: no secrets, nothing that could steer a terminal, and no more than limit bytes.
func say(text string, limit int) string {
	return cut(Redact(plain(text)), limit)
}

// cut shortens text to limit bytes, at a rune.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}

// plain takes out of text what is not text: colours and other commands to a terminal, and bytes that are no UTF-8.
func plain(text string) string {
	if isPlain(text) {
		return text
	}
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	text = terminalCommand.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}
