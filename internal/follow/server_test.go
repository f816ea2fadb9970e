package follow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

const (
	submitted = v1beta2.ApplicationStateSubmitted
	running   = v1beta2.ApplicationStateRunning
	completed = v1beta2.ApplicationStateCompleted
	failed    = v1beta2.ApplicationStateFailed
)

// TestAPIServer follows applications on a real API server, on which the test plays operator and kubelet.
func TestAPIServer(t *testing.T) {
	config := apiserver.StartWithKinds(t).Config()
	t.Run("JobsOwnExitCode", func(t *testing.T) { t.Parallel(); jobsOwnExitCode(t, config) })
	t.Run("SaysWhy", func(t *testing.T) { t.Parallel(); saysWhy(t, config) })
	t.Run("SaysWhyByCondition", func(t *testing.T) { t.Parallel(); saysWhyByCondition(t, config) })
	t.Run("ServerGoesAndComes", func(t *testing.T) { t.Parallel(); serverGoesAndComes(t, config) })
	t.Run("Deleted", func(t *testing.T) { t.Parallel(); deletedWhileFollowed(t, config) })
	t.Run("NeverThere", func(t *testing.T) { t.Parallel(); neverThere(t, config) })
	t.Run("MayNotSeePods", func(t *testing.T) { t.Parallel(); mayNotSeePods(t, config) })
	t.Run("MaySeeNothing", func(t *testing.T) { t.Parallel(); maySeeNothing(t, config) })
	t.Run("Detached", func(t *testing.T) { t.Parallel(); detached(t, config) })
}

func jobsOwnExitCode(t *testing.T, config *rest.Config) {
	app := newApplication(t, config, "retried")
	f := app.follow(t.Context(), config)
	app.state(submitted, 1, "")
	driver := app.driver()
	f.await(t, "SUBMITTED")
	app.container(driver, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
	f.await(t, "driver        started")
	app.state(running, 1, "")
	f.await(t, "RUNNING")

	// The first attempt fails; its driver is replaced by one of the same name.
	app.container(driver, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}})
	app.state(v1beta2.ApplicationStatePendingRerun, 1, "driver container failed")
	f.await(t, "PENDING_RERUN")
	app.remove(driver)
	driver = app.driver()
	app.state(submitted, 2, "")
	f.await(t, "SUBMITTED     attempt 2")
	app.container(driver, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 42, Reason: "Error"}})
	f.await(t, "driver        started", "driver        started")
	app.state(failed, 2, "driver container failed")

	outcome, err := f.wait()
	if err != nil {
		t.Fatal(err)
	}
	want := follow.Outcome{State: failed, ExitCode: 42, Message: "driver container failed", Attempts: 2}
	if diff := cmp.Diff(want, outcome); diff != "" {
		t.Errorf("the exit code is that of the last driver\n-want +got:\n%s", diff)
	}
	wantLines := []string{
		"SUBMITTED",
		"driver        started: pod retried-driver",
		"RUNNING",
		"PENDING_RERUN attempt 1 has ended, the next follows: driver container failed",
		"SUBMITTED     attempt 2",
		"driver        started: pod retried-driver",
		"FAILED        driver container failed",
	}
	if diff := cmp.Diff(wantLines, f.lines()); diff != "" {
		t.Errorf("each change is told once\n-want +got:\n%s", diff)
	}
}

// saysWhy ends with what the operator recorded, of the run that failed and of no other.
func saysWhy(t *testing.T, config *rest.Config) {
	app := newApplication(t, config, "explained")
	app.record(1, "Another run failed of this.")
	f := app.follow(t.Context(), config)
	app.state(running, 2, "")
	f.await(t, "RUNNING")
	app.patch(app.apps.Patch(types.MergePatchType).Resource(kube.ApplicationsResource).Name(app.name).SubResource("status"), map[string]any{"run": 2})
	app.record(2, "The container used more memory than its limit.")
	app.state(failed, 2, "driver container failed")
	if _, err := f.wait(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"RUNNING       attempt 2", "FAILED        driver container failed",
		"why           The container used more memory than its limit.", "more of it: brazier why explained",
	}
	got := f.lines()
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the end says why\n-want +got:\n%s", diff)
	}
}

// saysWhyByCondition ends with what the application itself says, where there is no record to be read, and with nothing where
// nothing was found.
func saysWhyByCondition(t *testing.T, config *rest.Config) {
	for name, tt := range map[string]struct {
		status metav1.ConditionStatus
		want   []string
	}{
		"known": {metav1.ConditionTrue, []string{
			"RUNNING", "FAILED        driver container failed", "why           Its class is missing.", "more of it: brazier why known",
		}},
		"unknown": {metav1.ConditionFalse, []string{"RUNNING", "FAILED        driver container failed"}},
	} {
		app := newApplication(t, config, name)
		f := app.follow(t.Context(), config)
		app.state(running, 1, "")
		f.await(t, "RUNNING")
		app.patch(app.apps.Patch(types.MergePatchType).Resource(kube.ApplicationsResource).Name(name).SubResource("status"), map[string]any{
			"conditions": []metav1.Condition{{
				Type: "Diagnosed", Status: tt.status, Reason: "ClassMissing", Message: "Its class is missing.", LastTransitionTime: metav1.Now(),
			}},
		})
		app.state(failed, 1, "driver container failed")
		if _, err := f.wait(); err != nil {
			t.Fatal(err)
		}
		got := f.lines()
		for i := range got {
			got[i] = strings.TrimSpace(got[i])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: the end says what the condition does\n-want +got:\n%s", name, diff)
		}
	}
}

// record writes what the operator would of a run that has failed.
func (a *application) record(run int64, why string) {
	a.t.Helper()
	app := new(v1beta2.SparkApplication)
	err := a.apps.Get().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Name(a.name).Do(a.t.Context()).Into(app)
	if err != nil {
		a.t.Fatal(err)
	}
	records, err := kube.Records(a.config)
	if err != nil {
		a.t.Fatal(err)
	}
	ended := metav1.Now()
	record := &v1alpha1.RunRecord{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "RunRecord"},
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("%s.%d.%s", a.name, run, app.UID[:8]),
			Labels: map[string]string{v1beta2.LabelAppName: a.name, v1beta2.LabelRun: fmt.Sprint(run)},
		},
		Application: v1alpha1.ApplicationReference{Name: a.name, UID: app.UID}, Run: run, Ended: &ended,
		Causes: []v1alpha1.Cause{{Code: "container-out-of-memory", Why: why, Confidence: v1alpha1.ConfidenceHigh}},
	}
	if err := records.Post().Namespace(metav1.NamespaceDefault).Resource(kube.RecordsResource).Body(record).Do(a.t.Context()).Error(); err != nil {
		a.t.Fatal(err)
	}
}

func serverGoesAndComes(t *testing.T, config *rest.Config) {
	gate := newGate(t, config)
	app := newApplication(t, config, "restarted")
	f := app.follow(t.Context(), gate.config(config))
	app.state(submitted, 1, "")
	f.await(t, "SUBMITTED")
	app.state(running, 1, "")
	f.await(t, "RUNNING")

	gate.shut()
	f.await(t, "cluster       cannot be reached")
	app.state(completed, 1, "") // It happens while nobody looks.
	gate.open()

	outcome, err := f.wait()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(follow.Outcome{State: completed, Attempts: 1}, outcome); diff != "" {
		t.Errorf("what happened while the server was away counts\n-want +got:\n%s", diff)
	}
	want := []string{"SUBMITTED", "RUNNING", "cluster       cannot be reached", "cluster       reached again", "COMPLETED"}
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Errorf("each change is told once, whatever becomes of the connection\n-want +got:\n%s", diff)
	}
}

func deletedWhileFollowed(t *testing.T, config *rest.Config) {
	app := newApplication(t, config, "deleted")
	f := app.follow(t.Context(), config)
	app.state(running, 1, "")
	f.await(t, "RUNNING")
	app.delete()
	outcome, err := f.wait()
	if !errors.Is(err, follow.ErrDeleted) || outcome.State != running {
		t.Errorf("got %+v and %v, want the state that was seen last and ErrDeleted", outcome, err)
	}
}

func neverThere(t *testing.T, config *rest.Config) {
	_, err := follow.Application(t.Context(), follow.Options{
		Config: config, Namespace: metav1.NamespaceDefault, Name: "never", Streams: terminal.Streams{Out: io.Discard, Err: io.Discard},
	})
	if err == nil || !strings.Contains(err.Error(), "default/never: there is no such SparkApplication") {
		t.Errorf("got %v, want an error that says that there is no such application", err)
	}
}

func mayNotSeePods(t *testing.T, config *rest.Config) {
	grant(t, config, "reader")
	app := newApplication(t, config, "guarded")
	as := rest.CopyConfig(config)
	as.Impersonate.UserName = "reader"
	f := app.follow(t.Context(), as)
	f.await(t, "pods          not shown", "is forbidden")
	app.state(failed, 1, "driver container failed")
	outcome, err := f.wait()
	if err != nil || outcome.ExitCode != 1 {
		t.Errorf("got %+v and %v; whoever may read applications alone can follow them, with 1 for every failure", outcome, err)
	}
}

func maySeeNothing(t *testing.T, config *rest.Config) {
	app := newApplication(t, config, "secret")
	as := rest.CopyConfig(config)
	as.Impersonate.UserName = "stranger"
	if _, err := app.follow(t.Context(), as).wait(); err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("got %v, want the server's refusal at once", err)
	}
}

func detached(t *testing.T, config *rest.Config) {
	ctx, cancel := context.WithCancel(t.Context())
	app := newApplication(t, config, "left")
	f := app.follow(ctx, config)
	app.state(running, 1, "")
	f.await(t, "RUNNING")
	cancel()
	if outcome, err := f.wait(); !errors.Is(err, context.Canceled) || outcome.State != running {
		t.Errorf("got %+v and %v, want the state that was seen last and context.Canceled", outcome, err)
	}
}

// application plays the operator and the kubelet of one application.
type application struct {
	t       *testing.T
	name    string
	config  *rest.Config
	apps    rest.Interface
	cluster kubernetes.Interface
}

func newApplication(t *testing.T, config *rest.Config, name string) *application {
	t.Helper()
	apps, err := kube.Applications(config)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	app := &v1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///job.py",
		},
	}
	err = apps.Post().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Body(app).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
	return &application{t: t, name: name, config: config, apps: apps, cluster: cluster}
}

func (a *application) state(state v1beta2.ApplicationStateType, attempt int, message string) {
	a.t.Helper()
	a.patch(a.apps.Patch(types.MergePatchType).Resource(kube.ApplicationsResource).Name(a.name).SubResource("status"), map[string]any{
		"applicationState": map[string]any{"state": state, "errorMessage": message}, "executionAttempts": attempt,
	})
}

func (a *application) patch(request *rest.Request, status any) {
	a.t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		a.t.Fatal(err)
	}
	if err := request.Namespace(metav1.NamespaceDefault).Body(patch).Do(a.t.Context()).Error(); err != nil {
		a.t.Fatal(err)
	}
}

func (a *application) delete() {
	a.t.Helper()
	err := a.apps.Delete().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Name(a.name).Do(a.t.Context()).Error()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *application) driver() *corev1.Pod {
	a.t.Helper()
	pod, err := a.cluster.CoreV1().Pods(metav1.NamespaceDefault).Create(a.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   a.name + "-driver",
			Labels: map[string]string{v1beta2.LabelAppName: a.name, v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.DriverContainerName, Image: "spark"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		a.t.Fatal(err)
	}
	return pod
}

func (a *application) container(pod *corev1.Pod, state corev1.ContainerState) {
	a.t.Helper()
	phase := corev1.PodRunning
	if state.Terminated != nil {
		phase = corev1.PodFailed
	}
	a.patch(a.cluster.CoreV1().RESTClient().Patch(types.MergePatchType).Resource("pods").Name(pod.Name).SubResource("status"), corev1.PodStatus{
		Phase:             phase,
		ContainerStatuses: []corev1.ContainerStatus{{Name: v1beta2.DriverContainerName, State: state}},
	})
}

func (a *application) remove(pod *corev1.Pod) {
	a.t.Helper()
	err := a.cluster.CoreV1().Pods(metav1.NamespaceDefault).Delete(a.t.Context(), pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
	if err != nil {
		a.t.Fatal(err)
	}
}

// follower is a run of follow.Application with what it has written.
type follower struct {
	mu      sync.Mutex
	written bytes.Buffer
	done    chan struct{}
	outcome follow.Outcome
	err     error
}

func (a *application) follow(ctx context.Context, config *rest.Config) *follower {
	f := &follower{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.outcome, f.err = follow.Application(ctx, follow.Options{
			Config: config, Namespace: metav1.NamespaceDefault, Name: a.name, Streams: terminal.Streams{Out: f, Err: f},
		})
	}()
	return f
}

func (f *follower) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written.Write(p)
}

func (f *follower) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written.String()
}

// await waits until all of what has been written, in this order.
func (f *follower) await(t *testing.T, what ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		rest := f.text()
		for _, part := range what {
			_, after, found := strings.Cut(rest, part)
			if !found {
				return false, nil
			}
			rest = after
		}
		return true, nil
	})
	if err != nil {
		t.Fatalf("%q was never said, only:\n%s", what, f.text())
	}
}

func (f *follower) wait() (follow.Outcome, error) {
	<-f.done
	return f.outcome, f.err
}

// reasons are what the server and the system say of why something is not possible; it differs.
var reasons = regexp.MustCompile(`(cannot be reached).*`)

// lines are what was written without times.
func (f *follower) lines() []string {
	var lines []string
	for line := range strings.Lines(f.text()) {
		line = reasons.ReplaceAllString(strings.TrimSpace(line), "$1")
		_, text, _ := strings.Cut(line, "  ")
		lines = append(lines, text)
	}
	return lines
}

// grant lets a user read applications and nothing else.
func grant(t *testing.T, config *rest.Config, user string) {
	t.Helper()
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	rbac := cluster.RbacV1()
	_, err = rbac.Roles(metav1.NamespaceDefault).Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1beta2.GroupName}, Resources: []string{"sparkapplications"}, Verbs: []string{"list", "watch"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rbac.RoleBindings(metav1.NamespaceDefault).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// gate is a door in front of the API server that can be shut: what a client sees of a server that begins anew.
type gate struct {
	t               *testing.T
	address, server string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newGate(t *testing.T, config *rest.Config) *gate {
	t.Helper()
	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, address: "127.0.0.1:0", server: server.Host}
	g.open()
	t.Cleanup(g.shut)
	return g
}

func (g *gate) config(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Host = "https://" + g.address
	return config
}

// open listens, at the same address whenever it is opened again.
func (g *gate) open() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.address = listener.Addr().String()
	g.mu.Lock()
	g.listener = listener
	g.mu.Unlock()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go g.pass(conn)
		}
	}()
}

func (g *gate) pass(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server, err := net.Dial("tcp", g.server)
	if err != nil {
		return // The client sees a connection that breaks off, which is what gates are for.
	}
	defer func() { _ = server.Close() }()
	g.mu.Lock()
	g.conns = append(g.conns, conn, server)
	g.mu.Unlock()
	go func() { _, _ = io.Copy(server, conn) }() // It ends when either is closed.
	_, _ = io.Copy(conn, server)
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.listener.Close()
	for _, conn := range g.conns {
		_ = conn.Close()
	}
	g.conns = nil
}
