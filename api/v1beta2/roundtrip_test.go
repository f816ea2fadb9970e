package v1beta2_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// everyField is an application in which each field of the kind is set.
const everyField = "testdata/every-field.yaml"

func TestManifestSurvivesGo(t *testing.T) {
	manifest, err := os.ReadFile(everyField)
	if err != nil {
		t.Fatal(err)
	}
	var app v1beta2.SparkApplication
	if err := yaml.UnmarshalStrict(manifest, &app); err != nil {
		t.Fatalf("the types do not know every field: %v", err)
	}
	encoded, err := yaml.Marshal(app.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, manifest), decode(t, encoded)); diff != "" {
		t.Errorf("what was read and what is written differ\n-read +written:\n%s", diff)
	}
}

func TestEveryFieldIsInTheManifest(t *testing.T) {
	manifest, err := os.ReadFile(everyField)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range unset(reflect.TypeFor[v1beta2.SparkApplication](), decode(t, manifest), "") {
		t.Errorf("%s is not in %s; add it, so that its encoding and its schema are tested", path, everyField)
	}
}

// unset returns the paths of the fields of our own types, beginning at t, that value has nothing for.
func unset(t reflect.Type, value any, path string) (paths []string) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if list, ok := value.([]any); ok {
		value = list[0]
	}
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[v1beta2.SparkApplication]().PkgPath() {
		return nil
	}
	object, _ := value.(map[string]any)
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			paths = append(paths, unset(field.Type, value, path)...)
			continue
		}
		// A selector for all pods excludes those of driver and executor.
		if path+"."+name == ".spec.nodeSelector" {
			continue
		}
		if member, ok := object[name]; ok {
			paths = append(paths, unset(field.Type, member, path+"."+name)...)
		} else {
			paths = append(paths, path+"."+name)
		}
	}
	return paths
}

func TestNewApplicationHasNoStatus(t *testing.T) {
	encoded, err := yaml.Marshal(&v1beta2.SparkApplication{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := decode(t, encoded)["status"]; ok {
		t.Errorf("a client that creates an application must not send a status:\n%s", encoded)
	}
}

func TestStatusHasWhatClientsRead(t *testing.T) {
	app := v1beta2.SparkApplication{Status: v1beta2.SparkApplicationStatus{Run: 1}}
	encoded, err := yaml.Marshal(&app)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"run":                       float64(1),
		"applicationState":          map[string]any{"state": ""},
		"driverInfo":                map[string]any{},
		"lastSubmissionAttemptTime": nil,
		"terminationTime":           nil,
	}
	if diff := cmp.Diff(want, decode(t, encoded)["status"]); diff != "" {
		t.Errorf("health scripts and sensors read applicationState without asking whether it is there\n-want +got:\n%s", diff)
	}
}

func TestSchemeKnowsKinds(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1beta2.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(everyField)
	if err != nil {
		t.Fatal(err)
	}
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	object, kind, err := codecs.UniversalDeserializer().Decode(manifest, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind); *kind != want {
		t.Errorf("the manifest is of kind %v, want %v", kind, want)
	}
	if _, ok := object.(*v1beta2.SparkApplication); !ok {
		t.Errorf("the manifest was read into a %T", object)
	}
}

func decode(t *testing.T, encoded []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
