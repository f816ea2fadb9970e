// Package schedule tells when something that recurs is due, from an expression of cron's and a time zone. It is pure: it
// knows nothing of what recurs, nor what time it is. What is done about times that were missed is for others to decide.
package schedule

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the operator's image has no file but its program

	"github.com/robfig/cron/v3"
)

// Schedule is a parsed expression. Its zero value is never due.
type Schedule struct {
	when cron.Schedule
	zone *time.Location
	// byClock: the hour is given, so that a clock that is put back or forward makes it due neither twice nor not at all.
	byClock bool
}

// Parse reads an expression of cron's five fields, one of its names such as @daily, or an interval such as "@every 90m".
// The zone is a name of the IANA database, such as Europe/Berlin; "" and Local are that of this process.
func Parse(expression, zone string) (Schedule, error) {
	text := strings.TrimSpace(expression)
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return Schedule{}, fmt.Errorf("%q: has a time zone in it; use the field for that", expression)
	}
	where, err := loadZone(zone)
	if err != nil {
		return Schedule{}, err
	}
	when, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("%q: %w; write for example \"30 2 * * *\", @daily or @every 90m", expression, err)
	}
	return Schedule{when: when, zone: where, byClock: givesHour(text)}, nil
}

func loadZone(name string) (*time.Location, error) {
	if name == "" {
		name = "Local"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone; write a name such as Europe/Berlin or UTC: %w", name, err)
	}
	return zone, nil
}

// givesHour reports whether an expression is due at certain hours, and not every hour or every so many. That is how cron
// has told the two since Vixie's: the former go by the clock on the wall, the latter by the time that passes.
func givesHour(expression string) bool {
	switch fields := strings.Fields(expression); {
	case len(fields) == 5:
		return !strings.HasPrefix(fields[1], "*")
	case strings.HasPrefix(expression, "@every"), expression == "@hourly":
		return false
	default:
		return true
	}
}

// Next returns the first time after a given one at which the schedule is due, in whole seconds, or the zero time if there
// is none within five years, as for a 30th of February.
//
// Where the clock is put forward over the time, it is due when the clock is; where it is put back over it, it is due the
// first time only.
func (s Schedule) Next(after time.Time) time.Time {
	if s.when == nil {
		return time.Time{}
	}
	if !s.byClock {
		return s.when.Next(after.In(s.zone))
	}
	// The clock on the wall as if it were never put: every time of the expression is there, once.
	wall := onWall(after.In(s.zone)).Add(-dstSpan)
	for {
		wall = s.when.Next(wall)
		if wall.IsZero() {
			return time.Time{}
		}
		if due := s.first(wall); due.After(after) {
			return due
		}
	}
}

// dstSpan is more than any zone's clock is put by, so that looking begins before a time that was skipped.
const dstSpan = 25 * time.Hour

func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// first returns the first moment at which a clock in the zone shows at least what wall does.
func (s Schedule) first(wall time.Time) time.Time {
	guess := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, s.zone)
	start, end := guess.ZoneBounds()
	if !onWall(guess).Equal(wall) { // the clock never shows it
		if !end.IsZero() && onWall(guess).Before(wall) {
			return end
		}
		return start
	}
	// Shown twice, it may be the second time: the first is before the clock was put back.
	if !start.IsZero() {
		_, before := start.Add(-time.Second).Zone()
		_, now := guess.Zone()
		earlier := guess.Add(time.Duration(now-before) * time.Second)
		if earlier.Before(start) && onWall(earlier).Equal(wall) {
			return earlier
		}
	}
	return guess
}
