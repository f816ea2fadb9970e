package evidence

import (
	"encoding/json"
	"fmt"
	"slices"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// MaxRecord is how large a record is at most, as JSON. etcd takes 1.5 MiB, and a namespace may have hundreds.
const MaxRecord = 224 << 10

// Bounds of evidence, in pieces.
const (
	maxRefusals, maxHolds, maxPods, maxEvents, maxLogs, maxCauses = 5, 20, 40, 80, 8, 12
)

// Fit drops what is too much of record, least telling first, and counts it. It is an error if a record cannot be encoded.
func Fit(record *v1alpha1.RunRecord) error {
	e := &record.Evidence
	e.Refusals = ends(e.Refusals, maxRefusals, &e.Dropped)
	e.Holds = ends(e.Holds, maxHolds, &e.Dropped)
	e.Pods = ends(e.Pods, maxPods, &e.Dropped)
	e.Events = ends(e.Events, maxEvents, &e.Dropped)
	e.Logs = ends(e.Logs, maxLogs, &e.Dropped)
	record.Causes = record.Causes[:min(len(record.Causes), maxCauses)]
	for {
		size, err := sizeOf(record)
		if err != nil {
			return err
		}
		if size <= MaxRecord || !drop(record) {
			return nil
		}
	}
}

func sizeOf(record *v1alpha1.RunRecord) (int, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return 0, fmt.Errorf("measure the record: %w", err)
	}
	return len(text), nil
}

// drop takes something off the record, and reports whether there was anything left that could be missed.
func drop(record *v1alpha1.RunRecord) bool {
	const few = 4
	e := &record.Evidence
	longest := -1
	for i := range e.Logs {
		if n := len(e.Logs[i].Lines); n > few && (longest < 0 || n > len(e.Logs[longest].Lines)) {
			longest = i
		}
	}
	switch {
	case longest >= 0:
		log := &e.Logs[longest]
		log.Lines = ends(log.Lines, len(log.Lines)*3/4, &log.Dropped)
	case len(e.Events) > few:
		e.Events = ends(e.Events, len(e.Events)*3/4, &e.Dropped)
	case len(e.Pods) > few:
		e.Pods = ends(e.Pods, len(e.Pods)*3/4, &e.Dropped)
	case len(e.Holds)+len(e.Logs) > 0:
		e.Dropped += int64(len(e.Holds) + len(e.Logs))
		e.Holds, e.Logs = nil, nil
	default:
		return false
	}
	return true
}

// ends keeps of a list the first and the last ones, limit of them in all, and counts the others.
func ends[T any](list []T, limit int, dropped *int64) []T {
	if len(list) <= limit {
		return list
	}
	*dropped += int64(len(list) - limit)
	first := (limit + 1) / 2
	return slices.Concat(list[:first], list[len(list)-(limit-first):])
}
