//go:build bench

package coldstart

import (
	"bytes"
	_ "embed"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/kube"
)

//go:embed first_task.py
var firstTaskJob string

// TestColdStartInPods runs the same job in real pods of the cluster that the kubeconfig names, with the operator's own
// image: by turns as it is, and with an empty folder mounted over its archive.
func TestColdStartInPods(t *testing.T) {
	config, err := new(kube.Flags).Config()
	if err != nil {
		t.Fatalf("this needs a cluster with Brazier on it, such as that of \"brazier up\": %v", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	configMaps := client.CoreV1().ConfigMaps(metav1.NamespaceDefault)
	job, err := configMaps.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "coldstart-"},
		Data:       map[string]string{"first_task.py": firstTaskJob},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := configMaps.Delete(t.Context(), job.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}()
	compare(t, "container start to first finished task, in pods",
		func() time.Duration { return firstTaskInPod(t, application(job.Name, true)) },
		func() time.Duration { return firstTaskInPod(t, application(job.Name, false)) })
}

// application runs the job of a ConfigMap in the ordinary way, with as much CPU as the node has.
func application(job string, noArchive bool) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{GenerateName: "coldstart-", Namespace: metav1.NamespaceDefault},
		Spec: v1beta2.SparkApplicationSpec{
			Type:                v1beta2.SparkApplicationTypePython,
			SparkVersion:        image.DefaultSpark,
			MainApplicationFile: "local:///opt/job/first_task.py",
			Volumes:             []corev1.Volume{{Name: "nothing", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		},
	}
	app.Spec.Driver.ConfigMaps = []v1beta2.NamePath{{Name: job, Path: "/opt/job"}}
	app.Spec.Driver.CoreRequest, app.Spec.Executor.CoreRequest = "250m", "250m"
	if noArchive {
		mounts := []corev1.VolumeMount{{Name: "nothing", MountPath: "/opt/spark/archive"}}
		app.Spec.Driver.VolumeMounts, app.Spec.Executor.VolumeMounts = mounts, mounts
	}
	return app
}

var told = regexp.MustCompile(`container start to first finished task: ([0-9.]+ s)`)

// firstTaskInPod runs app to its end and returns what the job measured.
func firstTaskInPod(t *testing.T, app *v1beta2.SparkApplication) time.Duration {
	t.Helper()
	manifest, err := yaml.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), filepath.Join("..", "..", "bin", "brazier"), "run", "--logs", "-f", "-")
	run.Stdin = bytes.NewReader(manifest)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("brazier run: %v\n%s", err, out)
	}
	match := told.FindSubmatch(out)
	if match == nil {
		t.Fatalf("the job did not say how long it took:\n%s", out)
	}
	took, err := time.ParseDuration(string(bytes.ReplaceAll(match[1], []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return took
}
