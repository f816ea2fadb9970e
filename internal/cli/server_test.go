package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

const space = metav1.NamespaceDefault

// world is a real API server, on which the test plays the operator.
type world struct {
	kubeconfig    string
	config        *rest.Config
	apps, records rest.Interface
	connects      rest.Interface
	cluster       kubernetes.Interface
}

// TestAPIServer runs the verbs on a real API server. What needs a kubelet is in test/e2e.
func TestAPIServer(t *testing.T) {
	server := apiserver.Start(t)
	w := &world{kubeconfig: server.Kubeconfig(), config: server.Config()}
	w.fails(t, "does not know SparkApplications", "ps")
	err := server.Define()
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []struct {
		into *rest.Interface
		make func(*rest.Config) (rest.Interface, error)
	}{{&w.apps, kube.Applications}, {&w.records, kube.Records}, {&w.connects, kube.Connects}} {
		if *client.into, err = client.make(w.config); err != nil {
			t.Fatal(err)
		}
	}
	if w.cluster, err = kubernetes.NewForConfig(w.config); err != nil {
		t.Fatal(err)
	}
	w.fails(t, `there is no application "pi" in namespace default, nor any other`, "get", "pi")
	w.populate(t)
	t.Run("Ps", w.testPs)
	t.Run("PsWatch", w.testPsWatch)
	t.Run("Get", w.testGet)
	t.Run("GetWaits", w.testGetWaits)
	t.Run("Events", w.testEvents)
	t.Run("Kept", w.testKept)
	t.Run("UI", w.testUI)
	t.Run("Cancel", w.testCancel)
	t.Run("Rerun", w.testRerun)
	t.Run("Schedule", w.testSchedule)
	t.Run("Complete", w.testComplete)
	t.Run("LeastRights", w.testLeastRights)
}

// buffer is written by a command while a test reads it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// start runs a command until it ends or ctx does.
func (w *world) start(ctx context.Context, out, said *buffer, args ...string) error {
	root := cli.NewCommand(terminal.Streams{In: strings.NewReader(""), Out: out, Err: said})
	root.SetArgs(append(args, "--kubeconfig", w.kubeconfig))
	return root.ExecuteContext(ctx)
}

// try runs a command and returns what it printed.
func (w *world) try(t *testing.T, args ...string) (out, said string, err error) {
	t.Helper()
	var stdout, stderr buffer
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	err = w.start(ctx, &stdout, &stderr, args...)
	return stdout.String(), stderr.String(), err
}

// run runs a command that must succeed.
func (w *world) run(t *testing.T, args ...string) (out, said string) {
	t.Helper()
	out, said, err := w.try(t, args...)
	if err != nil {
		t.Fatalf("brazier %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return out, said
}

// fails runs a command that must fail with an error that has want in it.
func (w *world) fails(t *testing.T, want string, args ...string) {
	t.Helper()
	out, said, err := w.try(t, args...)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("brazier %s: got %v, want an error with %q\n%s%s", strings.Join(args, " "), err, want, out, said)
	}
}

// has fails the test unless text has every one of wants in it.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("want %q in\n%s", want, text)
		}
	}
}

// eventually polls until is says that it is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	apiserver.Eventually(t, what, func(context.Context) (bool, error) { return is(), nil })
}

func (w *world) create(t *testing.T, name string, change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	t.Helper()
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: space, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"}},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	if change != nil {
		change(app)
	}
	created := new(v1beta2.SparkApplication)
	if err := w.apps.Post().Namespace(space).Resource(kube.ApplicationsResource).Body(app).Do(t.Context()).Into(created); err != nil {
		t.Fatal(err)
	}
	return created
}

func (w *world) status(t *testing.T, name string, status map[string]any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		t.Fatal(err)
	}
	err = w.apps.Patch(types.MergePatchType).Namespace(space).Resource(kube.ApplicationsResource).Name(name).SubResource("status").Body(patch).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
}

func state(state v1beta2.ApplicationStateType, message string) map[string]any {
	return map[string]any{"applicationState": map[string]any{"state": state, "errorMessage": message}, "executionAttempts": 1, "run": 1}
}

func (w *world) get(t *testing.T, name string) *v1beta2.SparkApplication {
	t.Helper()
	app := new(v1beta2.SparkApplication)
	if err := w.apps.Get().Namespace(space).Resource(kube.ApplicationsResource).Name(name).Do(t.Context()).Into(app); err != nil {
		t.Fatal(err)
	}
	return app
}

func (w *world) pod(t *testing.T, app, name, role string, phase corev1.PodPhase) {
	t.Helper()
	pods := w.cluster.CoreV1().Pods(space)
	pod, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{v1beta2.LabelAppName: app, v1beta2.LabelSparkRole: role, v1beta2.LabelRun: "1"}},
		Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{
			Name: v1beta2.DriverContainerName, Image: "spark", Ports: []corev1.ContainerPort{{Name: "spark-ui", ContainerPort: 4041}},
		}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pod.Status.Phase = phase
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// populate makes a handful of applications in different states.
func (w *world) populate(t *testing.T) {
	w.create(t, "works", func(app *v1beta2.SparkApplication) {
		app.Labels = map[string]string{"team": "sales"}
		app.Spec.Executor.Instances = new(int32(3))
		app.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{ServicePort: new(int32(80))}
	})
	running := state(v1beta2.ApplicationStateRunning, "")
	running["executorState"] = map[string]any{"works-exec-1": "RUNNING", "works-exec-2": "PENDING"}
	running["driverInfo"] = map[string]any{"podName": "works-driver", "webUIPort": 80}
	running["lastSubmissionAttemptTime"] = time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	w.status(t, "works", running)
	w.pod(t, "works", "works-driver", v1beta2.SparkRoleDriver, corev1.PodRunning)
	w.pod(t, "works", "works-exec-1", v1beta2.SparkRoleExecutor, corev1.PodRunning)
	w.create(t, "broken", nil)
	w.status(t, "broken", state(v1beta2.ApplicationStateFailed, "driver container failed with ExitCode: 1"))
	w.create(t, "fresh", nil)
}

// as is a kubeconfig of a service account with one set of rights.
func (w *world) as(t *testing.T, name string, rules ...rbacv1.PolicyRule) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := w.cluster.CoreV1().ServiceAccounts(space).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}
	if _, err := w.cluster.RbacV1().Roles(space).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: space, Name: name}},
	}
	if _, err := w.cluster.RbacV1().RoleBindings(space).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules { // The API server learns of them in its own time.
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + space + ":" + name, ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: space, Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: rule.Verbs[0],
			},
		}}
		eventually(t, "the rights of "+name, func() bool {
			answer, err := w.cluster.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
			return err == nil && answer.Status.Allowed
		})
	}
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range config.AuthInfos {
		user.Impersonate = "system:serviceaccount:" + space + ":" + name
	}
	path := t.TempDir() + "/kubeconfig"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) record(t *testing.T, record *recordv1.RunRecord) {
	t.Helper()
	if err := w.records.Post().Namespace(space).Resource(kube.RecordsResource).Body(record).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) connect(t *testing.T, name string) {
	t.Helper()
	connect := &v1alpha1.SparkConnect{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SparkConnectSpec{SparkVersion: "4.3.0"}}
	if err := w.connects.Post().Namespace(space).Resource(kube.ConnectsResource).Body(connect).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
}

// complete returns what a shell is told.
func complete(t *testing.T, args ...string) string {
	t.Helper()
	var out, said buffer
	root := cli.NewCommand(terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &said})
	root.SetArgs(args)
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
