package scene

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func after(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(d)) }

func pod(name, role string, status corev1.PodStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: after(0), Labels: map[string]string{
			v1beta2.LabelSparkRole: role, v1beta2.LabelRun: "2",
		}},
		Spec:   corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName}}},
		Status: status,
	}
}

func killed() corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{
		Name: v1beta2.ExecutorContainerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}},
	}}}
}

// TestJoin joins a record with what is there: the pods that are gone are the record's, those that are there are seen, and
// nothing is there twice.
func TestJoin(t *testing.T) {
	began := after(0)
	g := &gathering{
		name: "pi",
		app:  &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: "pi", UID: "0a1b2c3d"}},
		pods: []corev1.Pod{
			pod("pi-driver", v1beta2.SparkRoleDriver, corev1.PodStatus{Phase: corev1.PodRunning}),
			pod("pi-exec-2", v1beta2.SparkRoleExecutor, corev1.PodStatus{Phase: corev1.PodRunning}),
			pod("pi-exec-3", v1beta2.SparkRoleExecutor, killed()),
			pod("pi-exec-4", v1beta2.SparkRoleExecutor, corev1.PodStatus{Phase: corev1.PodPending}),
		},
		record: &v1alpha1.RunRecord{State: "RUNNING", Began: &began, Evidence: v1alpha1.Evidence{
			Pods: []v1alpha1.Pod{
				{Name: "pi-driver", UID: "pi-driver", Role: v1alpha1.RoleDriver, Phase: "Pending", Created: after(0)},
				{Name: "pi-exec-1", UID: "pi-exec-1", Role: v1alpha1.RoleExecutor, Phase: "Failed", Created: after(0)},
			},
			Events: []v1alpha1.Event{{Object: "Pod/pi-exec-3", Reason: "Killing", Count: 1, First: after(0), Last: after(0)}},
			Logs: []v1alpha1.Log{
				{Pod: "pi-exec-1", Total: 10, Lines: []v1alpha1.LogLine{{Number: 10, Text: "gone"}}},
				{Pod: "pi-driver", Total: 5, Lines: []v1alpha1.LogLine{{Number: 5, Text: "before"}}},
			},
			Executors: v1alpha1.ExecutorCount{Seen: 4, Failed: 2},
		}},
		live: v1alpha1.Evidence{
			Events: []v1alpha1.Event{{Object: "Pod/pi-exec-3", Reason: "Killing", Count: 3, First: after(0), Last: after(time.Minute)}},
			Logs:   []v1alpha1.Log{{Pod: "pi-driver", Total: 9, Lines: []v1alpha1.LogLine{{Number: 9, Text: "now"}}}},
		},
		unread: []string{"nodes: forbidden", "events: forbidden", "nodes: forbidden"},
	}
	g.app.Status.AppState.State, g.app.Status.Run = v1beta2.ApplicationStateRunning, 2
	scene := &Scene{Run: 2, Latest: true}
	scene.Case.Application = g.app
	g.join(scene)

	var pods, logs []string
	for _, pod := range scene.Case.Evidence.Pods {
		pods = append(pods, pod.Name+" "+pod.Phase)
	}
	for _, log := range scene.Case.Evidence.Logs {
		logs = append(logs, log.Pod+" "+log.Lines[0].Text)
	}
	wantPods := []string{"pi-driver Running", "pi-exec-1 Failed", "pi-exec-3 Failed"}
	if diff := cmp.Diff(wantPods, pods); diff != "" {
		t.Errorf("pods that are there are seen, those that are gone recorded\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pi-exec-1 gone", "pi-driver now"}, logs); diff != "" {
		t.Errorf("the log that was read further counts\n-want +got:\n%s", diff)
	}
	if events := scene.Case.Evidence.Events; len(events) != 1 || events[0].Count != 3 {
		t.Errorf("an event that was recorded and is there is one: %+v", events)
	}
	if diff := cmp.Diff(v1alpha1.ExecutorCount{Seen: 4, Failed: 2}, scene.Case.Evidence.Executors); diff != "" {
		t.Errorf("executors that are gone have been there\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(Executors{Running: 1, Waiting: 1}, scene.Executors); diff != "" {
		t.Errorf("executors\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"events: forbidden", "nodes: forbidden"}, scene.Case.Cluster.Unread); diff != "" {
		t.Errorf("what was not read is said once\n-want +got:\n%s", diff)
	}
	if scene.Case.Ended || scene.State != v1beta2.ApplicationStateRunning {
		t.Errorf("the application goes on: %+v", scene.State)
	}
}

func TestSettle(t *testing.T) {
	ended := after(time.Hour)
	app := func(state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
		app := new(v1beta2.SparkApplication)
		app.Status.AppState.State, app.Status.TerminationTime = state, ended
		return app
	}
	record := &v1alpha1.RunRecord{State: "PENDING_RERUN", Ended: &ended}
	type outcome struct {
		State v1beta2.ApplicationStateType
		Ended bool
		At    bool
	}
	tests := map[string]struct {
		reason string
		scene  Scene
		app    *v1beta2.SparkApplication
		want   outcome
	}{
		"Latest":    {"The application knows best.", Scene{Latest: true, Record: record}, app("FAILED"), outcome{"FAILED", true, true}},
		"Running":   {"When it ended before does not matter to one that runs.", Scene{Latest: true}, app("RUNNING"), outcome{"RUNNING", false, false}},
		"Submitted": {"A submission that was refused is over.", Scene{Latest: true}, app("SUBMISSION_FAILED"), outcome{"SUBMISSION_FAILED", true, true}},
		"Earlier":   {"An earlier run is over, whatever the application does now.", Scene{Record: record}, app("RUNNING"), outcome{"PENDING_RERUN", true, true}},
		"Gone":      {"What is deleted is over, even if its record says that it ran.", Scene{Gone: true, Latest: true, Record: &v1alpha1.RunRecord{State: "RUNNING"}}, nil, outcome{"RUNNING", true, false}},
		"Unread":    {"Of one that may not be read the record speaks.", Scene{Latest: true, Record: &v1alpha1.RunRecord{State: "RUNNING"}}, nil, outcome{"RUNNING", false, false}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			scene := tt.scene
			scene.Case.Application = tt.app
			scene.settle()
			if diff := cmp.Diff(tt.want, outcome{scene.State, scene.Case.Ended, scene.Ended != nil}); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCauses(t *testing.T) {
	cause := func(code, follows, why string) v1alpha1.Cause {
		return v1alpha1.Cause{Code: code, Follows: follows, Why: why}
	}
	recorded := &v1alpha1.RunRecord{Causes: []v1alpha1.Cause{
		cause("unschedulable", "", "recorded"), cause("fetch-failed", "node-lost", "recorded"), cause("stage-failed", "unknown", "recorded"),
	}}
	found := []v1alpha1.Cause{cause("node-lost", "", "now"), cause("stage-failed", "", "now")}
	tests := map[string]struct {
		reason string
		scene  Scene
		want   []v1alpha1.Cause
	}{
		"NoRecord": {"What is seen is what there is.", Scene{}, found},
		"GoesOn":   {"What was recorded of a run that goes on may be over.", Scene{Record: recorded}, found},
		"Over": {"The operator saw more than there is left.", func() Scene {
			s := Scene{Record: recorded}
			s.Case.Ended = true
			return s
		}(), []v1alpha1.Cause{found[0], recorded.Causes[1], found[1], recorded.Causes[0]}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.scene.Causes(found)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestExecutorNames(t *testing.T) {
	tests := map[string]bool{
		"pi-0123456789abcdef-exec-12": true, "pi-2-0123456789abcdef-exec-12": false, "pi-driver": false, "pi-exec-1": false,
		"pi-0123456789abcdef-exec-12-scratch": false,
	}
	g := &gathering{name: "pi"}
	for name, want := range tests {
		if got := g.executor(name); got != want {
			t.Errorf("%s is an executor of pi: %v, want %v", name, got, want)
		}
	}
	long := &gathering{name: strings.Repeat("long", 12)}
	if name := strings.Repeat("long", 7) + "-0123456789abcdef-exec-1"; !long.executor(name) {
		t.Errorf("%s is not taken for an executor of an application whose name is cut", name)
	}
}

func TestAppended(t *testing.T) {
	at := func(d time.Duration) *metav1.MicroTime {
		t := metav1.NewMicroTime(noon.Add(d))
		return &t
	}
	log := v1alpha1.Log{Total: 100, Missing: "breaks off", Lines: []v1alpha1.LogLine{{Number: 100, At: at(10), Text: "a"}}}
	end := v1alpha1.Log{Total: 3, Lines: []v1alpha1.LogLine{{Number: 1, At: at(10), Text: "a"}, {Number: 2, At: at(20), Text: "b"}, {Number: 3, At: at(30), Text: "c"}}}
	want := v1alpha1.Log{Total: 103, Missing: "breaks off", Lines: []v1alpha1.LogLine{
		{Number: 100, At: at(10), Text: "a"}, {Number: 102, At: at(20), Text: "b"}, {Number: 103, At: at(30), Text: "c"},
	}}
	if diff := cmp.Diff(want, appended(log, end)); diff != "" {
		t.Errorf("a line that was read twice is there once\n-want +got:\n%s", diff)
	}
}

func TestList(t *testing.T) {
	tests := map[string][]int64{"": nil, "1": {1}, "1 and 2": {1, 2}, "1, 2, 3, 4 and 5": {1, 2, 3, 4, 5}, "1, …, 5, 6 and 7": {1, 2, 3, 4, 5, 6, 7}}
	for want, runs := range tests {
		if got := List(runs); got != want {
			t.Errorf("%v: %q, want %q", runs, got, want)
		}
	}
}

func TestRecordsOfTheLastOfItsName(t *testing.T) {
	stubs := []stub{
		{"pi.1.aaaaaaaa", 1, after(0)}, {"pi.2.aaaaaaaa", 2, after(time.Minute)}, {"pi.1.bbbbbbbb", 1, after(time.Hour)},
	}
	if got := lastOfName(stubs); len(got) != 1 || got[0].name != "pi.1.bbbbbbbb" {
		t.Errorf("of a name that two had the last is meant: %+v", got)
	}
}
