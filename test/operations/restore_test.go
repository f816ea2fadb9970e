package operations_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/controller/application"
	"brazier.sh/brazier/internal/controller/connect"
	"brazier.sh/brazier/internal/controller/scheduled"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

const restorePage = "../../docs/operations/backup-and-restore.md"

// cluster is the API server, as one team sees it.
type cluster struct {
	*apiserver.World
	// folder is where the commands of the page are run.
	folder string
}

func newCluster(t *testing.T, namespace string) *cluster {
	t.Helper()
	w := &cluster{World: server.World(t, namespace, nil), folder: t.TempDir()}
	w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(spark.DefaultServiceAccount)})
	return w
}

// operate runs the controllers until the returned function is called, or the test ends.
func (w *cluster) operate() (stop func()) {
	w.T.Helper()
	mgr, err := apiserver.NewManager(w.Server.Config(), w.Namespace, apiserver.Reliably, func(options *ctrl.Options) {
		options.Cache.ByObject = application.CacheOptions()
	})
	if err != nil {
		w.T.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	platform := spark.Platform{Image: "spark:{{SPARK_VERSION}}"}
	err = errors.Join(
		application.Add(mgr, w.Client, application.Options{Platform: platform, Workers: 2, Metrics: registry}),
		connect.Add(mgr, w.Client, connect.Options{Platform: platform, CacheNamespaces: map[string]cache.Config{w.Namespace: {}}, Workers: 1, Metrics: registry}),
		scheduled.Add(mgr, scheduled.Options{Platform: platform, Metrics: registry}),
	)
	if err != nil {
		w.T.Fatal(err)
	}
	return apiserver.Operate(w.T, mgr.Start)
}

func job() v1beta2.SparkApplicationSpec {
	return v1beta2.SparkApplicationSpec{Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py"}
}

func (w *cluster) submit(name string, change func(*v1beta2.SparkApplicationSpec)) {
	w.T.Helper()
	app := &v1beta2.SparkApplication{ObjectMeta: w.Meta(name), Spec: job()}
	change(&app.Spec)
	w.Create(app)
}

// play plays a node: the driver of the application runs, and ends with the code if there is one.
func (w *cluster) play(name string, code *int32) {
	w.T.Helper()
	w.awaitState(name, v1beta2.ApplicationStateSubmitted)
	container := corev1.ContainerStatus{Name: "spark-kubernetes-driver", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	phase := corev1.PodRunning
	if code != nil {
		container.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: *code, FinishedAt: metav1.Now()}}
		phase = map[bool]corev1.PodPhase{true: corev1.PodSucceeded, false: corev1.PodFailed}[*code == 0]
	}
	w.Eventually(name+"'s driver", func(ctx context.Context) (bool, error) {
		pod := new(corev1.Pod)
		if err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: name + "-driver"}, pod); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		pod.Status.Phase, pod.Status.ContainerStatuses = phase, []corev1.ContainerStatus{container}
		return true, w.Client.Status().Update(ctx, pod)
	})
}

func (w *cluster) awaitState(name string, state v1beta2.ApplicationStateType) *v1beta2.SparkApplication {
	w.T.Helper()
	app := new(v1beta2.SparkApplication)
	w.Eventually(name+" "+string(state), func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: name}, app)
		return app.Status.AppState.State == state, err
	})
	return app
}

// awaitServer waits for the pod of a Connect server.
func (w *cluster) awaitServer(name string) *v1alpha1.SparkConnect {
	w.T.Helper()
	server := new(v1alpha1.SparkConnect)
	w.Eventually(name+"'s server", func(ctx context.Context) (bool, error) {
		if err := w.Client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: name}, server); err != nil {
			return false, err
		}
		return slices.Contains(w.pods(v1alpha1.SparkRoleConnectServer), server.Status.Server.PodName), nil
	})
	return server
}

// pods returns the names of the pods that there are of a role: v1beta2.SparkRoleDriver, v1alpha1.SparkRoleConnectServer.
func (w *cluster) pods(role string) []string {
	w.T.Helper()
	var pods corev1.PodList
	if err := w.Client.List(w.T.Context(), &pods, client.InNamespace(w.Namespace), client.MatchingLabels{v1beta2.LabelSparkRole: role}); err != nil {
		w.T.Fatal(err)
	}
	var names []string
	for i := range pods.Items {
		names = append(names, pods.Items[i].Name)
	}
	return names
}

// lose removes every application, schedule and Connect server, with all that belongs to them.
func (w *cluster) lose() {
	w.T.Helper()
	for _, object := range []client.Object{
		&v1beta2.ScheduledSparkApplication{}, &v1beta2.SparkApplication{}, &v1alpha1.SparkConnect{}, &corev1.Pod{},
	} {
		if err := w.Client.DeleteAllOf(w.T.Context(), object, client.InNamespace(w.Namespace), client.GracePeriodSeconds(0)); err != nil {
			w.T.Fatal(err)
		}
	}
	w.Eventually("all is gone", func(ctx context.Context) (bool, error) {
		left := 0
		for _, list := range []client.ObjectList{
			&v1beta2.ScheduledSparkApplicationList{}, &v1beta2.SparkApplicationList{}, &v1alpha1.SparkConnectList{}, &corev1.PodList{},
		} {
			var items metav1.PartialObjectMetadataList
			kind, err := w.Client.GroupVersionKindFor(list)
			if err != nil {
				return false, err
			}
			items.SetGroupVersionKind(kind)
			if err := w.Client.List(ctx, &items, client.InNamespace(w.Namespace)); err != nil {
				return false, err
			}
			left += len(items.Items)
		}
		return left == 0, nil
	})
}

// follow carries out the commands of a section of the page, and returns what they print.
func (w *cluster) follow(section string) string {
	w.T.Helper()
	_, text, found := strings.Cut(read(w.T, restorePage), "\n## "+section+"\n")
	if !found {
		w.T.Fatalf("%s: there is no section %q", restorePage, section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	blocks := regexp.MustCompile("(?s)```bash\n(.*?)```").FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 {
		w.T.Fatalf("%s: section %q has no commands", restorePage, section)
	}
	bin, err := layout.FindBin()
	if err != nil {
		w.T.Fatal(err)
	}
	script := "set -euo pipefail\n"
	for _, block := range blocks {
		script += block[1]
	}
	command := exec.CommandContext(w.T.Context(), "bash", "-c", script)
	command.Dir = w.folder
	path := bin + string(filepath.ListSeparator) + os.Getenv("PATH")
	command.Env = append(os.Environ(), "KUBECONFIG="+server.Kubeconfig(), "PATH="+path)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		w.T.Fatalf("%s: %v\n%s%s", section, err, out.String(), errs.String())
	}
	return out.String()
}

// TestRestore loses a cluster and follows the page: what had ended is told as ever, and no job runs until somebody says so.
// Connect servers, which do nothing by themselves, are there again.
func TestRestore(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("the procedure needs jq, which is not installed")
	}
	w := newCluster(t, "sales")
	stop := w.operate()
	w.submit("done", func(*v1beta2.SparkApplicationSpec) {})
	w.submit("failed", func(*v1beta2.SparkApplicationSpec) {})
	w.submit("running", func(*v1beta2.SparkApplicationSpec) {})
	w.submit("held", func(spec *v1beta2.SparkApplicationSpec) { spec.Suspend = true })
	w.play("done", new(int32(0)))
	w.play("failed", new(int32(1)))
	w.play("running", nil)
	nightly := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta("nightly")}
	nightly.Spec.Schedule, nightly.Spec.TimeZone, nightly.Spec.Template = "@every 1s", "UTC", job()
	nightly.Spec.ConcurrencyPolicy = v1beta2.ConcurrencyForbid
	w.Create(nightly)
	w.Eventually("a run of the schedule", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(nightly), nightly)
		return nightly.Status.LastRunName != "", err
	})
	run := nightly.Status.LastRunName
	w.awaitState(run, v1beta2.ApplicationStateSubmitted)
	notebooks := &v1alpha1.SparkConnect{ObjectMeta: w.Meta("notebooks")}
	notebooks.Spec.SparkVersion = "4.3.0"
	w.Create(notebooks)
	w.awaitServer("notebooks")
	w.awaitState("held", v1beta2.ApplicationStateSuspended)
	w.awaitState("running", v1beta2.ApplicationStateRunning)
	done, failed := w.awaitState("done", v1beta2.ApplicationStateCompleted), w.awaitState("failed", v1beta2.ApplicationStateFailed)
	w.Eventually("what ran is cleared away", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(done), done)
		return meta.IsStatusConditionTrue(done.Status.Conditions, v1beta2.ConditionReleased), err
	})

	stop()
	w.follow("Back up")
	w.lose()
	w.follow("Restore")
	if pods := slices.Concat(w.pods(v1beta2.SparkRoleDriver), w.pods(v1alpha1.SparkRoleConnectServer)); len(pods) != 0 {
		t.Fatalf("want no drivers or servers without an operator: %v", pods)
	}
	w.operate()

	for _, name := range []string{"running", "held", run} {
		w.awaitState(name, v1beta2.ApplicationStateSuspended)
	}
	// An application that is created last is looked at last: by then the others have been, too.
	w.submit("after", func(*v1beta2.SparkApplicationSpec) {})
	w.play("after", nil)
	w.awaitState("after", v1beta2.ApplicationStateRunning)
	if diff := cmp.Diff([]string{"after-driver"}, w.pods(v1beta2.SparkRoleDriver)); diff != "" {
		t.Errorf("drivers after the restore\n-want +got:\n%s", diff)
	}
	for _, before := range []*v1beta2.SparkApplication{done, failed} {
		after := w.awaitState(before.Name, before.Status.AppState.State)
		if diff := cmp.Diff(before.Status, after.Status); diff != "" {
			t.Errorf("status of %s\n-before +after:\n%s", before.Name, diff)
		}
	}
	if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(nightly), nightly); err != nil || !nightly.Spec.Suspend {
		t.Errorf("want a schedule that is suspended, got %+v: %v", nightly.Spec, err)
	}

	if server := w.awaitServer("notebooks"); server.Status.Run != 1 {
		t.Errorf("want a server that is started as a new one, got run %d", server.Status.Run)
	}

	waiting := w.follow("Let go on what should")
	for _, want := range []string{"SparkApplication sales running RUNNING", "ScheduledSparkApplication sales nightly"} {
		if !strings.Contains(waiting, want) {
			t.Errorf("want %q among what waits, got:\n%s", want, waiting)
		}
	}
	for _, unwanted := range []string{"held", "done", "failed", "notebooks"} {
		if strings.Contains(waiting, " "+unwanted) {
			t.Errorf("want %s not among what waits, got:\n%s", unwanted, waiting)
		}
	}
	w.play("running", new(int32(0)))
	again := w.awaitState("running", v1beta2.ApplicationStateCompleted)
	if again.Status.ExecutionAttempts != 1 {
		t.Errorf("want one run of what had run before, got %d", again.Status.ExecutionAttempts)
	}
}
