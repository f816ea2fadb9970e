package follow

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/terminal"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// moment is a step of a story: what is learnt so many seconds after noon.
type moment struct {
	at    float64
	learn []func(*model, time.Time)
}

// tellers play a story and render everything that a person would see of it.
func tell(story []moment, interactive bool) string {
	var out bytes.Buffer
	shown := &screen{streams: terminal.Streams{Out: &out, Err: &out}}
	var m model
	var n narrator
	for _, moment := range story {
		elapsed := time.Duration(moment.at * float64(time.Second))
		now := noon.Add(elapsed)
		for _, learn := range moment.learn {
			learn(&m, now)
		}
		lines := n.tell(&m, now)
		if !interactive {
			shown.tell(lines, elapsed)
			continue
		}
		// A frame of the terminal is written as it would look, in a box of its own for each moment.
		fmt.Fprintf(&out, "┌ %s\n", short(elapsed))
		for _, one := range lines {
			if !one.live {
				shown.tell([]line{one}, elapsed)
			}
		}
		for _, line := range frame(&m, elapsed, now) {
			fmt.Fprintln(&out, "│"+cut(line.text, 99))
		}
	}
	shown.tell(closing(&m, "brazier why sales"), time.Duration(story[len(story)-1].at*float64(time.Second)))
	return out.String()
}

func app(state v1beta2.ApplicationStateType, attempt int32, message string) func(*model, time.Time) {
	return func(m *model, _ time.Time) {
		m.seeApplication(&v1beta2.SparkApplication{
			ObjectMeta: metav1.ObjectMeta{Name: "sales", UID: "sales", CreationTimestamp: metav1.NewTime(noon)},
			Spec:       v1beta2.SparkApplicationSpec{Executor: v1beta2.ExecutorSpec{Instances: new(int32(2))}},
			Status: v1beta2.SparkApplicationStatus{
				AppState:          v1beta2.ApplicationState{State: state, ErrorMessage: message},
				ExecutionAttempts: attempt,
			},
		})
	}
}

func explained(cause string) func(*model, time.Time) {
	return func(m *model, _ time.Time) { m.cause = cause }
}

func deleted(m *model, _ time.Time) { m.seeApplication(nil) }

func unreachable(m *model, _ time.Time) {
	m.callApplication(fmt.Errorf("dial tcp 10.97.0.1:6443: connect: connection refused"))
}

func reachable(m *model, _ time.Time) { m.callApplication(nil) }

func pods(pods ...*corev1.Pod) func(*model, time.Time) {
	return func(m *model, _ time.Time) { m.seePods(pods) }
}

func pod(role, name string, status corev1.PodStatus) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(noon),
			Labels: map[string]string{v1beta2.LabelSparkRole: role, v1beta2.LabelAppName: "sales"},
		},
		Status: status,
	}
}

// driverOf is the driver of an attempt: all have one name and each its own UID.
func driverOf(attempt int, status corev1.PodStatus) *corev1.Pod {
	pod := pod(v1beta2.SparkRoleDriver, "sales-driver", status)
	pod.UID = types.UID(fmt.Sprintf("driver-%d", attempt))
	pod.CreationTimestamp = metav1.NewTime(noon.Add(time.Duration(attempt) * time.Minute))
	return pod
}

func executor(id int, status corev1.PodStatus) *corev1.Pod {
	return pod(v1beta2.SparkRoleExecutor, fmt.Sprintf("sales-exec-%d", id), status)
}

func waits(name, reason, message string) corev1.PodStatus {
	return status(corev1.PodPending, name, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}})
}

func runs(name string) corev1.PodStatus {
	return status(corev1.PodRunning, name, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
}

func ended(name string, code int32, reason string) corev1.PodStatus {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	return status(phase, name, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}})
}

func status(phase corev1.PodPhase, name string, state corev1.ContainerState) corev1.PodStatus {
	return corev1.PodStatus{Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: name, State: state}}}
}

func unschedulable(message string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: message,
	}}}
}

func spoke(jobs []job, stages ...stage) func(*model, time.Time) {
	return func(m *model, now time.Time) {
		next := spark{jobs: jobs, stages: stages, done: 1200}
		for _, s := range stages {
			next.active += s.active
			next.done += s.done
			next.failed += s.failed
		}
		m.seeSpark(next, now)
	}
}

const (
	dc = v1beta2.DriverContainerName
	ec = v1beta2.ExecutorContainerName
)

type learn = []func(*model, time.Time)

// stories are what people see, told as the cluster told it.
func stories() map[string][]moment {
	revenue := []job{{id: 3, name: "revenue by month and country", stages: 4, done: 2}}
	return map[string][]moment{
		"success": {
			{0, learn{app("", 0, ""), pods()}},
			{0.3, learn{app(v1beta2.ApplicationStateSubmitted, 1, ""), pods(driverOf(1, waits(dc, "ContainerCreating", "")))}},
			{2.1, learn{pods(driverOf(1, runs(dc)))}},
			{2.2, learn{app(v1beta2.ApplicationStateRunning, 1, "")}},
			{5, learn{pods(driverOf(1, runs(dc)), executor(1, runs(ec)), executor(2, waits(ec, "ContainerCreating", "")))}},
			{6, learn{pods(driverOf(1, runs(dc)), executor(1, runs(ec)), executor(2, runs(ec))), spoke(nil)}},
			{7, learn{spoke(revenue, stage{id: 7, name: "revenue by month and country", tasks: 200, done: 10, active: 4})}},
			{12, learn{spoke(revenue, stage{id: 7, name: "revenue by month and country", tasks: 200, done: 72, active: 4})}},
			{13, learn{spoke(revenue, stage{id: 7, name: "revenue by month and country", tasks: 200, done: 84, active: 4})}},
			{18, learn{spoke(revenue, stage{id: 7, name: "revenue by month and country", tasks: 200, done: 144, active: 4, failed: 1})}},
			{23, learn{pods(driverOf(1, ended(dc, 0, "Completed")))}},
			{23.2, learn{app(v1beta2.ApplicationStateSucceeding, 1, "")}},
			{23.4, learn{app(v1beta2.ApplicationStateCompleted, 1, "")}},
		},
		"retry": {
			{0, learn{app(v1beta2.ApplicationStateSubmitted, 1, ""), pods(driverOf(1, unschedulable("0/1 nodes are available: 1 Insufficient memory.")))}},
			{4, learn{pods(driverOf(1, waits(dc, "ImagePullBackOff", `Back-off pulling image "spark:none"`)))}},
			{6, learn{pods(driverOf(1, runs(dc))), app(v1beta2.ApplicationStateRunning, 1, "")}},
			{9, learn{pods(driverOf(1, runs(dc)), executor(1, runs(ec)), executor(2, runs(ec)))}},
			{11, learn{pods(driverOf(1, runs(dc)), executor(1, ended(ec, 137, "OOMKilled")), executor(2, runs(ec)))}},
			{12, learn{pods(driverOf(1, ended(dc, 3, "Error")))}},
			{12.1, learn{app(v1beta2.ApplicationStateFailing, 1, "driver container failed with ExitCode: 3, Reason: Error")}},
			{12.2, learn{app(v1beta2.ApplicationStatePendingRerun, 1, "driver container failed with ExitCode: 3, Reason: Error")}},
			{17, learn{app(v1beta2.ApplicationStateSubmitted, 2, ""), pods(driverOf(2, waits(dc, "ContainerCreating", "")))}},
			{19, learn{app(v1beta2.ApplicationStateRunning, 2, ""), pods(driverOf(2, runs(dc)))}},
			{24, learn{pods(driverOf(2, ended(dc, 3, "Error"))), app(v1beta2.ApplicationStateFailed, 2, "driver container failed with ExitCode: 3, Reason: Error")}},
			{24, learn{explained("The job ended itself with exit code 3.\nNothing else went wrong.")}},
		},
		"neglect": {
			{0, learn{app("", 0, ""), pods()}},
			{9, learn{}},
			{10, learn{}},
			{60, learn{}},
			{61, learn{app(v1beta2.ApplicationStateSubmitted, 1, ""), pods(driverOf(1, waits(dc, "ErrImagePull", "no such image")))}},
			{62, learn{pods(driverOf(1, waits(dc, "ImagePullBackOff", "Back-off")))}},
			{63, learn{pods(driverOf(1, waits(dc, "ErrImagePull", "no such image")))}},
		},
		"restart": {
			{0, learn{app(v1beta2.ApplicationStateRunning, 1, ""), pods(driverOf(1, runs(dc)), executor(1, runs(ec)), executor(2, runs(ec)))}},
			{3, learn{unreachable}},
			{4, learn{unreachable}},
			{9, learn{reachable}},
			{9.1, learn{app(v1beta2.ApplicationStateRunning, 1, ""), pods(executor(2, runs(ec)), driverOf(1, runs(dc)), executor(1, runs(ec)))}},
			{12, learn{app(v1beta2.ApplicationStateCompleted, 1, ""), pods(driverOf(1, ended(dc, 0, "Completed")))}},
		},
		"many": {
			{0, learn{app(v1beta2.ApplicationStateRunning, 1, ""), pods(driverOf(1, runs(dc))), spoke(nil)}},
			{2, learn{spoke(
				[]job{{id: 1, name: "a", stages: 1}, {id: 2, name: "b", stages: 1}, {id: 3, name: "c", stages: 2}, {id: 4, name: "d", stages: 1}},
				stage{id: 1, name: "a", tasks: 10, done: 10}, stage{id: 2, name: "b", tasks: 0}, stage{id: 3, name: "c", tasks: 1_000_000, done: 999_999, active: 1},
				stage{id: 4, name: "d", tasks: 3, active: 3}, stage{id: 5, name: "e", tasks: 5}, stage{id: 6, name: "f", tasks: 5}, stage{id: 7, name: "g", tasks: 5},
			)}},
		},
	}
}

func TestStories(t *testing.T) {
	for name, story := range stories() {
		for form, interactive := range map[string]bool{"log": false, "terminal": true} {
			t.Run(name+"/"+form, func(t *testing.T) {
				compare(t, filepath.Join("testdata", name+"."+form), tell(story, interactive))
			})
		}
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: what a person sees has changed; \"go test -update\" accepts it\n-want +got:\n%s", golden, diff)
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	for name, story := range stories() {
		var m model
		var n narrator
		for _, moment := range story {
			now := noon.Add(time.Duration(moment.at * float64(time.Second)))
			for _, learn := range moment.learn {
				learn(&m, now)
			}
			n.tell(&m, now)
			if again := n.tell(&m, now); len(again) > 0 {
				t.Errorf("%s at %gs: said again although nothing has changed: %v", name, moment.at, again)
			}
		}
	}
}

func TestOutcome(t *testing.T) {
	const message = "driver container failed"
	tests := map[string]struct {
		reason string
		learn  learn
		want   Outcome
	}{
		"Completed": {
			reason: "An application that has completed ends with 0.",
			learn:  learn{app(v1beta2.ApplicationStateCompleted, 1, ""), pods(driverOf(1, ended(dc, 0, "Completed")))},
			want:   Outcome{State: v1beta2.ApplicationStateCompleted, Attempts: 1},
		},
		"JobsOwnCode": {
			reason: "The code is the job's own.",
			learn:  learn{app(v1beta2.ApplicationStateFailed, 2, message), pods(driverOf(2, ended(dc, 42, "Error")))},
			want:   Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 42, Message: message, Attempts: 2},
		},
		"LastAttemptCounts": {
			reason: "Of several drivers the newest one counts, in whichever order they are listed.",
			learn: learn{
				app(v1beta2.ApplicationStateFailed, 2, message),
				pods(driverOf(2, ended(dc, 4, "Error")), driverOf(1, ended(dc, 3, "Error"))),
			},
			want: Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 4, Message: message, Attempts: 2},
		},
		"SubmissionFailed": {
			reason: "A failure without a driver is a failure all the same.",
			learn:  learn{app(v1beta2.ApplicationStateFailed, 0, "failed to run spark-submit"), pods()},
			want:   Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 1, Message: "failed to run spark-submit"},
		},
		"Evicted": {
			reason: "A pod that the node ended has no container to ask.",
			learn: learn{
				app(v1beta2.ApplicationStateFailed, 1, message),
				pods(driverOf(1, corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on memory"})),
			},
			want: Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 1, Message: message, Attempts: 1},
		},
		"DriverIsGone": {
			reason: "What was seen of a driver counts after its pod has been removed.",
			learn: learn{
				app(v1beta2.ApplicationStateRunning, 1, ""), pods(driverOf(1, ended(dc, 5, "Error"))), pods(),
				app(v1beta2.ApplicationStateFailed, 1, message),
			},
			want: Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 5, Message: message, Attempts: 1},
		},
		"SidecarFails": {
			reason: "Only Spark's own container decides.",
			learn: learn{
				app(v1beta2.ApplicationStateCompleted, 1, ""),
				pods(driverOf(1, corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{
					{Name: "proxy", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 9}}},
					{Name: dc, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 0}}},
				}})),
			},
			want: Outcome{State: v1beta2.ApplicationStateCompleted, Attempts: 1},
		},
		"Namesake": {
			reason: "A pod that is older than the application belonged to another of that name.",
			learn: learn{
				pods(namesake(ended(dc, 7, "Error"))), app(v1beta2.ApplicationStateFailed, 0, "failed to run spark-submit"),
			},
			want: Outcome{State: v1beta2.ApplicationStateFailed, ExitCode: 1, Message: "failed to run spark-submit"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var m model
			for _, learn := range tt.learn {
				learn(&m, noon)
			}
			if diff := cmp.Diff(tt.want, m.outcome()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func namesake(status corev1.PodStatus) *corev1.Pod {
	pod := driverOf(0, status)
	pod.CreationTimestamp = metav1.NewTime(noon.Add(-time.Hour))
	return pod
}

func TestContact(t *testing.T) {
	forbidden := apierrors.NewForbidden(v1beta2.Resource("sparkapplications"), "sales", nil)
	var m model
	m.callApplication(forbidden)
	if !m.over() {
		t.Error("whoever may not see the application at all is told so, rather than left to wait")
	}
	m = model{}
	app(v1beta2.ApplicationStateRunning, 1, "")(&m, noon)
	m.callApplication(forbidden)
	if m.over() || m.contact.lost == "" {
		t.Error("a server that begins anew refuses for a moment what it granted before; that is no end")
	}
	m.callApplication(nil)
	m.callPods(apierrors.NewForbidden(corev1.Resource("pods"), "", nil))
	if m.over() || m.contact.blind == "" {
		t.Error("an application can be followed without the right to see pods, and that is said")
	}
	deleted(&m, noon)
	if !m.over() {
		t.Error("an application that is deleted is over")
	}
}

// TestDriversPort sees that the driver is asked at the port that it listens on, which is not that of its Service.
func TestDriversPort(t *testing.T) {
	var m model
	m.seeApplication(&v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: "sales", UID: "sales", CreationTimestamp: metav1.NewTime(noon)},
		Spec:       v1beta2.SparkApplicationSpec{SparkUIOptions: &v1beta2.SparkUIConfiguration{ServicePort: new(int32(80))}},
		Status:     v1beta2.SparkApplicationStatus{DriverInfo: v1beta2.DriverInfo{WebUIPort: 80}},
	})
	if got := m.uiPort(); got != 4040 {
		t.Errorf("without a pod it is Spark's own, 4040, whatever the Service's; got %d", got)
	}
	driver := driverOf(1, runs(dc))
	driver.Spec.Containers = []corev1.Container{{Name: dc, Ports: []corev1.ContainerPort{{Name: "spark-ui", ContainerPort: 4444}}}}
	m.seePods([]*corev1.Pod{driver})
	if got := m.uiPort(); got != 4444 {
		t.Errorf("the pod knows what the platform has set, 4444; got %d", got)
	}
}
