package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Text is the report for people: the gravest first.
func (r Report) Text() string {
	var text strings.Builder
	var states []string
	for _, state := range slices.Sorted(maps.Keys(r.Summary.Applications)) {
		states = append(states, fmt.Sprintf("%d %s", r.Summary.Applications[state], state))
	}
	fmt.Fprintf(&text, "applications: %s\n", orNone(strings.Join(states, ", ")))
	fmt.Fprintf(&text, "drivers that run and go on: %d\n", r.Summary.Running)
	fmt.Fprintf(&text, "schedules: %d\n", r.Summary.Schedules)
	fmt.Fprintf(&text, "Connect servers, none of them handed over: %d\n", r.Summary.Connects)
	for _, severity := range severities() {
		r.section(&text, severity)
	}
	return text.String()
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// section writes the findings of one severity, those about one object under its name.
func (r Report) section(text *strings.Builder, severity Severity) {
	count := 0
	for _, finding := range r.Findings {
		if finding.Severity == severity {
			count++
		}
	}
	if count == 0 {
		return
	}
	fmt.Fprintf(text, "\n%s (%d)\n", strings.ToUpper(string(severity)), count)
	object := ""
	for _, finding := range r.Findings {
		if finding.Severity != severity {
			continue
		}
		if finding.Object != object {
			object = finding.Object
			fmt.Fprintf(text, "  %s\n", object)
		}
		line := finding.Means
		if finding.Field != "" {
			line = finding.Field + ": " + line
		}
		fmt.Fprintf(text, "    - %s\n", line)
		if finding.Do != "" {
			fmt.Fprintf(text, "      to do: %s\n", finding.Do)
		}
	}
}
