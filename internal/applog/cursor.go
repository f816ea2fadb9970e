package applog

import (
	"strings"
	"time"
)

// Cursor remembers how far a log has been shown, so that a stream that begins anew repeats nothing. The API resumes at a
// whole second only (LogOptions.sinceTime); what it sends again is recognised by its time. Its zero value is at the
// log's beginning.
type Cursor struct {
	last      time.Time
	same      int
	replaying bool
	again     int
}

// resume returns where a new stream is to begin; zero means at the log's beginning.
func (c *Cursor) resume() time.Time {
	c.replaying, c.again = !c.last.IsZero(), 0
	return c.last
}

// take strips the time from a line and reports whether the line has not been shown yet. What is not a line of the log but
// of the server that sends it has no time of its own: it gets that of the line before.
func (c *Cursor) take(text string) (line Line, fresh bool) {
	stamp, rest, _ := strings.Cut(text, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return Line{At: c.last, Text: text}, true
	}
	line = Line{At: at, Text: rest}
	if c.replaying && !at.After(c.last) {
		if at.Before(c.last) {
			return line, false
		}
		if c.again++; c.again <= c.same {
			return line, false
		}
	}
	switch {
	case at.After(c.last):
		c.last, c.same, c.replaying = at, 1, false
	case at.Equal(c.last):
		c.same++
	}
	return line, true
}
