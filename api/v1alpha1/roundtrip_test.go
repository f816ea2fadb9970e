package v1alpha1_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1alpha1"
)

// everyField is a server in which each field of the kind is set.
const everyField = "testdata/every-field.yaml"

func TestManifestSurvivesGo(t *testing.T) {
	manifest, err := os.ReadFile(everyField)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	object, _, err := codecs.UniversalDeserializer().Decode(manifest, nil, nil)
	if err != nil {
		t.Fatalf("the types do not know every field: %v", err)
	}
	connect, ok := object.(*v1alpha1.SparkConnect)
	if !ok {
		t.Fatalf("the manifest was read into a %T", object)
	}
	encoded, err := yaml.Marshal(connect.DeepCopy())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, manifest), decode(t, encoded)); diff != "" {
		t.Errorf("what was read and what is written differ\n-read +written:\n%s", diff)
	}
}

// TestEveryFieldIsInTheManifest keeps the manifest, and with it the tests that use it, up with the types.
func TestEveryFieldIsInTheManifest(t *testing.T) {
	manifest, err := os.ReadFile(everyField)
	if err != nil {
		t.Fatal(err)
	}
	object := decode(t, manifest)
	var connect v1alpha1.SparkConnect
	for part, of := range map[string]reflect.Type{
		"spec": reflect.TypeOf(connect.Spec), "status": reflect.TypeOf(connect.Status),
	} {
		for field := range of.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); at(object, part)[name] == nil {
				t.Errorf("%s.%s is not in %s; add it, so that its encoding and its schema are tested", part, name, everyField)
			}
		}
	}
}

func at(object map[string]any, path ...string) map[string]any {
	for _, name := range path {
		object, _ = object[name].(map[string]any)
	}
	return object
}

func decode(t *testing.T, encoded []byte) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal(encoded, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
