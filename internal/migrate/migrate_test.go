package migrate

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// documents reads a file of testdata.
func documents(t *testing.T, file string) []unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var objects []unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var object unstructured.Unstructured
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

func as[T any](t *testing.T, object unstructured.Unstructured) T {
	t.Helper()
	var into T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &into); err != nil {
		t.Fatal(err)
	}
	return into
}

// packed is a release as Helm packs it into its Secret.
func packed(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/release.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err = yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	if _, err := writer.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(zipped.Bytes()))
}

// driver is the pod of an application's driver, with its container in a state.
func driver(app *unstructured.Unstructured, labels map[string]string, state corev1.ContainerState) corev1.Pod {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: app.GetNamespace(), Name: app.GetName() + "-driver", Labels: map[string]string{
		v1beta2.LabelAppName: app.GetName(), v1beta2.LabelLaunchedByOperator: "true", v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver,
	}}}
	for key, value := range labels {
		pod.Labels[key] = value
	}
	id, _, _ := unstructured.NestedString(app.Object, "status", "submissionID")
	pod.Labels[v1beta2.LabelSubmissionID] = id
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(app, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind))}
	pod.Spec.ServiceAccountName = "spark-spark-operator-spark"
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: v1beta2.DriverContainerName, State: state}}
	return pod
}

var (
	isRunning = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	hasEnded  = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
)

// inventory is what testdata has.
func inventory(t *testing.T) Inventory {
	t.Helper()
	var inv Inventory
	for _, object := range documents(t, "operator.yaml") {
		switch object.GetKind() {
		case "Deployment":
			if deployment := as[appsv1.Deployment](t, object); deployment.Labels[labelComponent] == "webhook" {
				inv.WebhookServers = append(inv.WebhookServers, deployment)
			} else {
				inv.Controllers = append(inv.Controllers, deployment)
			}
		case mutatingKind:
			inv.Mutating = append(inv.Mutating, as[admissionv1.MutatingWebhookConfiguration](t, object))
		case validatingKind:
			inv.Validating = append(inv.Validating, as[admissionv1.ValidatingWebhookConfiguration](t, object))
		case "ServiceAccount":
			inv.Accounts = append(inv.Accounts, as[corev1.ServiceAccount](t, object))
		}
	}
	for _, object := range documents(t, "led.yaml") {
		switch object.GetKind() {
		case v1beta2.SparkApplicationKind:
			inv.Applications = append(inv.Applications, object)
		case v1beta2.ScheduledSparkApplicationKind:
			inv.Schedules = append(inv.Schedules, object)
		default:
			inv.Connects = append(inv.Connects, object)
		}
	}
	for i := range inv.Applications {
		switch app := &inv.Applications[i]; app.GetName() {
		case "running", "mounting", "undead":
			inv.Drivers = append(inv.Drivers, driver(app, nil, isRunning))
		case "refused":
			inv.Drivers = append(inv.Drivers, driver(app, nil, hasEnded))
		}
	}
	release, err := decodeRelease(packed(t))
	if err != nil {
		t.Fatal(err)
	}
	inv.Releases = append(inv.Releases, release)
	return inv
}

// TestReport compares what is said of everything in testdata, and Brazier's values, with golden files.
func TestReport(t *testing.T) {
	report := Check(inventory(t))
	values, err := yaml.Marshal(report.Values)
	if err != nil {
		t.Fatal(err)
	}
	for file, got := range map[string]string{"report.txt": report.Text(), "values.yaml": string(values)} {
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s\n-want +got:\n%s", file, diff)
		}
	}
}

func TestReportIsJSON(t *testing.T) {
	text, err := json.Marshal(Check(inventory(t)))
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Findings []map[string]string `json:"findings"`
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, finding := range back.Findings {
		if finding["severity"] == "" || finding["object"] == "" || finding["means"] == "" {
			t.Errorf("a finding does not say what it is about: %v", finding)
		}
	}
}

// TestCheck changes one thing in the inventory and looks for what is said of it.
func TestCheck(t *testing.T) {
	label := func(key, value string) func(*Inventory) {
		return func(inv *Inventory) { inv.Controllers[0].Labels[key] = value }
	}
	flux := func(suspended bool) func(*Inventory) {
		return func(inv *Inventory) {
			label("helm.toolkit.fluxcd.io/name", "spark")(inv)
			label("helm.toolkit.fluxcd.io/namespace", "flux-system")(inv)
			release := unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"suspend": suspended}}}
			release.SetNamespace("flux-system")
			release.SetName("spark")
			inv.HelmReleases = append(inv.HelmReleases, release)
		}
	}
	tests := map[string]struct {
		reason   string
		change   func(*Inventory)
		severity Severity
		want     string // part of the finding; none may be there if it begins with "!"
	}{
		"Nobody": {
			reason: "A migration from nobody is most likely the wrong cluster.", severity: Blocks, want: "nobody to take over from",
			change: func(inv *Inventory) { inv.Controllers = nil },
		},
		"BothRun": {
			reason: "Two operators must never act at once.", severity: Blocks, want: "both operators run",
			change: func(inv *Inventory) { inv.Operator = &appsv1.Deployment{} },
		},
		"BrazierWaits": {
			reason: "One that waits at 0 replicas is how it is meant.", severity: Blocks, want: "!both operators run",
			change: func(inv *Inventory) {
				inv.Operator = &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}
			},
		},
		"VersionOne": {
			reason: "What version 1 leaves was never looked at.", severity: Blocks, want: "chart's version 1",
			change: label(labelChart, "spark-operator-1.4.6"),
		},
		"Flux":          {reason: "Flux would start it again.", severity: Blocks, want: "flux-system/spark", change: flux(false)},
		"FluxSuspended": {reason: "Suspended it does not.", severity: Blocks, want: "!flux-system/spark", change: flux(true)},
		"Argo": {
			reason: "So would Argo CD.", severity: Blocks, want: "Argo CD's application platform", change: label("argocd.argoproj.io/instance", "platform"),
		},
		"MixedWebhooks": {
			reason: "A webhook of somebody else must not go along.", severity: Blocks, want: "somebody else",
			change: func(inv *Inventory) {
				inv.Mutating[0].Webhooks = append(inv.Mutating[0].Webhooks, admissionv1.MutatingWebhook{Name: "a.example.com"})
			},
		},
		"NoOwner": {
			reason: "Without an owner a driver outlives its application.", severity: Changes, want: "has no owner",
			change: func(inv *Inventory) { inv.Drivers[0].OwnerReferences = nil },
		},
		"NoHelm": {
			reason: "Without a release there are no values.", severity: Changes, want: "Helm did not install it",
			change: func(inv *Inventory) { inv.Releases = nil },
		},
		"TwoReleases": {
			reason: "One Brazier has one set of values.", severity: Changes, want: "another release already",
			change: func(inv *Inventory) { inv.Releases = append(inv.Releases, inv.Releases[0]) },
		},
		"TemplateNeedsNoWebhook": {
			reason: "A pod template goes through Spark, so that nothing is left to the webhook.", severity: Changes, want: "!spec.executor.tolerations",
			change: func(inv *Inventory) {
				err := unstructured.SetNestedMap(inv.Applications[1].Object, map[string]any{"spec": map[string]any{}}, "spec", "executor", "template")
				if err != nil {
					t.Fatal(err)
				}
			},
		},
		"Unreadable": {
			reason: "What has the wrong type is not passed over.", severity: Lost, want: "Brazier cannot read it",
			change: func(inv *Inventory) {
				if err := unstructured.SetNestedField(inv.Applications[0].Object, "three", "spec", "executor", "instances"); err != nil {
					t.Fatal(err)
				}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inv := inventory(t)
			tt.change(&inv)
			want, absent := strings.CutPrefix(tt.want, "!")
			found := false
			for _, finding := range Check(inv).Findings {
				found = found || finding.Severity == tt.severity && strings.Contains(finding.Field+" "+finding.Means, want)
			}
			if found == absent {
				t.Errorf("%s\n%q is said: %t", tt.reason, want, found)
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	tests := map[string]struct {
		reason string
		spark  map[string]any
		want   map[string]any
	}{
		"Default": {
			reason: "The other chart's default is one namespace, and stays one.",
			want:   map[string]any{"namespaces": []any{map[string]any{"name": "default"}}, "rbac": map[string]any{"scope": "namespaces"}},
		},
		"All": {
			reason: "An empty name among them means all.", spark: map[string]any{"jobNamespaces": []any{"", "a"}},
			want: map[string]any{"namespaces": []any{map[string]any{"name": "a"}}},
		},
		"Selector": {
			reason: "A selector becomes one.", spark: map[string]any{"jobNamespaces": []any{"a"}, "jobNamespaceSelector": "spark=yes,env in (prod)"},
			want: map[string]any{
				"namespaces": []any{map[string]any{"name": "a"}},
				"namespaceSelector": map[string]any{
					"matchLabels":      map[string]any{"spark": "yes"},
					"matchExpressions": []any{map[string]any{"key": "env", "operator": "In", "values": []any{"prod"}}},
				},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var release Release
			release.Chart.Values = map[string]any{"spark": map[string]any{"jobNamespaces": []any{"default"}}}
			release.Config = map[string]any{"spark": tt.spark}
			got, _ := translate(release)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestDecodeReleaseRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"NoBase64": "!", "NoJSON": base64.StdEncoding.EncodeToString([]byte("x")), "CutOff": base64.StdEncoding.EncodeToString([]byte{0x1f, 0x8b, 8}),
	} {
		t.Run(name, func(t *testing.T) {
			if release, err := decodeRelease([]byte(data)); err == nil {
				t.Errorf("read %+v", release)
			}
		})
	}
}

func TestNarrow(t *testing.T) {
	configuration := inventory(t).Mutating[0]
	for range 2 { // once more changes nothing
		if !narrow(&configuration) {
			t.Fatal("nothing is left")
		}
	}
	want := &metav1.LabelSelector{
		MatchLabels:      map[string]string{v1beta2.LabelLaunchedByOperator: "true"},
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: v1beta2.LabelRun, Operator: metav1.LabelSelectorOpDoesNotExist}},
	}
	if len(configuration.Webhooks) != 1 {
		t.Fatalf("%d webhooks are left, want that of pods alone", len(configuration.Webhooks))
	}
	if diff := cmp.Diff(want, configuration.Webhooks[0].ObjectSelector); diff != "" {
		t.Errorf("objectSelector\n-want +got:\n%s", diff)
	}
}

// TestValuesAreDocumented holds the table of values against its page.
func TestValuesAreDocumented(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Theirs | Brazier's |\n|---|---|\n")
	table.WriteString("| `spark.jobNamespaces`, `spark.jobNamespaceSelector` | `namespaces` with `rbac.scope: namespaces`; all namespaces where an empty name is among them; `namespaceSelector` |\n")
	for _, r := range rules() {
		theirs, becomes := strings.TrimSuffix(r.value, "."), r.why
		if strings.HasSuffix(r.value, ".") {
			theirs += ".*"
		}
		switch {
		case strings.HasPrefix(r.value, "spark.jobNamespace"):
			continue
		case r.to != "":
			becomes = "`" + r.to + "`"
		case r.do != "":
			becomes += "; " + r.do
		}
		table.WriteString("| `" + theirs + "` | " + becomes + " |\n")
	}
	const page, mark = "../../docs/migrate.md", "-update -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, got, found := strings.Cut(string(text), mark)
	if !found {
		t.Fatalf("%s has no place for the table", page)
	}
	if *update {
		got = "\n" + table.String()
		if err := os.WriteFile(page, []byte(head+mark+got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("\n"+table.String(), got); diff != "" {
		t.Errorf("%s\n-want +got:\n%s", page, diff)
	}
}
