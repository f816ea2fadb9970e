package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/test/apiserver"
)

// fieldsOf are the words of the line of a table that begins with name.
func fieldsOf(t *testing.T, table, name string) []string {
	t.Helper()
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, name+" ") {
			return regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1)
		}
	}
	t.Fatalf("no line of %s in\n%s", name, table)
	return nil
}

func (w *world) testPs(t *testing.T) {
	out, _ := w.run(t, "ps")
	works := fieldsOf(t, out, "works")
	works[3], works[4] = "AGE", "DURATION" // They are the clock's.
	if diff := cmp.Diff([]string{"works", "RUNNING", "1", "AGE", "DURATION", "1/3", "-"}, works); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	broken := fieldsOf(t, out, "broken")
	if got := broken[len(broken)-1]; got != "driver container failed with ExitCode: 1" {
		t.Errorf("the line of a failure ends with %q", got)
	}
	has(t, out, "the operator has not seen it yet")
	out, _ = w.run(t, "list", "--state", "failed", "-o", "name")
	if out != "sparkapplication.sparkoperator.k8s.io/broken\n" {
		t.Errorf("by state, and by name: got %q", out)
	}
	out, _ = w.run(t, "ps", "-l", "team=sales", "-o", "json")
	var list struct {
		Kind  string
		Items []v1beta2.SparkApplication
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatal(err)
	}
	if list.Kind != "List" || len(list.Items) != 1 || list.Items[0].Name != "works" || list.Items[0].Kind != "SparkApplication" {
		t.Errorf("the API's own form is not what programs read: %s", out)
	}
	out, _ = w.run(t, "ps", "-A", "-o", "wide")
	has(t, out, "NAMESPACE", "SPARK", "default    works", "works-driver")
	_, said := w.run(t, "ps", "-l", "team=none")
	has(t, said, "there are no such applications in namespace default; --all-namespaces looks everywhere")
	w.fails(t, `--state: "done" is not a state of applications`, "ps", "--state", "done")
	w.fails(t, `--output: "xml" is not a form; write table, wide, json, yaml or name`, "ps", "-o", "xml")
	w.fails(t, `--selector: "a=b=c" cannot be read`, "ps", "-l", "a=b=c")
}

func (w *world) testPsWatch(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), apiserver.Patience)
	defer stop()
	var out, said buffer
	ended := make(chan error, 1)
	go func() { ended <- w.start(ctx, &out, &said, "ps", "--watch") }()
	eventually(t, "what there is is listed", func() bool { return strings.Contains(out.String(), "works") })
	w.create(t, "watched", nil)
	eventually(t, "a new one is told", func() bool { return strings.Contains(out.String(), "watched") })
	w.status(t, "watched", state(v1beta2.ApplicationStateCompleted, ""))
	eventually(t, "a change is told", func() bool { return strings.Contains(out.String(), "COMPLETED") })
	w.run(t, "cancel", "--delete", "watched")
	eventually(t, "that it is gone is told", func() bool { return strings.Contains(out.String(), "DELETING") })
	stop()
	if err := <-ended; exit.Of(err) != exit.Interrupted {
		t.Errorf("got %v, want the code of an interruption", err)
	}
	if n := strings.Count(out.String(), "works "); n != 1 {
		t.Errorf("what does not change is told %d times\n%s", n, out.String())
	}
}

func (w *world) testGet(t *testing.T) {
	out, _ := w.run(t, "get", "works")
	has(t, out, "default/works is RUNNING, submitted", "pod works-driver on node node-1, running", "1 running; 3 asked for", "brazier cancel", "brazier logs")
	out, _ = w.run(t, "get", "broken")
	has(t, out, "FAILED", "driver container failed with ExitCode: 1", "brazier rerun")
	out, _ = w.run(t, "get", "works", "-o", "yaml")
	has(t, out, "kind: SparkApplication", "state: RUNNING")
	w.fails(t, `there is no application "work" in namespace default; did you mean works?`, "get", "work")
	w.fails(t, `there is no application "zzz" in namespace default; "brazier ps`, "get", "zzz")
	w.fails(t, "APP: name one application", "get")
	w.fails(t, "--wait: write --wait=running, with '='", "get", "works", "--wait", "running")
}

func (w *world) testGetWaits(t *testing.T) {
	w.create(t, "waited", nil)
	var out, said buffer
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	go func() { ended <- w.start(ctx, &out, &said, "get", "waited", "--wait=running") }()
	w.status(t, "waited", state(v1beta2.ApplicationStateRunning, ""))
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	has(t, out.String(), "default/waited is RUNNING")
	go func() { ended <- w.start(ctx, &out, &said, "get", "waited", "--wait") }()
	w.status(t, "waited", state(v1beta2.ApplicationStateFailed, "it broke"))
	if err := <-ended; exit.Of(err) != exit.Failure || !exit.Silent(err) {
		t.Errorf("one that fails where a good end is waited for: got %v", err)
	}
	has(t, out.String(), "it broke")
	w.run(t, "get", "waited", "--wait=ended")
	w.create(t, "forever", nil)
	w.fails(t, "--timeout: default/forever is not running after 200ms", "get", "forever", "--wait=running", "--timeout", "200ms")
}

func (w *world) testEvents(t *testing.T) {
	app := w.get(t, "works")
	tell := func(name, kind string, uid string, reason string, at time.Time) {
		_, err := w.cluster.CoreV1().Events(space).Create(t.Context(), &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: strings.ToLower(name + "." + reason)},
			InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: space, Name: name},
			Reason:         reason, Message: "told of " + reason, Type: corev1.EventTypeNormal, Count: 1,
			FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at),
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().Add(time.Second)
	tell("works-driver", "Pod", "", "Pulled", now.Add(2*time.Second))
	tell("works", "SparkApplication", string(app.UID), "Submitted", now)
	tell("other-driver", "Pod", "", "Scheduled", now)
	w.record(t, &recordv1.RunRecord{
		ObjectMeta:  metav1.ObjectMeta{Name: "works.1.x", Labels: map[string]string{v1beta2.LabelAppName: "works", v1beta2.LabelRun: "1"}},
		Application: recordv1.ApplicationReference{Name: "works", UID: app.UID}, Run: 1,
		Evidence: recordv1.Evidence{Events: []recordv1.Event{{Object: "Pod/works-exec-9", Reason: "OOMKilling", Message: "was killed", Last: metav1.NewTime(now.Add(time.Second))}}},
	})
	out, _ := w.run(t, "events", "works")
	has(t, out, "SparkApplication/works", "was killed [kept from run 1]")
	if strings.Contains(out, "other-driver") {
		t.Errorf("events of others are none of its\n%s", out)
	}
	order := []int{strings.Index(out, "Submitted"), strings.Index(out, "OOMKilling"), strings.Index(out, "Pulled")}
	if !slices.IsSorted(order) {
		t.Errorf("events are told in the order of time\n%s", out)
	}
	ctx, stop := context.WithTimeout(t.Context(), apiserver.Patience)
	defer stop()
	var watched, said buffer
	ended := make(chan error, 1)
	go func() { ended <- w.start(ctx, &watched, &said, "events", "works", "--watch") }()
	eventually(t, "what there is is told", func() bool { return strings.Contains(watched.String(), "Pulled") })
	tell("works-exec-1", "Pod", "", "Started", now.Add(5*time.Second))
	eventually(t, "what comes is told", func() bool { return strings.Contains(watched.String(), "told of Started") })
	stop()
	if err := <-ended; exit.Of(err) != exit.Interrupted {
		t.Errorf("got %v, want the code of an interruption", err)
	}
	if n := strings.Count(watched.String(), "told of Pulled"); n != 1 {
		t.Errorf("an event is told %d times\n%s", n, watched.String())
	}
}

// testKept shows what was kept of an application after its pods, and it itself, are gone.
func (w *world) testKept(t *testing.T) {
	app := w.create(t, "gone", nil)
	w.status(t, "gone", state(v1beta2.ApplicationStateFailed, "driver container failed with ExitCode: 137"))
	at := metav1.NewMicroTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	later := metav1.NewMicroTime(at.Add(time.Second))
	w.record(t, &recordv1.RunRecord{
		ObjectMeta:  metav1.ObjectMeta{Name: "gone.1.x", Labels: map[string]string{v1beta2.LabelAppName: "gone", v1beta2.LabelRun: "1"}},
		Application: recordv1.ApplicationReference{Name: "gone", UID: app.UID}, Run: 1,
		Causes: []recordv1.Cause{{Code: "container-out-of-memory", Why: "the driver used more memory than its limit", Confidence: recordv1.ConfidenceHigh}},
		Evidence: recordv1.Evidence{
			Pods: []recordv1.Pod{
				{Name: "gone-driver", UID: "d", Role: recordv1.RoleDriver, Containers: []recordv1.Container{{
					Name: v1beta2.DriverContainerName, Terminated: &recordv1.ContainerEnd{ExitCode: 137, Reason: "OOMKilled"},
				}}},
				{Name: "gone-exec-2", UID: "e", Role: recordv1.RoleExecutor, Executor: "2", Phase: "Failed"},
			},
			Events: []recordv1.Event{{Object: "Pod/gone-driver", Reason: "OOMKilling", Message: "was killed"}},
			Logs: []recordv1.Log{
				{Pod: "gone-driver", Total: 900, Lines: []recordv1.LogLine{{Number: 900, At: &later, Text: "last words"}}},
				{Pod: "gone-exec-2", Total: 1, Lines: []recordv1.LogLine{{Number: 1, At: &at, Text: "an executor's words"}}},
			},
		},
	})
	out, said := w.run(t, "logs", "gone")
	if out != "last words\n" {
		t.Errorf("of the driver's log this was kept: %q", out)
	}
	has(t, said, "the driver's pod gone-driver is gone (exit code 137, OOMKilled); of its log 1 of 900 lines were kept")
	out, _ = w.run(t, "logs", "gone", "executor", "2", "--timestamps")
	if out != "2026-11-23T12:00:00Z an executor's words\n" {
		t.Errorf("of the executor's log: %q", out)
	}
	w.fails(t, "there is no pod of the executor 7 of default/gone in attempt 1, and nothing was kept of it", "logs", "gone", "executor", "7")
	w.fails(t, "--previous: default/gone has had no attempt before this one", "logs", "gone", "--previous")
	out, _ = w.run(t, "get", "gone")
	has(t, out, "the driver used more memory than its limit", "driver container failed with ExitCode: 137")
	w.run(t, "cancel", "--delete", "--wait", "gone")
	out, said = w.run(t, "logs", "gone", "--all")
	if out != "executor 2 │ an executor's words\ndriver     │ last words\n" {
		t.Errorf("all that was kept, in the order of time: %q", out)
	}
	has(t, said, "default/gone was deleted; this was kept of attempt 1")
	out, _ = w.run(t, "events", "gone")
	has(t, out, "OOMKilling", "[kept from run 1]")
	w.fails(t, "the application default/gone was deleted, and its specification with it; run it again from its manifest", "rerun", "gone")
}

func (w *world) testUI(t *testing.T) {
	w.create(t, "without-ui", func(app *v1beta2.SparkApplication) {
		app.Spec.SparkConf = map[string]string{"spark.ui.enabled": "false"}
	})
	w.fails(t, "its spark.ui.enabled is false", "ui", "without-ui")
	w.fails(t, "default/fresh does not run yet (NEW)", "ui", "fresh")
	w.fails(t, "default/broken has ended (FAILED), and its web interface with it", "ui", "broken")
	w.fails(t, "default/broken has ended", "ui", "broken", "--port", "0")
	w.fails(t, "--port: 70000 is not a port", "ui", "works", "--port", "70000")
}

func (w *world) testCancel(t *testing.T) {
	w.create(t, "stops", func(app *v1beta2.SparkApplication) { app.Labels = map[string]string{"stop": "yes"} })
	w.status(t, "stops", state(v1beta2.ApplicationStateRunning, ""))
	w.create(t, "stops-too", func(app *v1beta2.SparkApplication) { app.Labels = map[string]string{"stop": "yes"} })
	out, said := w.run(t, "cancel", "-l", "stop=yes")
	has(t, out, "default/stops is cancelled", "default/stops-too is cancelled")
	has(t, said, "to run it again:  brazier resume", "to delete it:     brazier cancel")
	if !w.get(t, "stops").Spec.Suspend {
		t.Error("spec.suspend must end the run")
	}
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	var waited, quiet buffer
	ended := make(chan error, 1)
	go func() { ended <- w.start(ctx, &waited, &quiet, "cancel", "stops", "--wait") }()
	w.status(t, "stops", state(v1beta2.ApplicationStateSuspended, ""))
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	out, _ = w.run(t, "cancel", "stops")
	has(t, out, "default/stops is cancelled already")
	out, _ = w.run(t, "resume", "stops")
	has(t, out, "default/stops is resumed")
	if w.get(t, "stops").Spec.Suspend {
		t.Error("spec.suspend must be taken back")
	}
	out, _ = w.run(t, "cancel", "broken")
	has(t, out, "default/broken has ended already: FAILED")
	if w.get(t, "broken").Spec.Suspend {
		t.Error("one that has ended is left as it is")
	}
	w.fails(t, `default/broken has ended (FAILED); run it again with "brazier rerun`, "resume", "broken")
	_, _, err := w.try(t, "cancel", "none", "stops-too", "--delete")
	if err == nil || !strings.Contains(err.Error(), `there is no application "none"`) {
		t.Errorf("got %v", err)
	}
	app := new(v1beta2.SparkApplication)
	err = w.apps.Get().Namespace(space).Resource(kube.ApplicationsResource).Name("stops-too").Do(t.Context()).Into(app)
	if !apierrors.IsNotFound(err) {
		t.Errorf("one that is missing keeps the others from nothing, got %v", err)
	}
}

func (w *world) testRerun(t *testing.T) {
	out, said := w.run(t, "rerun", "works", "--set", "executor.instances=5", "--set", "spark.sql.shuffle.partitions=7")
	name := strings.TrimSpace(out)
	has(t, said, "follow it with", "brazier follow")
	app := w.get(t, name)
	if !strings.HasPrefix(name, "works-") || app.Labels["team"] != "sales" || *app.Spec.Executor.Instances != 5 ||
		app.Spec.SparkConf["spark.sql.shuffle.partitions"] != "7" || len(app.Annotations) > 0 || app.Status.Run != 0 {
		t.Errorf("this is not the old one again: %+v", app)
	}
	w.fails(t, `--name: there is an application "broken" in the namespace "default" already`, "rerun", "works", "--name", "broken")
	w.fails(t, `--set: "executor.instance=5" does not fit a SparkApplication`, "rerun", "works", "--set", "executor.instance=5")
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	var out2, progress buffer
	ended := make(chan error, 1)
	go func() { ended <- w.start(ctx, &out2, &progress, "rerun", "works", "--name", "again", "--follow") }()
	eventually(t, "it is created", func() bool { return strings.Contains(progress.String(), "default/again is created") })
	w.status(t, "again", state(v1beta2.ApplicationStateFailed, "no"))
	if err := <-ended; exit.Of(err) != exit.Failure || !exit.Silent(err) {
		t.Errorf("it ends as the application does, got %v", err)
	}
}

func (w *world) testSchedule(t *testing.T) {
	out, said := w.run(t, "schedule", "works", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--name", "nightly", "--concurrency", "forbid")
	if out != "nightly\n" || strings.Count(said, " 02:30 CE") != 3 {
		t.Errorf("its name, and its next three times: %q\n%s", out, said)
	}
	schedule := new(v1beta2.ScheduledSparkApplication)
	read := func() error {
		return w.apps.Get().Namespace(space).Resource(kube.SchedulesResource).Name("nightly").Do(t.Context()).Into(schedule)
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	if s := schedule.Spec; s.TimeZone != "Europe/Berlin" || s.ConcurrencyPolicy != v1beta2.ConcurrencyForbid || *s.Template.Executor.Instances != 3 || schedule.Labels["team"] != "sales" {
		t.Errorf("this is not a schedule of the application: %+v", schedule)
	}
	out, _ = w.run(t, "schedule", "suspend", "nightly")
	has(t, out, "the schedule default/nightly is suspended")
	out, _ = w.run(t, "schedule", "ls")
	has(t, out, "nightly", "Suspended", "30 2 * * *", "Europe/Berlin")
	w.run(t, "schedule", "resume", "nightly")
	if err := read(); err != nil || schedule.Spec.Suspend {
		t.Errorf("it must go on: %v, %+v", err, schedule.Spec.Suspend)
	}
	out, _ = w.run(t, "schedule", "run-now", "nightly", "--set", "arguments=[today]")
	run := w.get(t, strings.TrimSpace(out))
	if !metav1.IsControlledBy(run, schedule) || run.Labels[v1beta2.LabelScheduledAppName] != "nightly" || run.Spec.Arguments[0] != "today" {
		t.Errorf("this is not a run of the schedule: %+v", run)
	}
	w.fails(t, "a run of the schedule default/nightly goes on, "+run.Name, "schedule", "run-now", "nightly")
	w.fails(t, `there is no schedule "nightl" in namespace default; did you mean nightly?`, "schedule", "rm", "nightl")
	w.fails(t, `--cron: "every day"`, "schedule", "works", "--cron", "every day")
	w.fails(t, "--cron: say when", "schedule", "works")
	w.fails(t, "--zone: \"Mars\" is not a time zone", "schedule", "works", "--cron", "@daily", "--zone", "Mars")
	w.fails(t, `--name: there is a schedule "nightly" in the namespace "default" already`, "schedule", "works", "--cron", "@daily", "--name", "nightly")
	manifest := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(manifest, []byte(`{apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: {name: hourly},
spec: {type: Python, sparkVersion: 4.3.0, mainApplicationFile: "local:///x.py", driver: {}, executor: {}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ = w.run(t, "schedule", "-f", manifest, "--cron", "@hourly"); out != "hourly\n" {
		t.Errorf("of a manifest: %q", out)
	}
	out, _ = w.run(t, "schedule", "rm", "nightly", "hourly")
	has(t, out, "the schedule default/nightly is deleted, with its runs", "default/hourly")
	if err := read(); !apierrors.IsNotFound(err) {
		t.Errorf("it must be gone: %v", err)
	}
}

func (w *world) testComplete(t *testing.T) {
	w.connect(t, "notebooks")
	w.run(t, "schedule", "works", "--cron", "@daily", "--name", "completed")
	tests := map[string]struct {
		args []string
		want string
	}{
		"Get":         {[]string{"get", "br"}, "broken\tFAILED"},
		"Follow":      {[]string{"follow", "wo"}, "works\tRUNNING"},
		"CancelNext":  {[]string{"cancel", "works", "br"}, "broken\tFAILED"},
		"Schedule":    {[]string{"schedule", "suspend", ""}, "completed\t@daily"},
		"Connect":     {[]string{"connect", ""}, "notebooks"},
		"Namespace":   {[]string{"ps", "-n", "kube-s"}, "kube-system"},
		"State":       {[]string{"ps", "--state", "RUN"}, "RUNNING"},
		"WhoseLog":    {[]string{"logs", "works", ""}, "executor"},
		"OtherFlags":  {[]string{"get", "--namespace", "kube-system", ""}, ":4"},
		"NoSuchThing": {[]string{"get", "zzz"}, ":4"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"__complete", tt.args[0], "--kubeconfig", w.kubeconfig}, tt.args[1:]...)
			if tt.args[0] == "schedule" { // Flags of a command come after its name.
				args = append([]string{"__complete", "schedule", tt.args[1], "--kubeconfig", w.kubeconfig}, tt.args[2:]...)
			}
			out := complete(t, args...)
			first, _, _ := strings.Cut(out, "\n")
			if first != tt.want && !slices.Contains(strings.Split(out, "\n"), tt.want) {
				t.Errorf("want %q, got\n%s", tt.want, out)
			}
		})
	}
}

func (w *world) testLeastRights(t *testing.T) {
	lists := *w
	lists.kubeconfig = w.as(t, "lists", rbacv1.PolicyRule{APIGroups: []string{v1beta2.GroupName}, Resources: []string{"sparkapplications"}, Verbs: []string{"get", "list"}})
	out, _ := lists.run(t, "ps")
	has(t, out, "works")
	out, _ = lists.run(t, "get", "works")
	has(t, out, "RUNNING", "1 running, 1 pending", "Not read", "list the pods of default/works: pods is forbidden")
	lists.fails(t, "forbidden", "ps", "--watch")
	lists.fails(t, "forbidden", "cancel", "works")
	nobody := *w
	nobody.kubeconfig = w.as(t, "nobody")
	nobody.fails(t, "sparkapplications.sparkoperator.k8s.io is forbidden", "ps")
	if out := complete(t, "__complete", "get", "--kubeconfig", nobody.kubeconfig, ""); out != ":4\n" {
		t.Errorf("whoever may not list gets no names, and no error in the middle of a line: %q", out)
	}
}
