package run_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/test/apiserver"
)

// world is a real API server, a folder that stands in for the object store, and a folder of jobs.
type world struct {
	kubeconfig, store, jobs string
	apps                    rest.Interface
	cluster                 kubernetes.Interface
}

// TestAPIServer runs jobs on a real API server, on which the test plays the operator.
func TestAPIServer(t *testing.T) {
	server := apiserver.Start(t)
	config := server.Config()

	t.Run("NoBrazier", func(t *testing.T) {
		_, _, err := brazier(t.Context(), t, "", "--kubeconfig", server.Kubeconfig(), "local:///job.py")
		if err == nil || !strings.Contains(err.Error(), "does not know SparkApplications; \"brazier up --kubeconfig FILE\" puts Brazier on it") {
			t.Errorf("got %v, want an error that says how to put Brazier on the cluster", err)
		}
	})
	if err := server.Define(); err != nil {
		t.Fatal(err)
	}
	var err error
	w := &world{kubeconfig: server.Kubeconfig(), store: t.TempDir(), jobs: t.TempDir()}
	if w.apps, err = kube.Applications(config); err != nil {
		t.Fatal(err)
	}
	if w.cluster, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	w.write(t, "report.py", "print('report')\n")
	w.write(t, "helpers.zip", "not really a zip\n")
	w.write(t, "my file.csv", "a,b\n")

	t.Run("NoObjectStore", w.noObjectStore)
	w.secret(t)
	t.Run("Uploads", w.uploads)
	t.Run("Manifest", w.manifest)
	t.Run("ExitCode", w.exitCode)
	t.Run("Completed", w.completed)
	t.Run("Detached", w.detached)
	t.Run("Refused", w.refused)
}

func (w *world) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.jobs, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) secret(t *testing.T) {
	t.Helper()
	_, err := w.cluster.CoreV1().Secrets(metav1.NamespaceDefault).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: objectstore.SecretName},
		StringData: map[string]string{"BRAZIER_BUCKET": "file://" + w.store},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) run(ctx context.Context, t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	return brazier(ctx, t, "", append([]string{"--kubeconfig", w.kubeconfig}, args...)...)
}

func (w *world) job(name string) string { return filepath.Join(w.jobs, name) }

func (w *world) get(t *testing.T, name string) *v1beta2.SparkApplication {
	t.Helper()
	app := new(v1beta2.SparkApplication)
	err := w.apps.Get().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Name(name).Do(t.Context()).Into(app)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func (w *world) noObjectStore(t *testing.T) {
	_, _, err := w.run(t.Context(), t, w.job("report.py"))
	if err == nil || !strings.Contains(err.Error(), `namespace "default" has no Secret brazier-object-store`) {
		t.Errorf("got %v, want an error that names the Secret", err)
	}
	if _, _, err := w.run(t.Context(), t, "--detach", "--name", "remote", "s3a://brazier/report.py"); err != nil {
		t.Errorf("what the cluster can reach needs no object store, got %v", err)
	}
}

// stored are the files of the object store, by path and content.
func (w *world) stored(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(w.store, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, w.store+"/")] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sum is the part of a key that follows from a file's content.
var sum = regexp.MustCompile(`/[0-9a-f]{64}/`)

func (w *world) uploads(t *testing.T) {
	args := []string{"--detach", "--py-files", w.job("helpers.zip"), "--files", "s3a://elsewhere/a.csv", w.job("report.py"), "2026"}
	first, progress, err := w.run(t.Context(), t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress, "uploading report.py") {
		t.Errorf("uploads must be said, got\n%s", progress)
	}
	want := map[string]string{"uploads/default/SUM/report.py": "print('report')\n", "uploads/default/SUM/helpers.zip": "not really a zip\n"}
	got := map[string]string{}
	for path, content := range w.stored(t) {
		got[sum.ReplaceAllString(path, "/SUM/")] = content
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the object store\n-want +got:\n%s", diff)
	}
	app := w.get(t, strings.TrimSpace(first))
	spec := struct {
		Main           string
		PyFiles, Files []string
		Arguments      []string
	}{app.Spec.MainApplicationFile, app.Spec.Deps.PyFiles, app.Spec.Deps.Files, app.Spec.Arguments}
	for path := range w.stored(t) {
		url := "file://" + w.store + "/" + path
		if url != spec.Main && url != spec.PyFiles[0] {
			t.Errorf("the application must name what was uploaded, got %+v and %s", spec, url)
		}
	}
	if diff := cmp.Diff([]string{"s3a://elsewhere/a.csv"}, spec.Files); diff != "" {
		t.Errorf("a file in the cluster's reach keeps its URL\n-want +got:\n%s", diff)
	}

	second, progress, err := w.run(t.Context(), t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Errorf("two runs without a name must have two names, got %s twice", first)
	}
	if strings.Count(progress, "is there already") != 2 {
		t.Errorf("the same files must not be sent again, got\n%s", progress)
	}
}

func (w *world) manifest(t *testing.T) {
	w.write(t, "app.yaml", `apiVersion: sparkoperator.k8s.io/v1beta2
kind: SparkApplication
metadata: {name: from-manifest}
spec:
  type: Python
  sparkVersion: 4.3.0
  mainApplicationFile: report.py
  deps: {archives: ["helpers.zip#helpers", "local:///opt/a.tar.gz"]}
  driver: {}
  executor: {}
`)
	out, _, err := w.run(t.Context(), t, "--detach", "-f", w.job("app.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	app := w.get(t, strings.TrimSpace(out))
	url := regexp.MustCompile(`^file://` + regexp.QuoteMeta(w.store) + `/uploads/default/[0-9a-f]{64}/`)
	if main := app.Spec.MainApplicationFile; url.ReplaceAllString(main, "URL/") != "URL/report.py" {
		t.Errorf("spec.mainApplicationFile: a path beside the manifest must be uploaded, got %s", main)
	}
	archives := []string{url.ReplaceAllString(app.Spec.Deps.Archives[0], "URL/"), app.Spec.Deps.Archives[1]}
	if diff := cmp.Diff([]string{"URL/helpers.zip#helpers", "local:///opt/a.tar.gz"}, archives); diff != "" {
		t.Errorf("spec.deps.archives\n-want +got:\n%s", diff)
	}
	if _, _, err := w.run(t.Context(), t, "--detach", "-n", "sales", "-f", "-"); err == nil {
		t.Error("an empty manifest must be refused")
	}
}

func (w *world) exitCode(t *testing.T) {
	ctx, play := w.play(t, "fails", func(t *testing.T) {
		w.driver(t, "fails", 42)
		w.status(t, "fails", v1beta2.ApplicationStateFailed, "driver container failed")
	})
	_, progress, err := w.run(ctx, t, "--name", "fails", "local:///job.py")
	play()
	if code := exit.Of(err); code != 42 || !exit.Silent(err) {
		t.Errorf("got %v, want the job's own code, 42, and nothing more to print", err)
	}
	if !strings.Contains(progress, "FAILED        driver container failed") {
		t.Errorf("the failure must be told, got\n%s", progress)
	}
}

func (w *world) completed(t *testing.T) {
	ctx, play := w.play(t, "works", func(t *testing.T) { w.status(t, "works", v1beta2.ApplicationStateCompleted, "") })
	_, progress, err := w.run(ctx, t, "--name", "works", "local:///job.py")
	play()
	if err != nil || !strings.Contains(progress, "default/works is created") || !strings.Contains(progress, "COMPLETED") {
		t.Errorf("got %v and\n%s", err, progress)
	}
}

func (w *world) detached(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, play := w.play(t, "left", func(*testing.T) { cancel() })
	_, progress, err := w.run(ctx, t, "--name", "left", "local:///job.py")
	play()
	if code := exit.Of(err); code != exit.Interrupted || !exit.Silent(err) {
		t.Errorf("got %v, want the code of an interruption", err)
	}
	comeBack := "brazier follow --kubeconfig " + w.kubeconfig + " --namespace default left"
	if !strings.Contains(progress, comeBack) {
		t.Errorf("the way back must be told, %q, got\n%s", comeBack, progress)
	}
	w.get(t, "left") // It goes on.
}

func (w *world) refused(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"Collision":  {[]string{"--name", "works", "local:///job.py"}, `--name: there is an application "works" in the namespace "default" already; choose another name`},
		"Missing":    {[]string{w.job("none.py")}, "JOB: there is no file"},
		"Folder":     {[]string{"--files", w.jobs, "local:///job.py"}, "--files: \"" + w.jobs + "\" is a folder; name its files"},
		"UnsafeName": {[]string{"--files", w.job("my file.csv"), "local:///job.py"}, `--files: "my file.csv" cannot be part of a URL`},
		"Namespace":  {[]string{"-n", "nowhere", "local:///job.py"}, `namespaces "nowhere" not found`},
		"Context":    {[]string{"--context", "nowhere", "local:///job.py"}, `--context: "nowhere" is not in the kubeconfig`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := w.run(t.Context(), t, append([]string{"--detach"}, tt.args...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// play does what an operator would once the application is there; its second result waits for it.
func (w *world) play(t *testing.T, name string, act func(*testing.T)) (context.Context, func()) {
	t.Helper()
	events, err := w.apps.Get().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).
		VersionedParams(&metav1.ListOptions{Watch: true, FieldSelector: "metadata.name=" + name}, metav1.ParameterCodec).Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer events.Stop()
		for event := range events.ResultChan() {
			if event.Type == watch.Added {
				act(t)
				return
			}
		}
	}()
	return t.Context(), func() { <-done }
}

func (w *world) status(t *testing.T, name string, state v1beta2.ApplicationStateType, message string) {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{
		"applicationState": map[string]any{"state": state, "errorMessage": message}, "executionAttempts": 1,
	}})
	if err != nil {
		t.Error(err)
		return
	}
	err = w.apps.Patch(types.MergePatchType).Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).
		Name(name).SubResource("status").Body(patch).Do(context.WithoutCancel(t.Context())).Error()
	if err != nil {
		t.Error(err)
	}
}

// driver makes a driver's pod that has ended with code.
func (w *world) driver(t *testing.T, app string, code int32) {
	pods := w.cluster.CoreV1().Pods(metav1.NamespaceDefault)
	pod, err := pods.Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   app + "-driver",
			Labels: map[string]string{v1beta2.LabelAppName: app, v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.DriverContainerName, Image: "spark"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	pod.Status.Phase = corev1.PodFailed
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: v1beta2.DriverContainerName, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}},
	}}
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Error(err)
	}
}
