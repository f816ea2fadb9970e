package events

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(minutes int) metav1.Time {
	return metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute))
}

func TestCovers(t *testing.T) {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: "sales.daily", UID: "sales", CreationTimestamp: at(0)},
		Status: v1beta2.SparkApplicationStatus{
			DriverInfo:    v1beta2.DriverInfo{PodName: "own-driver", WebUIServiceName: "sales-ui-svc"},
			ExecutorState: map[string]v1beta2.ExecutorState{"gone-exec-1": v1beta2.ExecutorStateFailed},
		},
	}
	subject := About(app, []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "here-exec-2"}}})
	tests := map[string]struct {
		reason     string
		kind, name string
		uid        types.UID
		minute     int
		want       bool
	}{
		"Itself":       {"Events of the application are its own.", "SparkApplication", "sales.daily", "sales", 1, true},
		"Namesake":     {"An application before it had the name, but not the UID.", "SparkApplication", "sales.daily", "older", 1, false},
		"Driver":       {"The driver's pod is known by the application's word.", "Pod", "own-driver", "", 1, true},
		"GoneExecutor": {"An executor that is gone is remembered by the application.", "Pod", "gone-exec-1", "", 1, true},
		"LivePod":      {"A pod that was listed is one.", "Pod", "here-exec-2", "", 1, true},
		"MadeByRun":    {"What a run makes has a name that tells.", "Service", "sales-daily-0123456789abcdef-driver-svc", "", 1, true},
		"Claim":        {"A claim is called after its pod.", "PersistentVolumeClaim", "here-exec-2-pvc-0", "", 1, true},
		"OthersPod":    {"A name that merely begins alike is another's.", "Pod", "sales-daily-weekly-driver", "", 1, false},
		"Before":       {"What was told before the application was made is about another of its name.", "Pod", "own-driver", "", -5, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			event := &corev1.Event{LastTimestamp: at(tt.minute)}
			event.InvolvedObject = corev1.ObjectReference{Kind: tt.kind, Name: tt.name, UID: tt.uid}
			if got := subject.Covers(event); got != tt.want {
				t.Errorf("%s got %t", tt.reason, got)
			}
		})
	}
}

func TestFrom(t *testing.T) {
	event := &corev1.Event{
		EventTime: metav1.NewMicroTime(noon), Type: "Warning", Reason: "Failed", Message: "no", ReportingController: "kubelet",
		Series: &corev1.EventSeries{Count: 4, LastObservedTime: metav1.NewMicroTime(at(2).Time)}, InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "a"},
	}
	want := Event{Event: recordv1.Event{
		Object: "Pod/a", Type: "Warning", Reason: "Failed", Message: "no", From: "kubelet", Count: 4, First: at(0), Last: at(2),
	}}
	if diff := cmp.Diff(want, From(event)); diff != "" {
		t.Errorf("what the newer API says of times and counts is told\n-want +got:\n%s", diff)
	}
}

func TestMerge(t *testing.T) {
	kept := func(object, reason string, minute int) recordv1.Event {
		return recordv1.Event{Object: object, Reason: reason, First: at(minute), Last: at(minute)}
	}
	live := []Event{{Event: kept("Pod/b", "Started", 3)}}
	records := []*recordv1.RunRecord{{Run: 2, Evidence: recordv1.Evidence{Events: []recordv1.Event{kept("Pod/b", "Started", 3), kept("Pod/a", "OOMKilled", 1)}}}}
	want := []Event{{Event: kept("Pod/a", "OOMKilled", 1), Run: 2}, {Event: kept("Pod/b", "Started", 3)}}
	if diff := cmp.Diff(want, Merge(live, records)); diff != "" {
		t.Errorf("what was kept is told once, in the order of time\n-want +got:\n%s", diff)
	}
}
