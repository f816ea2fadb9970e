package why_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/why"
	"brazier.sh/brazier/internal/scene"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// world is an API server on which the test plays operator, scheduler and kubelet.
type world struct {
	t          *testing.T
	config     *rest.Config
	client     client.Client
	kubeconfig string
}

// TestAPIServer asks a real API server, as its administrator and as people who may read less.
func TestAPIServer(t *testing.T) {
	server := apiserver.Start(t)
	w := &world{t: t, config: server.Config(), kubeconfig: server.Kubeconfig()}
	t.Run("NoBrazier", func(t *testing.T) {
		w.refuses(t, []string{"pi"}, "the cluster does not know SparkApplications")
	})
	if err := server.Define(); err != nil {
		t.Fatal(err)
	}
	w.client = server.Client(t)
	w.setUp()
	t.Run("Failed", w.failed)
	t.Run("Waiting", w.waiting)
	t.Run("Deleted", w.deleted)
	t.Run("NoSuch", w.noSuch)
	t.Run("Viewer", w.viewer)
	t.Run("Stranger", w.stranger)
}

func (w *world) setUp() {
	w.t.Helper()
	for name, cpus := range map[string]string{"worker-1": "4", "worker-2": "8"} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
		w.create(w.t, node)
		node.Status.Allocatable = corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpus), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		w.status(w.t, node)
	}
}

func (w *world) create(t *testing.T, object client.Object) {
	t.Helper()
	if object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	if err := w.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// status writes the status of an object, whatever a controller has changed of it meanwhile.
func (w *world) status(t *testing.T, object client.Object) {
	t.Helper()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := json.Marshal(map[string]any{"status": fields["status"]})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.Status().Patch(t.Context(), object, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Fatal(err)
	}
}

func (w *world) application(t *testing.T, name string, state v1beta2.ApplicationStateType, run int64) *v1beta2.SparkApplication {
	t.Helper()
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///job.py",
	}}
	w.create(t, app)
	app.Status.AppState.State, app.Status.Run, app.Status.ExecutionAttempts = state, run, int32(run)
	app.Status.RunSubmitTime = metav1.NewTime(app.CreationTimestamp.Time)
	app.Status.LastSubmissionAttemptTime = app.Status.RunSubmitTime
	if state.Ended() {
		app.Status.TerminationTime = metav1.Now()
	}
	w.status(t, app)
	return app
}

// pod makes a pod of a run with the status that a kubelet or a scheduler would give it.
func (w *world) pod(t *testing.T, app, role, name string, run int64, status corev1.PodStatus) *corev1.Pod {
	t.Helper()
	container := v1beta2.DriverContainerName
	if role == v1beta2.SparkRoleExecutor {
		container = v1beta2.ExecutorContainerName
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			v1beta2.LabelAppName: app, v1beta2.LabelSparkRole: role, v1beta2.LabelRun: fmt.Sprint(run),
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: container, Image: "spark:nowhere", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100")},
		}}}},
	}
	w.create(t, pod)
	for i := range status.ContainerStatuses {
		status.ContainerStatuses[i].Name = container
	}
	pod.Status = status
	w.status(t, pod)
	return pod
}

func outOfMemory() corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", FinishedAt: metav1.Now()},
	}}}}
}

func unpullable() corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: `Back-off pulling image "spark:nowhere"`},
	}}}}
}

func (w *world) event(t *testing.T, about client.Object, kind, reason, message string) {
	t.Helper()
	w.create(t, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: about.GetName() + "."},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: about.GetNamespace(), Name: about.GetName(), UID: about.GetUID()},
		Reason:         reason, Message: message, Type: corev1.EventTypeWarning, FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 3,
	})
}

func (w *world) record(t *testing.T, app string, uid types.UID, run int64, causes ...v1alpha1.Cause) *v1alpha1.RunRecord {
	t.Helper()
	ended := metav1.Now()
	record := &v1alpha1.RunRecord{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("%s.%d.%s", app, run, uid[:8]),
			Labels: map[string]string{v1beta2.LabelAppName: app, v1beta2.LabelRun: fmt.Sprint(run)},
		},
		Application: v1alpha1.ApplicationReference{Name: app, UID: uid}, Run: run, State: string(v1beta2.ApplicationStateFailed),
		Ended: &ended, Causes: causes,
	}
	w.create(t, record)
	return record
}

// brazier runs the command.
func brazier(t *testing.T, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	var out, progress bytes.Buffer
	cmd := why.NewCommand(terminal.Streams{In: new(bytes.Buffer), Out: &out, Err: &progress})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{"--kubeconfig", kubeconfig}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// says runs the command, and asks that it says all of want.
func (w *world) says(t *testing.T, kubeconfig string, args []string, want ...string) string {
	t.Helper()
	out, err := brazier(t, kubeconfig, args...)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range want {
		if !strings.Contains(out, part) {
			t.Errorf("%v does not say %q:\n%s", args, part, out)
		}
	}
	return out
}

func (w *world) refuses(t *testing.T, args []string, want string) {
	t.Helper()
	if out, err := brazier(t, w.kubeconfig, args...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v: got %v, want an error with %q\n%s", args, err, want, out)
	}
}

func (w *world) failed(t *testing.T) {
	app := w.application(t, "pi", v1beta2.ApplicationStateFailed, 2)
	w.record(t, "pi", app.UID, 1, v1alpha1.Cause{Code: "node-lost", Why: "Its node was lost.", Confidence: v1alpha1.ConfidenceHigh, Transient: true})
	w.record(t, "pi", "ffffffff-1111", 7, v1alpha1.Cause{Code: "image-pull", Why: "Another application of its name.", Confidence: v1alpha1.ConfidenceHigh})
	w.pod(t, "pi", v1beta2.SparkRoleDriver, "pi-driver", 2, outOfMemory())

	w.says(t, w.kubeconfig, []string{"pi"},
		"pi failed ", "in its second of 2 attempts.", "memory", "Pod/pi-driver", "another attempt would fail the same way",
		"Of run 1 something is known as well:", "why --kubeconfig "+w.kubeconfig+" pi --attempt 1")
	w.says(t, w.kubeconfig, []string{"pi", "--attempt", "1"}, "Run 1 of pi failed", "1. Its node was lost.", "another attempt may well succeed")
	w.refuses(t, []string{"pi", "--attempt", "7"}, "--attempt: pi has no attempt 7 of which anything is known; there are 1 and 2")
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "rules:\n- code: ours\n  when: 'true'\n  why: Our own rule says so.\n  confidence: low\n  evidence: '[]'\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.says(t, w.kubeconfig, []string{"pi", "--rules", rules}, "memory", "Our own rule says so.")
	w.refuses(t, []string{"pi", "--rules", "/nowhere"}, "--rules: open /nowhere")
	w.refuses(t, []string{"pi", "--attempt", "0"}, "--attempt: 0 is not the number of an attempt; write 1 or more")

	var answer struct {
		Application struct {
			Namespace, Name string
			UID             types.UID
		}
		Run    int64
		State  string
		Causes []v1alpha1.Cause
		Unread []string
	}
	if err := json.Unmarshal([]byte(w.says(t, w.kubeconfig, []string{"pi", "-o", "json"})), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Application.UID != app.UID || answer.Run != 2 || answer.State != "FAILED" || len(answer.Causes) == 0 || answer.Unread == nil {
		t.Errorf("as JSON: %+v", answer)
	}
	w.says(t, w.kubeconfig, []string{"pi", "-o", "yaml"}, "state: FAILED", "run: 2")
	w.refuses(t, []string{"pi", "-o", "xml"}, `--output: "xml" is not a form; write text, json or yaml`)
}

func (w *world) waiting(t *testing.T) {
	w.application(t, "slow", v1beta2.ApplicationStateSubmitted, 1)
	pod := w.pod(t, "slow", v1beta2.SparkRoleDriver, "slow-driver", 1, unpullable())
	w.event(t, pod, "Pod", "Failed", `Failed to pull image "spark:nowhere": not found`)
	w.says(t, w.kubeconfig, []string{"slow"}, "slow has been waiting", "1. ", "spark:nowhere", "Back-off pulling")
}

func (w *world) deleted(t *testing.T) {
	w.record(t, "gone", "0a0b0c0d-1111", 1)
	w.record(t, "gone", "0a0b0c0d-1111", 2, v1alpha1.Cause{Code: "quota", Why: "The quota was used up.", Confidence: v1alpha1.ConfidenceHigh})
	w.says(t, w.kubeconfig, []string{"gone"}, "gone is not there any more. Its record says that its second run failed", "1. The quota was used up.")
	w.says(t, w.kubeconfig, []string{"gone", "--attempt", "1"}, "Why is not known. Looked at: the record of run 1.")
}

func (w *world) noSuch(t *testing.T) {
	w.refuses(t, []string{"gonee"}, `there is no application "gonee" in namespace default, nor a record of one; did you mean gone?`)
	w.refuses(t, []string{"something-else"}, `nor a record of one; "brazier ps --kubeconfig`)
	w.refuses(t, []string{"-n", "kube-public", "pi"}, "nor a record of one, nor any other; --namespace looks elsewhere")
	w.refuses(t, nil, "APP: name one application")
}

// viewer may read what is in the namespace, as everybody with the role view there, and no nodes.
func (w *world) viewer(t *testing.T) {
	w.create(t, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "brazier-view", Labels: map[string]string{"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{v1beta2.GroupName}, Resources: []string{"sparkapplications"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{v1alpha1.GroupName}, Resources: []string{"runrecords"}, Verbs: []string{"get", "list", "watch"}},
		},
	})
	w.create(t, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewer"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "viewer"}},
	})
	viewer := w.as(t, "viewer")
	w.await(t, func() bool {
		_, err := brazier(t, viewer, "gone")
		return err == nil
	})
	w.application(t, "big", v1beta2.ApplicationStateSubmitted, 1)
	w.pod(t, "big", v1beta2.SparkRoleDriver, "big-driver", 1, corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/2 nodes are available: 2 Insufficient cpu.",
	}}})

	w.create(t, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "neighbour", Namespace: "kube-public"}, Spec: corev1.PodSpec{
		NodeName: "worker-1", Containers: []corev1.Container{{Name: "c", Image: "i", Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m")},
		}}},
	}})

	out := w.says(t, viewer, []string{"big"}, "big has been waiting", "Not read: nodes: forbidden; pods of all namespaces: forbidden.")
	if whole := w.says(t, w.kubeconfig, []string{"big"}, "big has been waiting"); strings.Contains(whole, "Not read") {
		t.Errorf("an administrator is told of what could not be read:\n%s", whole)
	}
	if strings.Count(out, "forbidden") != 2 {
		t.Errorf("whoever has the role view reads all of the namespace:\n%s", out)
	}
	w.nodes(t)
	// No nodes are asked for where nothing waits for one.
	if out := w.says(t, viewer, []string{"pi"}, "pi failed", "memory"); strings.Contains(out, "Not read") {
		t.Errorf("more was asked for than there was to see:\n%s", out)
	}
}

// nodes are told with what is requested on them, to whoever may read them.
func (w *world) nodes(t *testing.T) {
	t.Helper()
	source, err := scene.Open(w.config)
	if err != nil {
		t.Fatal(err)
	}
	found, err := source.Gather(t.Context(), metav1.NamespaceDefault, "big", 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, node := range found.Case.Cluster.Nodes {
		got[node.Name] = node.Requested.Cpu().String() + " in " + node.Requested.Pods().String()
	}
	if diff := cmp.Diff(map[string]string{"worker-1": "1500m in 1", "worker-2": "0 in 0"}, got); diff != "" {
		t.Errorf("what is requested on nodes\n-want +got:\n%s", diff)
	}
	if waiting := found.Case.Cluster.Waiting; len(waiting) != 1 || waiting[0].Name != "big-driver" {
		t.Errorf("what waits for a node: %v", waiting)
	}
}

func (w *world) stranger(t *testing.T) {
	_, err := brazier(t, w.as(t, "stranger"), "pi")
	if err == nil || !strings.Contains(err.Error(), `look at default/pi: read application: sparkapplications.sparkoperator.k8s.io "pi" is forbidden`) {
		t.Errorf("got %v, want the server's refusal", err)
	}
}

// as writes a kubeconfig that acts as a user.
func (w *world) as(t *testing.T, user string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for name := range config.AuthInfos {
		config.AuthInfos[name].Impersonate = user
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) await(t *testing.T, done func() bool) {
	t.Helper()
	apiserver.Eventually(t, "what was waited for", func(context.Context) (bool, error) { return done(), nil })
}
