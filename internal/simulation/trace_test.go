package simulation

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const gi = 1 << 30

func TestReadTrace(t *testing.T) {
	const trace = "\ufeff# a comment\n" + `id,queue,user,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,gpus,executors_minimum,executors_maximum,work,duration,priority,max_run_time
late, sales, anna, 2026-11-26T08:00:10.5Z, 1, 2Gi, 500m, 1Gi, 1, 2, 8, 3600, , -3, 20m
"first, so to say",ops,,2026-11-26T10:00:00+02:00,2,4Gi,1,1Gi,,3,,,1m30s,,
`
	got, err := ReadTrace(strings.NewReader(trace))
	if err != nil {
		t.Fatal(err)
	}
	want := &Trace{
		Begin: time.Date(2026, 11, 26, 10, 0, 0, 0, time.FixedZone("", 2*3600)),
		Applications: []Application{
			{
				ID: "first, so to say", Queue: "ops", Driver: Pod{CPU: 2000, Memory: 4 * gi}, Executor: Pod{CPU: 1000, Memory: gi},
				Minimum: 3, Maximum: 3, Work: 270 * time.Second, Fixed: true, Line: 4,
			},
			{
				ID: "late", Queue: "sales", User: "anna", Submit: 10500 * time.Millisecond,
				Driver: Pod{CPU: 1000, Memory: 2 * gi}, Executor: Pod{CPU: 500, Memory: gi, GPUs: 1},
				Minimum: 2, Maximum: 8, Work: time.Hour, Priority: new(int32(-3)), MaxRunTime: 20 * time.Minute, Line: 3,
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadTraceErrors(t *testing.T) {
	const header = "id,queue,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,executors_minimum,executors_maximum,work,duration\n"
	const good = "a,q,0,1,1Gi,1,1Gi,1,2,60,\n"
	tests := map[string]struct{ reason, trace, want string }{
		"Empty": {
			"What is empty says what it should begin with.", "",
			"the trace is empty; its first line names the columns: id,queue,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,executors_minimum",
		},
		"HeaderAlone": {"A trace without applications replays nothing.", header, "the trace has no applications below its first line"},
		"Misspelt": {
			"A column that is misspelt would have no effect.", "id,que\n",
			`line 1: "que" is not a column of a trace; write some of id, queue, submit, driver_cpu, driver_memory, executor_cpu, executor_memory, executors_minimum, user, gpus, executors_maximum, work, duration, priority, max_run_time`,
		},
		"Twice":   {"Which of two counts is not guessed.", "id,ID\n", `line 1: the column "ID" is there twice; leave one out`},
		"Missing": {"All that is needed is asked for.", "id\n", `line 1: the column "queue" is missing; a trace has id, queue, submit, driver_cpu, driver_memory, executor_cpu, executor_memory, executors_minimum, and work or duration`},
		"NoEnd": {
			"Something has to say when an application ends.", strings.Join(required, ",") + "\n",
			`line 1: there is neither a column "work" (executor-seconds) nor "duration"; one of them says when an application ends`,
		},
		"Fields":    {"A line that is too short is not filled up.", header + "a,q\n", "line 2: 2 fields where the first line names 11 columns"},
		"Same":      {"Applications are told apart by their ids.", header + good + good, `line 3, id: "a" is the application of line 2 already; write another`},
		"NoQueue":   {"Each is in a queue.", header + "a,,0,1,1Gi,1,1Gi,1,2,60,\n", `line 2, queue: "" says nothing; every application has one`},
		"Submit":    {"A time is one of two forms.", header + "a,q,noon,1,1Gi,1,1Gi,1,2,60,\n", `line 2, submit: "noon" is not a time; write seconds such as 3600, or a time as in 2026-11-26T08:00:00Z`},
		"Mixed":     {"Two forms have no common beginning.", header + good + "b,q,2026-11-26T08:00:00Z,1,1Gi,1,1Gi,1,2,60,\n", `line 3, submit: "2026-11-26T08:00:00Z" is a time, and lines before have seconds; write all alike`},
		"CPU":       {"The value and what would be right are in the error.", header + "a,q,0,two,1Gi,1,1Gi,1,2,60,\n", `line 2, driver_cpu: "two" is not an amount of cpu; write for example 2 or 500m`},
		"SparkSize": {"Sizes are those of pods, as Kubernetes writes them.", header + "a,q,0,1,1g,1,1Gi,1,2,60,\n", `line 2, driver_memory: "1g" is not an amount of memory; write for example 8Gi or 512Mi`},
		"NoUnit":    {"A number of gigabytes without a unit would be bytes.", header + "a,q,0,1,1Gi,1,16,1,2,60,\n", `line 2, executor_memory: "16" is less than 1Mi; a number without a unit is bytes, write for example 8Gi or 512Mi`},
		"Minimum":   {"An application has an executor at least.", header + "a,q,0,1,1Gi,1,1Gi,0,2,60,\n", `line 2, executors_minimum: "0" is not a whole number from 1 to 100000`},
		"Maximum":   {"Nobody wants less than the minimum.", header + "a,q,0,1,1Gi,1,1Gi,3,2,60,\n", `line 2, executors_maximum: "2" is not a whole number from 3 to 100000`},
		"Neither":   {"It has to end some time.", header + "a,q,0,1,1Gi,1,1Gi,1,2,,\n", `line 2, work: "" says nothing; write how much work it is, or how long it takes`},
		"Both":      {"It ends in one way.", header + "a,q,0,1,1Gi,1,1Gi,1,,60,60\n", `line 2, duration: "60" is there beside work; write one of them`},
		"Elastic":   {"A duration holds for a number of executors.", header + "a,q,0,1,1Gi,1,1Gi,1,2,,60\n", `line 2, duration: "60" is for a fixed number of executors, and from 1 to 2 are wanted; write work, or leave executors_maximum out`},
		"Work":      {"Work is a length of time.", header + "a,q,0,1,1Gi,1,1Gi,1,2,NaN,\n", `line 2, work: "NaN" is not a length of time; write seconds such as 90, or 1m30s`},
		"Several": {
			"All that is wrong is said at once.", header + "a,q,0,x,1Gi,1,1Gi,1,2,60,\nb,q,y,1,1Gi,1,1Gi,1,2,60,\n",
			"line 2, driver_cpu: \"x\" is not an amount of cpu; write for example 2 or 500m\nline 3, submit: \"y\" is not a time; write seconds such as 3600, or a time as in 2026-11-26T08:00:00Z",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ReadTrace(strings.NewReader(tt.trace))
			if err == nil {
				t.Fatalf("%s got no error", tt.reason)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// FuzzReadTrace: what is read is within bounds, and is read again as it was written.
func FuzzReadTrace(f *testing.F) {
	const header = "id,queue,submit,driver_cpu,driver_memory,executor_cpu,executor_memory,executors_minimum,executors_maximum,work,duration,priority,max_run_time,gpus,user\n"
	f.Add(header + "a,q,0,1,1Gi,1,1Gi,1,2,60,,1,1m,1,u\n")
	f.Add(header + "a,q,2026-11-26T08:00:00.5+01:00,500m,1Gi,1,1Gi,1,,,1h,,,,\n")
	f.Add(header + "a,q,1e3,0.1,1e9,1,1Gi,1,2,0x1p4,,,,,\n")
	f.Add("\ufeffID,queue\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := ReadTrace(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, app := range trace.Applications {
			if app.Submit < 0 || app.Submit > mostTime || app.Work <= 0 || app.Minimum < 1 || app.Maximum < app.Minimum || app.Driver.CPU < 0 || app.Executor.Memory < 0 {
				t.Fatalf("out of bounds: %+v", app)
			}
		}
		var first, second bytes.Buffer
		if err := trace.Write(&first); err != nil {
			t.Fatal(err)
		}
		again, err := ReadTrace(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what was written is not read: %v\n%s", err, first.String())
		}
		if err := again.Write(&second); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first.String(), second.String()); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
	})
}
