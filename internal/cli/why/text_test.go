package why

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/scene"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) *time.Time {
	at := noon.Add(-d)
	return &at
}

func stamp(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }

func micro(d time.Duration) *metav1.MicroTime {
	at := metav1.NewMicroTime(noon.Add(-d))
	return &at
}

// sceneOf is the latest run of an application.
func sceneOf(state v1beta2.ApplicationStateType, change ...func(*scene.Scene)) *scene.Scene {
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{
		Namespace: "etl", Name: "pi", UID: "0a1b2c3d-4e5f", CreationTimestamp: stamp(time.Hour),
	}}
	app.Status.AppState.State = state
	app.Status.Run, app.Status.ExecutionAttempts = 2, 2
	s := &scene.Scene{
		Case:   diagnose.Case{Namespace: "etl", Name: "pi", Application: app, Now: noon, Ended: scene.Over(state)},
		Latest: true, Run: 2, Runs: []int64{1, 2}, State: state, Began: before(12 * time.Minute),
	}
	if s.Case.Ended {
		s.Ended = before(3 * time.Minute)
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func first(s *scene.Scene) {
	s.Run, s.Runs = 1, []int64{1}
	s.Case.Application.Status.Run, s.Case.Application.Status.ExecutionAttempts = 1, 1
}

func unread(what ...string) func(*scene.Scene) {
	return func(s *scene.Scene) { s.Case.Cluster.Unread = what }
}

// seen is what there is to see of a driver that runs, or has.
func seen(s *scene.Scene) {
	since := stamp(11 * time.Minute)
	s.Case.Evidence = v1alpha1.Evidence{
		Pods: []v1alpha1.Pod{{Name: "pi-driver", Role: v1alpha1.RoleDriver, Node: "worker-1", Containers: []v1alpha1.Container{
			{Name: v1beta2.DriverContainerName, Running: &since},
		}}},
		Events: make([]v1alpha1.Event, 4),
		Logs: []v1alpha1.Log{{Pod: "pi-driver", Container: v1beta2.DriverContainerName, Total: 1234, Lines: []v1alpha1.LogLine{
			{Number: 1, Text: "26/11/23 11:49:00 INFO SparkContext: Running Spark version 4.3.0"},
			{Number: 1232, Text: "26/11/23 11:56:58 INFO TaskSchedulerImpl: Adding task set 7.0 with 200 tasks resource profile 0"},
			{Number: 1233, Text: "26/11/23 11:56:59 INFO TaskSetManager: Starting task 0.0 in stage 7.0 (TID 1200) (10.88.0.12, executor 1, partition 0, NODE_LOCAL, 9876 bytes)"},
			{Number: 1234, Text: "26/11/23 11:57:00 INFO ShutdownHookManager: Shutdown hook called"},
		}}},
	}
	s.Executors = scene.Executors{Running: 3, Waiting: 1}
}

func recorded(s *scene.Scene) {
	s.Record = &v1alpha1.RunRecord{
		Application: v1alpha1.ApplicationReference{Name: "pi", UID: "0a1b2c3d-4e5f"}, Run: s.Run, State: string(s.State),
	}
}

func gone(s *scene.Scene) {
	recorded(s)
	s.Gone, s.Case.Application, s.Case.Ended, s.Ended = true, nil, true, before(50*time.Hour)
}

func outOfMemory() []v1alpha1.Cause {
	return []v1alpha1.Cause{
		{
			Code: "executor-out-of-memory", Confidence: v1alpha1.ConfidenceHigh, At: stamp(4 * time.Minute),
			Why: "Executors used more memory than the 2432Mi that their containers may use, most of it outside the heap; 2 of 4 were ended by the kernel.",
			Evidence: []v1alpha1.Proof{
				{Object: "Pod/pi-exec-1", Field: "status.containerStatuses[spark-kubernetes-executor].state.terminated.reason", Text: "OOMKilled", At: micro(4 * time.Minute)},
				{Object: "Pod/pi-driver", Field: "log line 1180", At: micro(230 * time.Second), Text: "26/11/23 11:56:10 ERROR TaskSchedulerImpl: Lost executor 1 on 10.88.0.12: The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM)."},
				{Object: "Pod/pi-exec-2", Field: "event OOMKilling", Text: "Memory cgroup out of memory:\nKilled process 4711 (java)", At: micro(26 * time.Hour)},
			},
			Fixes: []v1alpha1.Fix{
				{Risk: v1alpha1.RiskInspect, Say: "See how much memory the executors use.", Command: "kubectl top pods --namespace etl --selector sparkoperator.k8s.io/app-name=pi,spark-role=executor"},
				{Risk: v1alpha1.RiskChanges, Say: "Give executors more memory beside the heap, in the manifest.", Change: "spec:\n  executor:\n    memoryOverhead: 1g\n"},
			},
		},
		{Code: "fetch-failed", Follows: "executor-out-of-memory", Confidence: v1alpha1.ConfidenceMedium, Why: "Shuffle files were lost with their executors.", Evidence: []v1alpha1.Proof{
			{Object: "Pod/pi-driver", Field: "log line 1200", Text: "FetchFailed(BlockManagerId(1, 10.88.0.12, 7079, None), shuffleId=3)"},
		}},
		{Code: "stage-failed", Follows: "fetch-failed", Confidence: v1alpha1.ConfidenceHigh, Why: "Stage 7 was given up after 4 attempts."},
		{Code: "slow-disk", Confidence: v1alpha1.ConfidenceLow, Transient: true, Why: "The disk of worker-1 may have been slow.", Evidence: []v1alpha1.Proof{
			{Object: "Node/worker-1", Text: "1"},
			{Object: "Node/worker-1", Text: "2"},
			{Object: "Node/worker-1", Text: "3"},
			{Object: "Node/worker-1", Text: "4"},
			{Object: "Node/worker-1", Text: "5"},
			{Object: "Node/worker-1", Text: "6"},
		}},
	}
}

func noRoom() []v1alpha1.Cause {
	return []v1alpha1.Cause{{
		Code: "unschedulable", Confidence: v1alpha1.ConfidenceHigh, Waiting: true, Transient: true, At: stamp(12 * time.Minute),
		Why: "No node has room for the driver, which asks for 4 CPUs and 8Gi.",
		Evidence: []v1alpha1.Proof{
			{Object: "Pod/pi-driver", Field: "status.conditions[PodScheduled].message", Text: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).", At: micro(12 * time.Minute)},
			{Object: "Node/worker-1", Field: "status.allocatable", Text: "1500m of 4 CPUs free, 6Gi of 16Gi memory free"},
			{Object: "Node/worker-2", Field: "spec.taints", Text: "dedicated=ml:NoSchedule"},
		},
		Fixes: []v1alpha1.Fix{{Risk: v1alpha1.RiskChanges, Say: "Ask for less.", Change: "spec:\n  driver:\n    cores: 1\n"}},
	}}
}

// answers are what people read, one for each way in which it may stand with an application.
func answers() map[string]struct {
	scene  *scene.Scene
	causes []v1alpha1.Cause
	change func(*writer)
} {
	type answer = struct {
		scene  *scene.Scene
		causes []v1alpha1.Cause
		change func(*writer)
	}
	return map[string]answer{
		"failed":        {scene: sceneOf(v1beta2.ApplicationStateFailed, seen, unread("nodes: forbidden")), causes: outOfMemory()},
		"failed-all":    {scene: sceneOf(v1beta2.ApplicationStateFailed, seen), causes: outOfMemory(), change: func(w *writer) { w.all = true }},
		"failed-narrow": {scene: sceneOf(v1beta2.ApplicationStateFailed, seen, first), causes: outOfMemory(), change: func(w *writer) { w.width = 60 }},
		"failed-colour": {scene: sceneOf(v1beta2.ApplicationStateFailed, seen, first), causes: outOfMemory()[:3], change: func(w *writer) { w.colour = true }},
		"retried":       {scene: sceneOf(v1beta2.ApplicationStatePendingRerun, seen, first), causes: outOfMemory()[:1]},
		"earlier": {scene: sceneOf(v1beta2.ApplicationStateFailed, seen, recorded, func(s *scene.Scene) {
			s.Run, s.Latest = 1, false
			s.Case.Application.Status.AppState.State = v1beta2.ApplicationStateRunning
		}), causes: outOfMemory()[:1]},
		"refused": {scene: sceneOf(v1beta2.ApplicationStateFailedSubmission, first), causes: []v1alpha1.Cause{{
			Code: "submission-refused", Confidence: v1alpha1.ConfidenceHigh, Why: "The driver's pod was refused.",
			Evidence: []v1alpha1.Proof{{Object: "SparkApplication/pi", Field: "status.applicationState.errorMessage", Text: `pods "pi-driver" is forbidden: exceeded quota: compute`}},
		}}},
		"unknown": {scene: sceneOf(v1beta2.ApplicationStateFailed, seen, recorded, unread("events: forbidden", "log of pi-exec-3: not there"), func(s *scene.Scene) {
			s.Case.Application.Status.AppState.ErrorMessage = "driver container failed with ExitCode: 9, Reason: Error"
		})},
		"nothing-left": {scene: sceneOf(v1beta2.ApplicationStateFailed, first)},
		"completed":    {scene: sceneOf(v1beta2.ApplicationStateCompleted, seen)},
		"healthy":      {scene: sceneOf(v1beta2.ApplicationStateRunning, seen, first)},
		"kept-back":    {scene: sceneOf(v1beta2.ApplicationStateRunning, seen, first), causes: noRoom()},
		"waiting":      {scene: sceneOf(v1beta2.ApplicationStateSubmitted, first), causes: noRoom()},
		"starting": {scene: sceneOf(v1beta2.ApplicationStateSubmitted, first, func(s *scene.Scene) {
			s.Began = before(2 * time.Second)
			s.Case.Evidence.Pods = []v1alpha1.Pod{{Name: "pi-driver", Role: v1alpha1.RoleDriver, Node: "worker-1"}}
		})},
		"unplaced": {scene: sceneOf(v1beta2.ApplicationStateSubmitted, first, func(s *scene.Scene) {
			s.Began = before(2 * time.Second)
			s.Case.Evidence.Pods = []v1alpha1.Pod{{Name: "pi-driver", Role: v1alpha1.RoleDriver, Conditions: []v1alpha1.Condition{
				{Type: "PodScheduled", Status: "False", Message: "0/2 nodes are available: 2 Insufficient cpu."},
			}}}
		})},
		"neglected": {scene: sceneOf(v1beta2.ApplicationStateNew, first, func(s *scene.Scene) { s.Run, s.Runs, s.Began = 0, nil, nil })},
		"suspended": {scene: sceneOf(v1beta2.ApplicationStateSuspended, first)},
		"lost":      {scene: sceneOf(v1beta2.ApplicationStateUnknown, first)},
		"deleted":   {scene: sceneOf(v1beta2.ApplicationStateFailed, gone), causes: outOfMemory()[:1]},
		"deleted-unknown": {scene: sceneOf(v1beta2.ApplicationStateRunning, gone, func(s *scene.Scene) {
			s.Run, s.Runs = 12, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		})},
		"pods-only":  {scene: sceneOf(v1beta2.ApplicationStateNew, seen, first, func(s *scene.Scene) { s.Case.Application = nil }, unread("application: forbidden", "records: forbidden"))},
		"unreadable": {scene: sceneOf(v1beta2.ApplicationStateFailed, recorded, func(s *scene.Scene) { s.Case.Application = nil }, unread("application: forbidden")), causes: outOfMemory()[:1]},
	}
}

func TestText(t *testing.T) {
	flags := kube.Flags{Namespace: "etl"}
	for name, tt := range answers() {
		t.Run(name, func(t *testing.T) {
			w := writer{width: 100, zone: time.UTC, command: flags.Command}
			if tt.change != nil {
				tt.change(&w)
			}
			got := w.text(tt.scene, tt.causes)
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCommandsAreNeverWrapped(t *testing.T) {
	for width := range 120 {
		w := writer{width: width, zone: time.UTC, command: (&kube.Flags{}).Command, all: true}
		text := w.text(sceneOf(v1beta2.ApplicationStateFailed, seen), outOfMemory())
		for _, cause := range outOfMemory() {
			for _, fix := range cause.Fixes {
				if !strings.Contains(text, fix.Command+"\n") {
					t.Fatalf("at a width of %d the command %q cannot be copied from\n%s", width, fix.Command, text)
				}
				for line := range strings.Lines(fix.Change) {
					if !strings.Contains(text, line) {
						t.Fatalf("at a width of %d the change %q cannot be copied from\n%s", width, line, text)
					}
				}
			}
		}
	}
}

func TestSpan(t *testing.T) {
	tests := map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 59 * time.Second: "59 seconds", 60 * time.Second: "1 minute",
		100 * time.Second: "100 seconds", 2 * time.Minute: "2 minutes", 80 * time.Minute: "1 hour", 100 * time.Minute: "100 minutes",
		30 * time.Hour: "1 day", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", -time.Minute: "less than a second",
	}
	for d, want := range tests {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int64]string{1: "first", 10: "tenth", 11: "11th", 12: "12th", 21: "21st", 22: "22nd", 43: "43rd", 111: "111th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
