package simulation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/internal/queuetree"
)

// wrong lists what is wrong with a cell.
func (r *rows) wrong(column, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("line %d, %s: %q %s", r.line, column, r.cell(column), fmt.Sprintf(format, args...)))
}

// cell is what a column says; "" is nothing.
func (r *rows) cell(column string) string {
	i, ok := r.columns[column]
	if !ok {
		return ""
	}
	return strings.Clone(strings.TrimSpace(r.record[i]))
}

func (r *rows) text(column string) string {
	text := r.cell(column)
	if text == "" {
		r.wrong(column, "says nothing; every application has one")
	}
	return text
}

func (r *rows) id() string {
	id := r.text(columnID)
	if line, ok := r.ids[id]; ok {
		r.wrong(columnID, "is the application of line %d already; write another", line)
	}
	return id
}

// amount is what a column says of a resource, in the engine's unit.
func (r *rows) amount(column, name string) int64 {
	text := r.cell(column)
	quantity, err := resource.ParseQuantity(text)
	example := map[string]string{"cpu": "2 or 500m", "memory": "8Gi or 512Mi"}[name]
	if err != nil || quantity.Sign() < 0 {
		r.wrong(column, "is not an amount of %s; write for example %s", name, example)
		return 0
	}
	if wrong := queuetree.Check(name, quantity); wrong != "" {
		r.wrong(column, "%s", wrong)
		return 0
	}
	if name == "memory" && quantity.Sign() > 0 && quantity.CmpInt64(1<<20) < 0 {
		r.wrong(column, "is less than 1Mi; a number without a unit is bytes, write for example %s", example)
		return 0
	}
	return queuetree.Amount(name, quantity)
}

// count is what a column says as a whole number from least on; unsaid is what it is where it says nothing.
func (r *rows) count(column string, least, unsaid int64) int64 {
	text := r.cell(column)
	if text == "" && (column != columnMinimum) {
		return unsaid
	}
	count, err := strconv.ParseInt(text, 10, 64)
	if err != nil || count < least || count > mostExecutors {
		r.wrong(column, "is not a whole number from %d to %d", least, int64(mostExecutors))
		return least
	}
	return count
}

func (r *rows) priority() *int32 {
	text := r.cell(columnPriority)
	if text == "" {
		return nil
	}
	priority, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		r.wrong(columnPriority, "is not a whole number; write for example 0, or leave it empty")
		return nil
	}
	return new(int32(priority))
}

// time is what a column says of a length of time, in seconds or as a Go duration; 0 where it says nothing.
func (r *rows) time(column string) time.Duration {
	text := r.cell(column)
	if text == "" {
		return 0
	}
	span, ok := span(text)
	if !ok || span <= 0 {
		r.wrong(column, "is not a length of time; write seconds such as 90, or 1m30s")
		return 0
	}
	return span
}

// span reads seconds, or a Go duration.
func span(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= 0 && seconds <= mostTime.Seconds()) { // what is not a number is not in between either
			return 0, false
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	length, err := time.ParseDuration(text)
	return length, err == nil && length >= 0 && length <= mostTime
}

// work fills in when app ends.
func (r *rows) work(app *Application) {
	work, duration := r.cell(columnWork), r.time(columnDuration)
	switch {
	case work == "" && r.cell(columnDuration) == "":
		column := columnWork
		if _, ok := r.columns[column]; !ok {
			column = columnDuration
		}
		r.wrong(column, "says nothing; write how much work it is, or how long it takes")
	case work != "" && r.cell(columnDuration) != "":
		r.wrong(columnDuration, "is there beside work; write one of them")
	case work != "":
		app.Work = r.time(columnWork)
	case app.Maximum > app.Minimum:
		r.wrong(columnDuration, "is for a fixed number of executors, and from %d to %d are wanted; write work, or leave executors_maximum out", app.Minimum, app.Maximum)
	case duration > mostTime/time.Duration(app.Minimum):
		r.wrong(columnDuration, "is too long for so many executors")
	default:
		app.Work, app.Fixed = duration*time.Duration(app.Minimum), true
	}
}

// submit is when an application came: seconds from any beginning, or a time of day; all lines alike.
func (r *rows) submit() time.Time {
	text := r.cell(columnSubmit)
	at, err := time.Parse(time.RFC3339Nano, text)
	origin := "a time"
	if since, ok := span(text); ok {
		at, err, origin = time.Unix(0, 0).Add(since), nil, "seconds"
	}
	switch {
	case err != nil:
		r.wrong(columnSubmit, "is not a time; write seconds such as 3600, or a time as in 2026-11-26T08:00:00Z")
	case r.origin != "" && r.origin != origin:
		r.wrong(columnSubmit, "is %s, and lines before have %s; write all alike", origin, r.origin)
	default:
		r.origin = origin
	}
	return at
}
