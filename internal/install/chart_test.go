package install

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/charts"
	"brazier.sh/brazier/internal/operator"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// valueSets are the values whose renderings are looked at, by name.
func valueSets(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("values: %v %v", files, err)
	}
	sets := make(map[string]map[string]any)
	for _, file := range files {
		sets[strings.TrimSuffix(filepath.Base(file), ".yaml")] = readYAML(t, file)
	}
	return sets
}

func readYAML(t *testing.T, file string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return values
}

func objectsOf(t *testing.T, values map[string]any) []*unstructured.Unstructured {
	t.Helper()
	text, err := Render(DefaultNamespace, values)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func isDefinition(object *unstructured.Unstructured) bool {
	return object.GetKind() == "CustomResourceDefinition"
}

// TestRendered shows in golden files what is installed: whoever reviews a change of rights or of the pod's security sees it
// there as the cluster does. Definitions are left out; they have files of their own.
func TestRendered(t *testing.T) {
	for name, values := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, object := range objectsOf(t, values) {
				if isDefinition(object) {
					continue
				}
				text, err := yaml.Marshal(object)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n")
				got.Write(text)
			}
			golden := filepath.Join("testdata", "rendered", name+".yaml")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("objects (rewrite with -update)\n-want +got:\n%s", diff)
			}
		})
	}
}

// TestDefinitions compares the rendered definitions with the generated ones: the annotation that keeps them is the only
// difference.
func TestDefinitions(t *testing.T) {
	got := make(map[string]*unstructured.Unstructured)
	for _, object := range objectsOf(t, valueSets(t)["default"]) {
		if isDefinition(object) {
			got[object.GetName()] = object
		}
	}
	files, err := filepath.Glob("../../api/crds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("definitions: %v %v", files, err)
	}
	for _, file := range files {
		want := &unstructured.Unstructured{Object: readYAML(t, file)}
		annotations := want.GetAnnotations()
		annotations["helm.sh/resource-policy"] = "keep"
		want.SetAnnotations(annotations)
		if rendered := got[want.GetName()]; rendered == nil || !cmp.Equal(want, rendered) {
			t.Errorf("%s is not rendered as it is:\n%s", file, cmp.Diff(want, rendered))
		}
		delete(got, want.GetName())
	}
	if len(got) > 0 {
		t.Errorf("definitions from nowhere: %v", got)
	}
}

// rules are the rules of every role among objects, by kind and name.
func rules(t *testing.T, objects []*unstructured.Unstructured) map[string][]rbacv1.PolicyRule {
	t.Helper()
	found := make(map[string][]rbacv1.PolicyRule)
	for _, object := range objects {
		if object.GetKind() != "ClusterRole" && object.GetKind() != "Role" {
			continue
		}
		var role rbacv1.ClusterRole // A Role has the same fields.
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &role); err != nil {
			t.Fatal(err)
		}
		name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		found[name] = append(found[name], role.Rules...)
	}
	return found
}

func TestLeastPrivilege(t *testing.T) {
	forbidden := map[string]bool{
		"*": true, "secrets": true, "pods/exec": true, "pods/attach": true, "serviceaccounts/token": true,
		"roles": true, "rolebindings": true, "clusterroles": true, "clusterrolebindings": true,
		"escalate": true, "bind": true, "impersonate": true,
	}
	for set, values := range valueSets(t) {
		all := rules(t, objectsOf(t, values))
		if len(all) == 0 {
			t.Errorf("%s: no role is rendered", set)
		}
		for name, rules := range all {
			for _, rule := range rules {
				for _, granted := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs) {
					if forbidden[granted] {
						t.Errorf("%s: %s grants %q: %+v", set, name, granted, rule)
					}
				}
			}
		}
	}
}

// TestNamespacesOnly renders for an installer that has rights in a few namespaces and none in the cluster.
func TestNamespacesOnly(t *testing.T) {
	all := objectsOf(t, valueSets(t)["namespaces"])
	for _, object := range all {
		if object.GetNamespace() == "" {
			t.Errorf("%s %s belongs to the cluster", object.GetKind(), object.GetName())
		}
	}
	for _, namespace := range []string{"analytics", "reports"} {
		if len(rules(t, all)["Role "+namespace+"/brazier-applications"]) == 0 {
			t.Errorf("the operator has no rights in %s", namespace)
		}
	}
	if got := configOf(t, all); !cmp.Equal([]string{"analytics", "reports"}, got.Namespaces) {
		t.Errorf("the operator looks after %v", got.Namespaces)
	}
}

// configOf returns the operator's configuration as the operator reads it.
func configOf(t *testing.T, objects []*unstructured.Unstructured) operator.Config {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == "ConfigMap" {
			text, _, err := unstructured.NestedString(object.Object, "data", "config.yaml")
			if err != nil {
				t.Fatal(err)
			}
			config, err := operator.ParseConfig([]byte(text))
			if err != nil {
				t.Fatalf("the operator does not understand its configuration: %v\n%s", err, text)
			}
			return config
		}
	}
	t.Fatal("there is no ConfigMap")
	return operator.Config{}
}

func TestConfiguration(t *testing.T) {
	values := valueSets(t)["default"]
	values["config"] = map[string]any{"image": "spark:{{SPARK_VERSION}}", "sparkConf": map[string]any{"spark.ui.port": "4040"}}
	want := operator.Config{
		Image: "spark:{{SPARK_VERSION}}", SparkConf: map[string]string{"spark.ui.port": "4040"}, Workers: 20,
		LeaderElectionNamespace: DefaultNamespace, HealthAddress: ":8081", MetricsAddress: ":8443",
	}
	if diff := cmp.Diff(want, configOf(t, objectsOf(t, values))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestConfigurationRestarts(t *testing.T) {
	hash := func(config map[string]any) string {
		values := valueSets(t)["default"]
		values["config"] = config
		for _, object := range objectsOf(t, values) {
			if object.GetKind() == "Deployment" {
				hash, _, err := unstructured.NestedString(object.Object, "spec", "template", "metadata", "annotations", "brazier.sh/config-hash")
				if err != nil {
					t.Fatal(err)
				}
				return hash
			}
		}
		t.Fatal("there is no Deployment")
		return ""
	}
	one, same, other := hash(map[string]any{"image": "a"}), hash(map[string]any{"image": "a"}), hash(map[string]any{"image": "b"})
	if one == "" || one != same || one == other {
		t.Errorf("hashes of a, a and b: %q, %q, %q", one, same, other)
	}
}

func TestRefused(t *testing.T) {
	tests := map[string]struct {
		reason string
		values map[string]any
		want   string
	}{
		"UnknownKey": {
			reason: "A typing error would otherwise go unnoticed.",
			values: map[string]any{"replica": 1},
			want:   "replica",
		},
		"UnknownConfigKey": {
			reason: "The operator would refuse it only once it starts.",
			values: map[string]any{"config": map[string]any{"imag": "spark"}},
			want:   "imag",
		},
		"AddressInConfig": {
			reason: "Probes and ports have to agree with it.",
			values: map[string]any{"config": map[string]any{"healthAddress": ":1"}},
			want:   "healthAddress",
		},
		"NamespacesInConfig": {
			reason: "Rights have to agree with it.",
			values: map[string]any{"config": map[string]any{"namespaces": []any{"a"}}},
			want:   "namespaces",
		},
		"SelectorWithoutRights": {
			reason: "An operator with rights in a few namespaces cannot read the labels of any.",
			values: map[string]any{
				"rbac": map[string]any{"scope": "namespaces"}, "namespaceSelector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			},
			want: "namespaceSelector",
		},
		"NoNamespace": {
			reason: "An operator without a namespace would look after all, without the rights.",
			values: map[string]any{"rbac": map[string]any{"scope": "namespaces"}, "namespaces": []any{}},
			want:   "namespaces",
		},
		"NoImage": {
			reason: "There is no public image to fall back to.",
			values: map[string]any{"image": map[string]any{"repository": ""}},
			want:   "image.repository",
		},
		"MemoryLimit": {
			reason: "GOMEMLIMIT is computed from it.",
			values: map[string]any{"resources": map[string]any{"limits": map[string]any{"memory": "512 MB"}}},
			want:   "resources.limits.memory",
		},
		"CollectingWithoutEnd": {
			reason: "A heap that may not grow is collected all the time.",
			values: map[string]any{"gogc": 0},
			want:   "gogc",
		},
		"MonitorWithoutService": {
			reason: "Prometheus finds the pods through it.",
			values: map[string]any{
				"serviceMonitor": map[string]any{"enabled": true}, "metrics": map[string]any{"service": map[string]any{"enabled": false}},
			},
			want: "metrics.service.enabled",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, given := tt.values["image"]; !given {
				tt.values["image"] = map[string]any{"repository": "brazier"}
			}
			_, err := Render(DefaultNamespace, tt.values)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nwant an error that names %s, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

// jsonNames are the names by which a struct's fields are written.
func jsonNames(value any) []string {
	var names []string
	for field := range reflect.TypeOf(value).Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// TestSchemaKnowsEveryValue keeps the schema in step with the values and with the operator's configuration.
func TestSchemaKnowsEveryValue(t *testing.T) {
	files, err := charts.Brazier()
	if err != nil {
		t.Fatal(err)
	}
	var schema, values map[string]any
	if err := yaml.Unmarshal(files["values.schema.json"], &schema); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(files["values.yaml"], &values); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", schema, values)

	config, _, err := unstructured.NestedMap(schema, "properties", "config", "properties")
	if err != nil {
		t.Fatal(err)
	}
	ofTheChart := map[string]bool{
		"namespaces": true, "namespaceSelector": true, "workers": true, "leaderElectionNamespace": true,
		"metricsAddress": true, "healthAddress": true, "logLevel": true,
	}
	for _, key := range jsonNames(operator.Config{}) {
		if _, inSchema := config[key]; inSchema == ofTheChart[key] {
			t.Errorf("config.%s: in the schema: %v, decided by the chart: %v", key, inSchema, ofTheChart[key])
		}
		delete(config, key)
	}
	for key := range config {
		t.Errorf("config.%s: the schema has it, and the operator does not know it", key)
	}
}

// compareKeys compares the keys of an object of values.yaml, at path, with the properties that the schema gives it.
func compareKeys(t *testing.T, path string, schema, values map[string]any) {
	t.Helper()
	properties, ok := schema["properties"].(map[string]any)
	if !ok || path == ".config" {
		return // Its keys are free, or nothing of it has a default.
	}
	for key, value := range values {
		property, known := properties[key].(map[string]any)
		if !known {
			t.Errorf("values.yaml has %s.%s, which the schema refuses", path, key)
		}
		if nested, isObject := value.(map[string]any); isObject && len(nested) > 0 {
			compareKeys(t, path+"."+key, property, nested)
		}
	}
	for key := range properties {
		if _, known := values[key]; !known && path+"."+key != ".global" && path+"."+key != ".resources.claims" {
			t.Errorf("the schema has %s.%s, which values.yaml does not document", path, key)
		}
	}
}
