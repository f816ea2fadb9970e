package incidents

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/internal/incident"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/output"
	"brazier.sh/brazier/internal/terminal"
)

func TestTable(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	run := func(namespace, app string, ago time.Duration, cause v1alpha1.Cause) incident.Run {
		return incident.Run{Namespace: namespace, Application: app, UID: "uid", Number: 3, At: now.Add(-ago), Causes: []v1alpha1.Cause{cause}}
	}
	silent := v1alpha1.Cause{Code: "executor-silent", Node: "worker-3", Transient: true}
	lost := v1alpha1.Cause{Code: "shuffle-lost", Node: "worker-3", Transient: true}
	memory := v1alpha1.Cause{Code: "executor-out-of-memory"}
	runs := []incident.Run{
		run("etl", "orders", 40*time.Minute, silent), run("etl", "prices", 38*time.Minute, lost), run("bi", "report", 30*time.Minute, silent),
		run("etl", "nightly", 20*time.Hour, memory), run("etl", "nightly", time.Hour, memory),
		run("bi", "alone", 2*time.Hour, memory),
	}
	runs[4].Number = 4
	tests := map[string]struct {
		reason   string
		options  options
		runs     []incident.Run
		out, err string
	}{
		"None": {reason: "Nothing is said to be nothing.", err: "no run failed or waited in the last 24h\n"},
		"Several": {
			reason: "Each incident is a line with what to do next; lone failures are a number.",
			runs:   runs, options: options{cluster: kube.Flags{Context: "prod"}},
			out: `
SINCE  WHAT                          WHERE            RUNS  APPLICATIONS  NAMESPACES  EXAMPLE      NEXT
40m    executor-silent,shuffle-lost  node worker-3    3     3             2           etl/orders   kubectl describe node worker-3
20h    executor-out-of-memory        one application  2     1             1           etl/nightly  brazier why --context prod --namespace etl nightly --attempt 3
`,
			err: "1 run of the last 24h failed or waits for a reason of its own; --all lists it\n",
		},
		"All": {
			reason: "Lone failures are listed where they are asked for.",
			runs:   runs[5:], options: options{lone: true},
			out: `
SINCE  WHAT                    WHERE            RUNS  APPLICATIONS  NAMESPACES  EXAMPLE   NEXT
120m   executor-out-of-memory  one application  1     1             1           bi/alone  brazier why --namespace bi alone --attempt 3
`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out, progress bytes.Buffer
			tt.options.streams = terminal.Streams{Out: &out, Err: &progress}
			tt.options.since = 24 * time.Hour
			tt.options.form.Form = output.Table
			tt.options.print(incident.Find(tt.runs), now)
			if diff := cmp.Diff(strings.TrimPrefix(tt.out, "\n"), out.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.err, progress.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
