package applications

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }

func application(state v1beta2.ApplicationStateType, change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: "sales", Name: "report", CreationTimestamp: ago(time.Hour)},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "s3a://brazier/report.py",
			Executor: v1beta2.ExecutorSpec{Instances: new(int32(4))},
		},
		Status: v1beta2.SparkApplicationStatus{
			AppState: v1beta2.ApplicationState{State: state}, Run: 1, ExecutionAttempts: 1, LastSubmissionAttemptTime: ago(10 * time.Minute),
			DriverInfo: v1beta2.DriverInfo{PodName: "report-driver", WebUIAddress: "report-ui-svc.sales.svc:4040"},
		},
	}
	if change != nil {
		change(app)
	}
	return app
}

func pod(role, name string, phase corev1.PodPhase, change func(*corev1.Pod)) *corev1.Pod {
	container := v1beta2.DriverContainerName
	if role == v1beta2.SparkRoleExecutor {
		container = v1beta2.ExecutorContainerName
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1beta2.LabelSparkRole: role}, CreationTimestamp: ago(time.Minute)},
		Spec:       corev1.PodSpec{NodeName: "node-1"},
		Status:     corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: container}}},
	}
	if change != nil {
		change(pod)
	}
	return pod
}

func exited(code int32, reason string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}
	}
}

func TestDescribe(t *testing.T) {
	unschedulable := func(pod *corev1.Pod) {
		pod.Spec.NodeName = ""
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu."}}
	}
	tests := map[string]Detail{
		"running": {
			App: application(v1beta2.ApplicationStateRunning, func(app *v1beta2.SparkApplication) {
				app.Status.ExecutorState = map[string]v1beta2.ExecutorState{"report-exec-3": v1beta2.ExecutorStateFailed}
			}),
			Pods: []*corev1.Pod{
				pod(v1beta2.SparkRoleDriver, "report-driver", corev1.PodRunning, nil),
				pod(v1beta2.SparkRoleExecutor, "report-exec-1", corev1.PodRunning, nil),
				pod(v1beta2.SparkRoleExecutor, "report-exec-2", corev1.PodPending, unschedulable),
			},
		},
		"failed": {
			App: application(v1beta2.ApplicationStateFailed, func(app *v1beta2.SparkApplication) {
				app.Status.AppState.ErrorMessage = "driver container failed with ExitCode: 137, Reason: OOMKilled"
				app.Status.TerminationTime, app.Status.Run, app.Status.ExecutionAttempts = ago(3*time.Minute), 3, 2
				app.Status.Conditions = []metav1.Condition{{Type: ConditionDiagnosed, Status: metav1.ConditionTrue, Reason: "ContainerOutOfMemory", Message: "the driver used more memory than its limit of 1 GiB"}}
			}),
			Pods: []*corev1.Pod{pod(v1beta2.SparkRoleDriver, "report-driver", corev1.PodFailed, exited(137, "OOMKilled"))},
		},
		"waiting": {
			App: application(v1beta2.ApplicationStateSubmitted, func(app *v1beta2.SparkApplication) {
				app.Status.Conditions = []metav1.Condition{{Type: v1beta2.ConditionRunning, Status: metav1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available"}}
			}),
			Pods: []*corev1.Pod{pod(v1beta2.SparkRoleDriver, "report-driver", corev1.PodPending, unschedulable)},
		},
		"completed": {
			App:  application(v1beta2.ApplicationStateCompleted, func(app *v1beta2.SparkApplication) { app.Status.TerminationTime = ago(2 * time.Minute) }),
			Pods: []*corev1.Pod{},
		},
		"suspended": {App: application(v1beta2.ApplicationStateSuspended, nil), Pods: []*corev1.Pod{}},
		"new": {App: application(v1beta2.ApplicationStateNew, func(app *v1beta2.SparkApplication) {
			app.Status = v1beta2.SparkApplicationStatus{}
		}), Pods: []*corev1.Pod{}},
		"without-rights": {
			App: application(v1beta2.ApplicationStateRunning, func(app *v1beta2.SparkApplication) {
				app.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{Enabled: true}
				app.Spec.SparkConf = map[string]string{"spark.ui.enabled": "false"}
				app.Status.ExecutorState = map[string]v1beta2.ExecutorState{"report-exec-1": v1beta2.ExecutorStateRunning, "report-exec-2": v1beta2.ExecutorStateCompleted}
			}),
			Unread: []string{"list the pods of sales/report: pods is forbidden"},
		},
	}
	for name, detail := range tests {
		t.Run(name, func(t *testing.T) {
			detail.Now = noon
			detail.Command = func(verb string, args ...string) string { return "brazier " + verb + " " + strings.Join(args, " ") }
			got := Describe(detail)
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestNear(t *testing.T) {
	names := []string{"report-x7k2p", "report-b6wq9", "invoices", "daily"}
	tests := map[string]struct {
		reason, name string
		want         []string
	}{
		"Typo":    {"A letter that is wrong is forgiven.", "invoises", []string{"invoices"}},
		"Part":    {"The beginning of names is meant to be one of them.", "report", []string{"report-b6wq9", "report-x7k2p"}},
		"Longer":  {"The name of a pod holds the application's.", "daily-driver", []string{"daily"}},
		"Nothing": {"A name that is like none is like none.", "zzz", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Near(tt.name, names)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestUIPort(t *testing.T) {
	named := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "sidecar", Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 80}}},
		{Name: v1beta2.DriverContainerName, Ports: []corev1.ContainerPort{{Name: "spark-ui", ContainerPort: 4444}}},
	}}}
	moved := func(app *v1beta2.SparkApplication) { app.Spec.SparkConf = map[string]string{"spark.ui.port": "4041"} }
	service := func(app *v1beta2.SparkApplication) {
		app.Spec.SparkUIOptions, app.Status.DriverInfo.WebUIPort = &v1beta2.SparkUIConfiguration{ServicePort: new(int32(80))}, 80
	}
	tests := map[string]struct {
		reason string
		change func(*v1beta2.SparkApplication)
		driver *corev1.Pod
		want   int
	}{
		"Default":  {"Spark's default.", nil, nil, 4040},
		"Property": {"A property moves it.", moved, nil, 4041},
		"Service":  {"The Service's port is not the driver's.", service, nil, 4040},
		"Pod":      {"The platform's properties are in the pod alone.", moved, named, 4444},
		"OldPod":   {"A pod that names no port says nothing.", moved, new(corev1.Pod), 4041},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := UIPort(application(v1beta2.ApplicationStateRunning, tt.change), tt.driver); got != tt.want {
				t.Errorf("%s got %d, want %d", tt.reason, got, tt.want)
			}
		})
	}
}
