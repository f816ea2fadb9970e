package submit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/cli/exit"
	"brazier.sh/brazier/internal/cli/submit"
	"brazier.sh/brazier/internal/kube"
	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

// world is a real API server, a folder that stands in for the object store, and a folder of jobs.
type world struct {
	kubeconfig, host, store, jobs string
	apps                          rest.Interface
	config                        *rest.Config
}

// brazier runs the command as main would.
func brazier(ctx context.Context, t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := submit.NewCommand(terminal.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append([]string{}, args...))
	err = cmd.ExecuteContext(ctx)
	return stdout.String(), stderr.String(), err
}

// clean hides what this machine's environment says to Spark.
func clean(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"MASTER", "DEPLOY_MODE", "SPARK_REMOTE", "SPARK_CONF_DIR", "SPARK_HOME", "SPARK_DRIVER_MEMORY", "SPARK_EXECUTOR_MEMORY",
		"SPARK_EXECUTOR_CORES", "SPARK_YARN_APP_NAME", "PYSPARK_PYTHON", "HADOOP_CONF_DIR",
	} {
		t.Setenv(name, "")
	}
}

// TestAPIServer submits jobs to a real API server, on which the test plays the operator.
func TestAPIServer(t *testing.T) {
	clean(t)
	server := apiserver.StartWithKinds(t)
	config := server.Config()
	apps, err := kube.Applications(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{config: config, kubeconfig: server.Kubeconfig(), apps: apps, host: config.Host, store: t.TempDir(), jobs: t.TempDir()}
	cluster, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, err = cluster.CoreV1().Secrets(metav1.NamespaceDefault).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: objectstore.SecretName},
		StringData: map[string]string{"BRAZIER_BUCKET": "file://" + w.store},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"etl.py": "print(1)\n", "src/mod.py": "x = 1\n", "lib/a.jar": "a", "lib/b.jar": "b", "app.conf": "a = 1\n"} {
		file := filepath.Join(w.jobs, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("EveryScriptIsTaken", w.scripts)
	t.Run("Uploads", w.uploads)
	t.Run("MissingFiles", w.missing)
	t.Run("Follows", w.follows)
	t.Run("Masters", w.masters)
	t.Run("StatusAndKill", w.manage)
	t.Run("Collision", w.collision)
	t.Run("Queues", w.queues) // last: before it there are none
}

func (w *world) submit(ctx context.Context, t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	return brazier(ctx, t, append([]string{"--kubeconfig", w.kubeconfig}, args...)...)
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

// scripts creates what the golden files of internal/sparksubmit hold: the server checks each against the definition.
func (w *world) scripts(t *testing.T) {
	files, err := filepath.Glob("../../sparksubmit/testdata/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("want 30 golden files or more, got %d and %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), "kind: SparkApplication") {
			continue
		}
		content = []byte(strings.Replace(string(content), "  namespace: sales\n", "", 1))
		err = w.apps.Post().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Param("fieldValidation", "Strict").
			SetHeader("Content-Type", "application/yaml").Body(content).Do(t.Context()).Error()
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}

func (w *world) uploads(t *testing.T) {
	args := []string{
		"--master", "yarn", "--deploy-mode", "cluster", "--conf", "spark.yarn.submit.waitAppCompletion=false", "--queue", "etl",
		"--py-files", w.job("src"), "--jars", w.job("lib/*.jar"), "--files", w.job("app.conf") + ",hdfs:///conf/b.conf", w.job("etl.py"), "2026",
	}
	name, progress, err := w.submit(t.Context(), t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress, `note: --queue: this cluster has no queues; "etl" orders nothing`) {
		t.Errorf("what has no meaning must be said, got\n%s", progress)
	}
	url := regexp.MustCompile(`^file://` + regexp.QuoteMeta(w.store) + `/uploads/default/[0-9a-f]{64}/`)
	app := w.get(t, strings.TrimSpace(name))
	got := map[string][]string{"main": {app.Spec.MainApplicationFile}, "py": app.Spec.Deps.PyFiles, "jars": app.Spec.Deps.Jars, "files": app.Spec.Deps.Files}
	for _, list := range got {
		for i := range list {
			list[i] = url.ReplaceAllString(list[i], "URL/")
		}
	}
	want := map[string][]string{"main": {"URL/etl.py"}, "py": {"URL/src.zip"}, "jars": {"URL/a.jar", "URL/b.jar"}, "files": {"URL/app.conf", "hdfs:///conf/b.conf"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of this machine are uploaded, others keep their URLs\n-want +got:\n%s", diff)
	}
	_, progress, err = w.submit(t.Context(), t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(progress, "is there already") != 5 {
		t.Errorf("a second submission must upload nothing, got\n%s", progress)
	}
}

func (w *world) missing(t *testing.T) {
	_, _, err := w.submit(t.Context(), t, "--application", "missing", "--jars", "none.jar", "--conf", "spark.files=none.txt", w.job("none.py"))
	for _, want := range []string{"JOB: there is no file", `--jars: there is no file "none.jar"`, `--conf spark.files: there is no file "none.txt"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %s", err, want)
		}
	}
	err = w.apps.Get().Namespace(metav1.NamespaceDefault).Resource(kube.ApplicationsResource).Name("missing").Do(t.Context()).Error()
	if !apierrors.IsNotFound(err) {
		t.Errorf("nothing may be created, got %v", err)
	}
}

// queues puts an application into a queue that is there, and none into one that is not.
func (w *world) queues(t *testing.T) {
	client, err := kube.Queues(w.config)
	if err != nil {
		t.Fatal(err)
	}
	queue := &v1alpha1.Queue{ObjectMeta: metav1.ObjectMeta{Name: "etl"}}
	if err := client.Post().Resource(kube.QueuesResource).Body(queue).Do(t.Context()).Error(); err != nil {
		t.Fatal(err)
	}
	args := []string{"--deploy-mode", "cluster", "--conf", "spark.kubernetes.submission.waitAppCompletion=false", "--application", "queued"}
	_, _, err = w.submit(t.Context(), t, append(args, "--queue", "root.elt", "local:///job.py")...)
	if err == nil || !strings.Contains(err.Error(), `--queue: there is no queue "elt" in this cluster; write one of etl, or leave it out`) {
		t.Errorf("got %v, want an error that names the queues that there are", err)
	}
	if _, _, err = w.submit(t.Context(), t, append(args, "--queue", "root.etl", "local:///job.py")...); err != nil {
		t.Fatal(err)
	}
	if got := w.get(t, "queued").Labels[v1alpha1.LabelQueue]; got != "etl" {
		t.Errorf("want it in the queue etl, got %q", got)
	}
}

func (w *world) follows(t *testing.T) {
	played := w.play(t, "fails", v1beta2.ApplicationStateFailed)
	_, progress, err := w.submit(t.Context(), t, "--deploy-mode", "cluster", "--application", "fails", "local:///job.py")
	<-played
	if exit.Of(err) != 1 || !exit.Silent(err) || !strings.Contains(progress, "FAILED") {
		t.Errorf("got %v, want the job's failure, and nothing more to print; its progress:\n%s", err, progress)
	}
	played = w.play(t, "works", v1beta2.ApplicationStateCompleted)
	_, progress, err = w.submit(t.Context(), t, "--application", "works", "local:///job.py")
	<-played
	if err != nil || !strings.Contains(progress, "COMPLETED") {
		t.Errorf("got %v and\n%s", err, progress)
	}
}

// masters finds the cluster of k8s://URL among the kubeconfig's contexts, and goes nowhere else.
func (w *world) masters(t *testing.T) {
	config, err := clientcmd.LoadFromFile(w.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	right := config.CurrentContext
	config.Clusters["elsewhere"] = &clientcmdapi.Cluster{Server: "https://127.0.0.1:1"}
	config.Contexts["elsewhere"] = &clientcmdapi.Context{Cluster: "elsewhere", AuthInfo: config.Contexts[right].AuthInfo}
	config.CurrentContext = "elsewhere"
	both := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, both); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args []string
		note string
		err  string
	}{
		"TheCurrentOne": {[]string{"--kubeconfig", w.kubeconfig, "--master", "k8s://" + w.host}, "", ""},
		"AnotherContext": {
			[]string{"--kubeconfig", both, "--master", "k8s://" + w.host}, "is the cluster of the context \"" + right + "\", which is used", "",
		},
		"NoContext": {
			[]string{"--kubeconfig", both, "--master", "k8s://https://nowhere:6443"},
			"",
			"--master: k8s://https://nowhere:6443 is not the cluster that the kubeconfig names, https://127.0.0.1:1; leave --master out",
		},
		"TheUsersWord": {
			[]string{"--kubeconfig", both, "--context", right, "--master", "k8s://https://nowhere:6443"}, "is not the cluster of the context \"" + right + "\"; the one at " + w.host, "",
		},
		"FromInside": {[]string{"--kubeconfig", w.kubeconfig, "--master", "k8s://https://kubernetes.default.svc:443"}, "is the name of the API server for pods", ""},
		"OfConf": {
			[]string{"--kubeconfig", both, "--conf", "spark.kubernetes.context=" + right, "--master", "yarn"}, "", "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, progress, err := brazier(t.Context(), t, append(tt.args, "--detach", "local:///job.py")...)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if tt.note == "" && strings.Contains(progress, "note:") || !strings.Contains(progress, tt.note) {
				t.Errorf("want a note %q, got\n%s", tt.note, progress)
			}
		})
	}
}

func (w *world) manage(t *testing.T) {
	for _, name := range []string{"sales-a", "sales-b", "other"} {
		if _, _, err := w.submit(t.Context(), t, "--detach", "--application", name, "local:///job.py"); err != nil {
			t.Fatal(err)
		}
	}
	w.status(t, "sales-a", v1beta2.ApplicationStateRunning, "")
	out, _, err := w.submit(t.Context(), t, "--status", "default:sales-*")
	if err != nil || !strings.Contains(out, "default:sales-a-driver") || !strings.Contains(out, "RUNNING") ||
		!strings.Contains(out, "default:sales-b-driver") || strings.Contains(out, "other") {
		t.Errorf("got %v and\n%s", err, out)
	}
	out, _, err = w.submit(t.Context(), t, "--kill", "sales-a-driver")
	if err != nil || out != "default/sales-a is deleted\n" {
		t.Errorf("got %v and %q", err, out)
	}
	if _, _, err = w.submit(t.Context(), t, "--status", "default:sales-a-driver"); err == nil || exit.Of(err) != exit.Failure ||
		!strings.Contains(err.Error(), `--status: no application in the namespace "default" has a driver called "sales-a-driver"; a submission ID is namespace:driver-pod`) {
		t.Errorf("got %v, want an error that says what an ID looks like", err)
	}
	if out, _, err = w.submit(t.Context(), t, "--kill", "default:sales-b*", "--master", "k8s://"+w.host); err != nil || out != "default/sales-b is deleted\n" {
		t.Errorf("got %v and %q", err, out)
	}
	w.get(t, "other")
}

func (w *world) collision(t *testing.T) {
	_, _, err := w.submit(t.Context(), t, "--detach", "--application", "other", "local:///job.py")
	if err == nil || !strings.Contains(err.Error(), `--application: there is an application "other" in the namespace "default" already`) {
		t.Errorf("got %v, want an error that names the option", err)
	}
}

// play ends the application once it is there, as an operator would.
func (w *world) play(t *testing.T, name string, state v1beta2.ApplicationStateType) <-chan struct{} {
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
				w.status(t, name, state, "driver container failed")
				return
			}
		}
	}()
	return done
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
