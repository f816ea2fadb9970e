//go:build e2e && causes

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

func clusterFailures(t *testing.T) map[string]failure {
	return map[string]failure{
		"refused": {
			reason: "The API server does not take the driver's pod.",
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.Labels = map[string]string{"team": "not a label!"}
			},
			want: "submission-refused",
		},
		"image": {
			reason: "The registry does not have the image.",
			change: func(app *v1beta2.SparkApplication) { app.Spec.Image = "10.97.0.1:5000/nobody/has:this" },
			waits:  true, want: "image-pull",
		},
		"format": {
			reason: "The image's program is none that this node can run.",
			change: func(app *v1beta2.SparkApplication) { app.Spec.Image = pushUnrunnable(t) },
			want:   "command-cannot-run",
		},
		"configmap": {
			reason: "A ConfigMap that the driver mounts is not there.",
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.ConfigMaps = append(app.Spec.Driver.ConfigMaps, v1beta2.NamePath{Name: "nobody-made-this", Path: "/etc/this"})
			},
			waits: true, want: "config-missing",
		},
		"secret": {
			reason: "A Secret that the driver's environment comes from is not there.",
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.Env = []corev1.EnvVar{{Name: "WORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: "nobody-made-this"}, Key: "word",
				}}}}
			},
			waits: true, want: "config-missing",
		},
		"rights": {
			reason: "The driver's account may not make executors.",
			prepare: func(t *testing.T, namespace string) {
				kubectl(t, "--namespace", namespace, "delete", "rolebinding", "spark-driver")
			},
			way: "long", want: "rbac-denied",
		},
		"quota": {
			reason: "The namespace's quota has no room for the driver.",
			prepare: func(t *testing.T, namespace string) {
				kubectl(t, "--namespace", namespace, "create", "quota", "small", "--hard=requests.memory=512Mi")
			},
			want: "quota-exceeded",
		},
		"limits": {
			reason: "The namespace's limits want larger containers.",
			prepare: func(t *testing.T, namespace string) {
				applyObject(t, &corev1.LimitRange{
					TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "LimitRange"}, ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "large"},
					Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
						Type: corev1.LimitTypeContainer, Min: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Gi")},
					}}},
				})
			},
			want: "limit-range",
		},
		"nowhere": {
			reason: "No node has the label that the driver wants.",
			change: func(app *v1beta2.SparkApplication) { app.Spec.NodeSelector = map[string]string{"disk": "fast"} },
			waits:  true, want: "unschedulable",
		},
		"claim": {
			reason: "The claim that the driver mounts names a class that there is not.",
			prepare: func(t *testing.T, namespace string) {
				applyObject(t, &corev1.PersistentVolumeClaim{
					TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"}, ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "scratch"},
					Spec: corev1.PersistentVolumeClaimSpec{
						AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: new("nobody-has-this"),
						Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
					},
				})
			},
			change: func(app *v1beta2.SparkApplication) {
				app.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "scratch"},
				}}}
				app.Spec.Driver.VolumeMounts = []corev1.VolumeMount{{Name: "scratch", MountPath: "/scratch"}}
			},
			waits: true, want: "volume-claim-unbound",
		},
		"held": {
			reason: "It is suspended.",
			change: func(app *v1beta2.SparkApplication) { app.Spec.Suspend = true },
			waits:  true, unkept: true, want: "suspended",
		},
		"starved": {
			reason: "The driver runs, and no node has room for its executors.",
			way:    "wrong_data",
			change: func(app *v1beta2.SparkApplication) { app.Spec.Executor.CoreRequest = "64" },
			waits:  true, want: "unschedulable", then: "executors-starved",
		},
		"webhook": {
			reason:  "A webhook that has to be asked does not answer: the operator tries again until it does.",
			prepare: brokenWebhook,
			waits:   true, want: "admission-webhook",
		},
		"disk": {
			reason: "An executor writes more than its scratch volume may hold.",
			way:    "fills_disk",
			change: func(app *v1beta2.SparkApplication) {
				const local = "spark-local-dir-1"
				app.Spec.Volumes = []corev1.Volume{{Name: local, VolumeSource: corev1.VolumeSource{
					EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: new(resource.MustParse("20Mi"))},
				}}}
				app.Spec.Executor.VolumeMounts = []corev1.VolumeMount{{Name: local, MountPath: "/var/data/scratch"}}
				app.Spec.SparkConf = map[string]string{"spark.task.maxFailures": "1"}
			},
			want: "scratch-disk-full",
		},
		"evicted": {
			reason: "The driver is evicted, as when its node is drained.",
			way:    "long", meanwhile: evict, want: "disrupted",
		},
	}
}

// pushUnrunnable puts an image into the registry whose program is a text.
func pushUnrunnable(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("\x7fELF of another machine\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return pushProgram(t, "unrunnable", program)
}

// brokenWebhook has every pod of namespace asked about at a Service that is not there.
func brokenWebhook(t *testing.T, namespace string) {
	t.Helper()
	configuration := strings.ReplaceAll(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NAMESPACE}
webhooks:
  - name: broken.example.org
    clientConfig: {service: {namespace: NAMESPACE, name: nobody, path: /}}
    rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    failurePolicy: Fail
    sideEffects: None
    admissionReviewVersions: [v1]
`, "NAMESPACE", namespace)
	var object map[string]any
	if err := yaml.Unmarshal([]byte(configuration), &object); err != nil {
		t.Fatal(err)
	}
	applyObject(t, object)
	deleteAfter(t, "validatingwebhookconfiguration/"+namespace)
}

// evict evicts the driver, as a drain of its node does.
func evict(t *testing.T, namespace, name string) {
	t.Helper()
	kubectl(t, "--namespace", namespace, "wait", "--for=jsonpath={.status.applicationState.state}=RUNNING", "--timeout="+lifeLimit.String(), "sparkapplication/"+name)
	eviction := command(t.Context(), "kubectl", "create", "--raw", "/api/v1/namespaces/"+namespace+"/pods/"+name+"-driver/eviction", "-f", "-")
	eviction.Stdin = strings.NewReader(`{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "` + name + `-driver"}}`)
	must(t, eviction)
}
