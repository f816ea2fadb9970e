package incidents

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"brazier.sh/brazier/internal/incident"
	"brazier.sh/brazier/internal/output"
)

// print writes incidents as a table, and what else there was as a line.
func (o *options) print(found []incident.Incident, now time.Time) {
	var shown []incident.Incident
	lone := 0
	for _, one := range found {
		if one.Factor.Kind == incident.OfRun && !o.lone {
			lone++
			continue
		}
		shown = append(shown, one)
	}
	if len(shown) > 0 {
		output.NewRows(o.streams, o.form.Form, o.columns(now)).Print(shown...)
	}
	span := duration.HumanDuration(o.since)
	switch {
	case len(found) == 0:
		fmt.Fprintf(o.streams.Err, "no run failed or waited in the last %s\n", span)
	case lone == 1:
		fmt.Fprintf(o.streams.Err, "1 run of the last %s failed or waits for a reason of its own; --all lists it\n", span)
	case lone > 1:
		fmt.Fprintf(o.streams.Err, "%d runs of the last %s failed or wait each for a reason of its own; --all lists them\n", lone, span)
	}
}

func (o *options) columns(now time.Time) []output.Column[incident.Incident] {
	return []output.Column[incident.Incident]{
		{Header: "SINCE", Cell: func(i incident.Incident) string { return duration.HumanDuration(now.Sub(i.Since)) }},
		{Header: "WHAT", Cell: func(i incident.Incident) string { return codes(i.Causes) }},
		{Header: "WHERE", Cell: where},
		{Header: "RUNS", Cell: func(i incident.Incident) string { return fmt.Sprint(len(i.Runs)) }},
		{Header: "APPLICATIONS", Cell: func(i incident.Incident) string { return fmt.Sprint(i.Applications()) }},
		{Header: "NAMESPACES", Cell: func(i incident.Incident) string { return fmt.Sprint(i.Namespaces()) }},
		{Header: "EXAMPLE", Cell: func(i incident.Incident) string { return i.Runs[0].Namespace + "/" + i.Runs[0].Application }},
		{Header: "NEXT", Cell: o.next},
	}
}

// codes are the most frequent causes, and how many others there were.
func codes(causes []string) string {
	const few = 3
	if len(causes) <= few {
		return strings.Join(causes, ",")
	}
	return fmt.Sprintf("%s,+%d", strings.Join(causes[:few], ","), len(causes)-few)
}

// where is what the runs have in common.
func where(i incident.Incident) string {
	switch i.Factor.Kind {
	case incident.OfRun, incident.OfApplication:
		return "one application"
	case incident.OfCause:
		return "the cluster"
	}
	return string(i.Factor.Kind) + " " + i.Factor.Name
}

// next is a command line that shows more: of a node or a storage class what the cluster says of it, else why the first run
// failed.
func (o *options) next(i incident.Incident) string {
	switch i.Factor.Kind {
	case incident.OfNode:
		return "kubectl describe node " + i.Factor.Name
	case incident.OfStorageClass:
		return "kubectl describe storageclass " + i.Factor.Name
	}
	first := i.Runs[0]
	return o.cluster.In(first.Namespace).Command("why", first.Application, "--attempt", fmt.Sprint(first.Number))
}
