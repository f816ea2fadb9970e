package simulate

import (
	"cmp"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/simulation"
	"brazier.sh/brazier/internal/terminal"
)

// tables prints results: first the engines beside each other where there are several, then the queues of each.
func (o *options) tables(results []*simulation.Result) {
	if len(results) > 1 {
		output.NewRows(o.streams, o.form.Form, engineColumns(results)).Print(results...)
		fmt.Fprintln(o.streams.Out)
	}
	for i, result := range results {
		if i > 0 {
			fmt.Fprintln(o.streams.Out)
		}
		if len(results) > 1 {
			fmt.Fprintf(o.streams.Out, "%s\n", result.Engine)
		}
		output.NewRows(o.streams, o.form.Form, queueColumns(result)).Print(result.Queues...)
		if len(results) == 1 {
			fmt.Fprintf(o.streams.Out, "\nfairness %s on average and at least %s for 95%% of the time (Jain's index: 1 is fair), over %s; the last application ended after %s\n",
				decimal(result.Fairness.Mean), decimal(result.Fairness.P5), span(result.Window), span(result.End))
		}
	}
}

func engineColumns(results []*simulation.Result) []output.Column[*simulation.Result] {
	all := func(of func(*simulation.Figures) string) func(*simulation.Result) string {
		return func(r *simulation.Result) string { return of(&r.Queues[0]) }
	}
	columns := []output.Column[*simulation.Result]{
		{Header: "ENGINE", Cell: func(r *simulation.Result) string { return r.Engine }},
		{Header: "WAITED", Cell: all(func(f *simulation.Figures) string { return span(f.Waiting.Mean) })},
		{Header: "P50", Cell: all(func(f *simulation.Figures) string { return span(f.Waiting.P50) })},
		{Header: "P95", Cell: all(func(f *simulation.Figures) string { return span(f.Waiting.P95) })},
		{Header: "MAX", Cell: all(func(f *simulation.Figures) string { return span(f.Waiting.Max) })},
		{Header: "TOOK", Cell: all(func(f *simulation.Figures) string { return span(f.Turnaround.Mean) })},
	}
	for _, name := range resources(results[0]) {
		columns = append(columns, output.Column[*simulation.Result]{
			Header: short(name), Cell: all(func(f *simulation.Figures) string { return percent(f.Used[name]) }),
		})
	}
	return append(columns, []output.Column[*simulation.Result]{
		{Header: "FAIRNESS", Cell: func(r *simulation.Result) string { return decimal(r.Fairness.Mean) }},
		{Header: "95%", Cell: func(r *simulation.Result) string { return decimal(r.Fairness.P5) }},
		{Header: "BELOW GUARANTEE", Cell: func(r *simulation.Result) string { return missed(worst(r)) }},
		{Header: "TAKEN", Cell: all(taken)},
		{Header: "NOT RUN", Cell: all(notRun)},
	}...)
}

// worst is the queue that lacked its guarantee for longest at one go. What is guaranteed to all of them is nobody's own.
func worst(r *simulation.Result) *simulation.Figures {
	found := &r.Queues[len(r.Queues)-1]
	for i := range r.Queues[1:] {
		f := &r.Queues[i+1]
		if cmp.Or(cmp.Compare(f.Guarantee.Longest, found.Guarantee.Longest), cmp.Compare(f.Guarantee.Time, found.Guarantee.Time)) > 0 {
			found = f
		}
	}
	return found
}

func queueColumns(result *simulation.Result) []output.Column[simulation.Figures] {
	columns := []output.Column[simulation.Figures]{
		{Header: "QUEUE", Cell: func(f simulation.Figures) string { return strings.Repeat("  ", f.Depth) + f.Queue }},
		{Header: "APPLICATIONS", Cell: func(f simulation.Figures) string { return strconv.Itoa(f.Applications) }},
		{Header: "WAITED", Cell: func(f simulation.Figures) string { return span(f.Waiting.Mean) }},
		{Header: "P50", Cell: func(f simulation.Figures) string { return span(f.Waiting.P50) }},
		{Header: "P95", Cell: func(f simulation.Figures) string { return span(f.Waiting.P95) }},
		{Header: "MAX", Cell: func(f simulation.Figures) string { return span(f.Waiting.Max) }},
		{Header: "TOOK", Cell: func(f simulation.Figures) string { return span(f.Turnaround.Mean) }},
	}
	for _, name := range resources(result) {
		columns = append(columns, output.Column[simulation.Figures]{
			Header: short(name), Cell: func(f simulation.Figures) string { return percent(f.Used[name]) },
		})
	}
	return append(columns, []output.Column[simulation.Figures]{
		{Header: "SHARE", Cell: func(f simulation.Figures) string { return percent(f.Dominant) }},
		{Header: "BELOW GUARANTEE", Cell: func(f simulation.Figures) string { return missed(&f) }, Tone: toneOfMissed},
		{Header: "TAKEN", Cell: func(f simulation.Figures) string { return taken(&f) }},
		{Header: "NOT RUN", Cell: func(f simulation.Figures) string { return notRun(&f) }},
	}...)
}

// resources are the names of what is used: CPU, memory, and the others.
func resources(result *simulation.Result) []string {
	names := make([]string, 0, len(result.Used))
	for name := range result.Used {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// short is the name of a resource without whose it is.
func short(resource string) string {
	_, name, found := strings.Cut(resource, "/")
	if !found {
		name = resource
	}
	return strings.ToUpper(name)
}

// missed is for how long a queue had less than it is guaranteed and wants, beyond what it takes to give back, and for how
// long at one go.
func missed(f *simulation.Figures) string {
	if f.Guarantee.Time == 0 {
		return ""
	}
	return fmt.Sprintf("%s, longest %s", span(f.Guarantee.Time), span(f.Guarantee.Longest))
}

func toneOfMissed(f simulation.Figures) terminal.Tone {
	if f.Guarantee.Time > 0 {
		return terminal.Bad
	}
	return terminal.Plain
}

// taken is how many executors, and how many whole applications, were taken back.
func taken(f *simulation.Figures) string {
	var all int64
	for _, count := range f.Reclaimed {
		all += count
	}
	switch {
	case f.Stopped > 0:
		return fmt.Sprintf("%d, %d whole", all, f.Stopped)
	case all > 0:
		return strconv.FormatInt(all, 10)
	}
	return ""
}

// notRun is how many applications came to no end of their own, and of what kind.
func notRun(f *simulation.Figures) string {
	var words []string
	if f.Unfinished > 0 {
		words = append(words, fmt.Sprintf("%d wait for ever", f.Unfinished))
	}
	reasons := make([]string, 0, len(f.Refused))
	for reason, count := range f.Refused {
		reasons = append(reasons, fmt.Sprintf("%d %s", count, reason))
	}
	sort.Strings(reasons)
	words = append(words, reasons...)
	if f.Overran > 0 {
		words = append(words, fmt.Sprintf("%d overran", f.Overran))
	}
	return strings.Join(words, ", ")
}

func span(seconds float64) string {
	return duration.HumanDuration(time.Duration(seconds * float64(time.Second)))
}

func percent(part float64) string   { return strconv.FormatFloat(part*100, 'f', 1, 64) + "%" }
func decimal(number float64) string { return strconv.FormatFloat(number, 'f', 3, 64) }
