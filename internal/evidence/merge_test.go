package evidence

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

func at(seconds int) metav1.Time {
	return metav1.NewTime(noon().Add(time.Duration(seconds) * time.Second))
}

func TestOfEvents(t *testing.T) {
	about := corev1.ObjectReference{Kind: "Pod", Name: "pi-driver"}
	core := OfCoreEvents([]corev1.Event{
		{
			InvolvedObject: about, Type: "Warning", Reason: "FailedMount", Message: `secret "x" not found`, Count: 3,
			FirstTimestamp: at(5), LastTimestamp: at(9), Source: corev1.EventSource{Component: "kubelet"},
		},
		{
			InvolvedObject: about, Type: "Warning", Reason: "FailedScheduling", Message: "0/1 nodes", EventTime: metav1.NewMicroTime(at(1).Time),
			Series:              &corev1.EventSeries{Count: 4, LastObservedTime: metav1.NewMicroTime(at(4).Time)},
			ReportingController: "default-scheduler",
		},
		{
			InvolvedObject: about, Type: "Warning", Reason: "FailedMount", Message: `secret "x" not found`, Count: 2,
			FirstTimestamp: at(2), LastTimestamp: at(7), Source: corev1.EventSource{Component: "kubelet"},
		},
		{InvolvedObject: about, Reason: "Pulled", Message: "token=hunter2", ObjectMeta: metav1.ObjectMeta{CreationTimestamp: at(20)}},
	})
	want := []v1alpha1.Event{
		{Object: "Pod/pi-driver", Type: "Warning", Reason: "FailedScheduling", Message: "0/1 nodes", From: "default-scheduler", Count: 4, First: at(1), Last: at(4)},
		{Object: "Pod/pi-driver", Type: "Warning", Reason: "FailedMount", Message: `secret "x" not found`, From: "kubelet", Count: 5, First: at(2), Last: at(9)},
		{Object: "Pod/pi-driver", Reason: "Pulled", Message: "token=" + Blot, Count: 1, First: at(20), Last: at(20)},
	}
	if diff := cmp.Diff(want, core); diff != "" {
		t.Errorf("core events\n-want +got:\n%s", diff)
	}
	newer := OfEvents([]eventsv1.Event{{
		Regarding: about, Type: "Warning", Reason: "FailedScheduling", Note: "0/1 nodes", EventTime: metav1.NewMicroTime(at(1).Time),
		Series: &eventsv1.EventSeries{Count: 4, LastObservedTime: metav1.NewMicroTime(at(4).Time)}, ReportingController: "default-scheduler",
	}})
	if diff := cmp.Diff(want[:1], newer); diff != "" {
		t.Errorf("events.k8s.io\n-want +got:\n%s", diff)
	}
}

func TestMerge(t *testing.T) {
	kept := v1alpha1.Evidence{
		Refusals: []v1alpha1.Refusal{{Message: "no", At: at(1)}},
		Holds:    []v1alpha1.Hold{{By: "queue", Object: "Pod/pi-driver", Since: at(1)}},
		Pods: []v1alpha1.Pod{
			{
				Name: "pi-exec-2", UID: "2", Role: v1alpha1.RoleExecutor, Created: at(3), Node: "n", Started: new(at(4)),
				Containers: []v1alpha1.Container{{Name: "c", Terminated: &v1alpha1.ContainerEnd{ExitCode: 137}}},
				Conditions: []v1alpha1.Condition{{Type: "DisruptionTarget"}, {Type: "PodScheduled"}},
			},
		},
		Events: []v1alpha1.Event{{Object: "Pod/a", Reason: "Failed", Count: 3, First: at(1), Last: at(3)}},
		Logs: []v1alpha1.Log{
			{Pod: "pi-driver", Total: 10, Lines: []v1alpha1.LogLine{{Number: 1, Text: "x"}}},
			{Pod: "pi-exec-2", Missing: "the pod is gone"},
		},
		Executors: v1alpha1.ExecutorCount{Seen: 5, Failed: 1},
	}
	seen := v1alpha1.Evidence{
		Refusals: []v1alpha1.Refusal{{Message: "no", At: at(9)}, {Message: "never", At: at(9)}},
		Holds:    []v1alpha1.Hold{{By: "queue", Object: "Pod/pi-driver", Since: at(5), Until: new(at(9))}},
		Pods: []v1alpha1.Pod{
			{
				Name: "pi-exec-2", UID: "2", Role: v1alpha1.RoleExecutor, Created: at(3), Deleted: new(at(9)),
				Containers: []v1alpha1.Container{{Name: "c"}},
			},
			{Name: "pi-driver", UID: "1", Role: v1alpha1.RoleDriver, Created: at(1)},
		},
		Events: []v1alpha1.Event{{Object: "Pod/a", Reason: "Failed", Count: 4, First: at(1), Last: at(8)}},
		Logs: []v1alpha1.Log{
			{Pod: "pi-driver", Missing: "the pod is gone"},
			{Pod: "pi-exec-2", Total: 2, Lines: []v1alpha1.LogLine{{Number: 1, Text: "y"}}},
		},
		Executors: v1alpha1.ExecutorCount{Seen: 2, Failed: 2},
	}
	want := v1alpha1.Evidence{
		Refusals: []v1alpha1.Refusal{{Message: "no", At: at(1)}, {Message: "never", At: at(9)}},
		Holds:    []v1alpha1.Hold{{By: "queue", Object: "Pod/pi-driver", Since: at(1), Until: new(at(9))}},
		Pods: []v1alpha1.Pod{
			{Name: "pi-driver", UID: "1", Role: v1alpha1.RoleDriver, Created: at(1)},
			{
				Name: "pi-exec-2", UID: "2", Role: v1alpha1.RoleExecutor, Created: at(3), Node: "n", Started: new(at(4)), Deleted: new(at(9)),
				Containers: []v1alpha1.Container{{Name: "c", Terminated: &v1alpha1.ContainerEnd{ExitCode: 137}}},
				Conditions: []v1alpha1.Condition{{Type: "DisruptionTarget"}},
			},
		},
		Events: []v1alpha1.Event{{Object: "Pod/a", Reason: "Failed", Count: 4, First: at(1), Last: at(8)}},
		Logs: []v1alpha1.Log{
			{Pod: "pi-driver", Total: 10, Lines: []v1alpha1.LogLine{{Number: 1, Text: "x"}}},
			{Pod: "pi-exec-2", Total: 2, Lines: []v1alpha1.LogLine{{Number: 1, Text: "y"}}},
		},
		Executors: v1alpha1.ExecutorCount{Seen: 5, Failed: 2},
	}
	got := Merge(kept, seen)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(got, Merge(got, seen)); diff != "" {
		t.Errorf("what is told again counts twice\n-want +got:\n%s", diff)
	}
}

func TestFit(t *testing.T) {
	long := strings.Repeat("<&>", 300) // six times as long in JSON
	record := v1alpha1.RunRecord{}
	for i := range 200 {
		name := fmt.Sprintf("pi-exec-%d", i)
		record.Evidence.Pods = append(record.Evidence.Pods, v1alpha1.Pod{Name: name, Message: long})
		record.Evidence.Events = append(record.Evidence.Events, v1alpha1.Event{Object: "Pod/" + name, Message: long})
		record.Evidence.Holds = append(record.Evidence.Holds, v1alpha1.Hold{Object: name, Message: long})
	}
	for range 10 {
		var log v1alpha1.Log
		for i := range 300 {
			log.Lines = append(log.Lines, v1alpha1.LogLine{Number: int64(i), Text: long})
		}
		record.Evidence.Logs = append(record.Evidence.Logs, log)
	}
	if err := Fit(&record); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > MaxRecord || record.Evidence.Dropped == 0 {
		t.Errorf("want at most %d bytes and what was dropped counted, got %d and %d", MaxRecord, len(text), record.Evidence.Dropped)
	}
	if len(record.Evidence.Logs) > 0 && len(record.Evidence.Logs[0].Lines) < 2 {
		t.Error("nothing is left of the first log")
	}
	if pods := record.Evidence.Pods; pods[0].Name != "pi-exec-0" || pods[len(pods)-1].Name != "pi-exec-199" {
		t.Errorf("want the first and the last pod kept, got %s to %s", pods[0].Name, pods[len(pods)-1].Name)
	}
	small := v1alpha1.RunRecord{Run: 1}
	if err := Fit(&small); err != nil || small.Evidence.Dropped != 0 {
		t.Errorf("something was dropped of a small record: %v", err)
	}
}
