package crds_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"brazier.sh/brazier/api/crds"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

const fieldManager = "crds-test"

// TestAPIServer proves what the tests without an API server suppose: that a real one takes the definitions, admits and
// refuses in the same words, and keeps every field.
func TestAPIServer(t *testing.T) {
	ctx, config := t.Context(), apiserver.Start(t).Config()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	install(ctx, t, client)
	apps := client.Resource(v1beta2.GroupVersion.WithResource("sparkapplications")).Namespace(metav1.NamespaceDefault)
	apiserver.Eventually(t, "the API of applications", func(ctx context.Context) (bool, error) {
		_, err := apps.List(ctx, metav1.ListOptions{})
		return err == nil, ignoreNotFound(err)
	})

	for name, tt := range taken {
		t.Run("Takes"+name, func(t *testing.T) {
			if err := create(ctx, apps, merge(read(t, inOrder), read(t, tt.change))); err != nil {
				t.Errorf("%s\n%v", tt.reason, err)
			}
		})
	}
	for name, tt := range refused {
		t.Run("Refuses"+name, func(t *testing.T) {
			err := create(ctx, apps, merge(read(t, inOrder), read(t, tt.change)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\nwant: %s\n got: %v", tt.reason, tt.want, err)
			}
		})
	}
	t.Run("KeepsEveryField", func(t *testing.T) { keepsEveryField(ctx, t, apps) })
}

// keepsEveryField applies an application with every field, writes its status, and expects to read both again.
func keepsEveryField(ctx context.Context, t *testing.T, apps dynamic.ResourceInterface) {
	object := readFile(t, everyField)
	delete(object["metadata"].(map[string]any), "namespace")
	app := &unstructured.Unstructured{Object: object}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := apps.Apply(ctx, app.GetName(), app, options); err != nil {
		t.Fatalf("apply: %v", err)
	}
	if _, err := apps.ApplyStatus(ctx, app.GetName(), app, options); err != nil {
		t.Fatalf("apply status: %v", err)
	}
	stored, err := apps.Get(ctx, app.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(typed(t, app), typed(t, stored)); diff != "" {
		t.Errorf("what was applied and what was stored differ\n-applied +stored:\n%s", diff)
	}
}

// typed returns specification and status of the object as our types.
func typed(t *testing.T, object *unstructured.Unstructured) (app v1beta2.SparkApplication) {
	t.Helper()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &app); err != nil {
		t.Fatal(err)
	}
	return v1beta2.SparkApplication{Spec: app.Spec, Status: app.Status}
}

// install applies the definitions and waits until the API server serves them.
func install(ctx context.Context, t *testing.T, client dynamic.Interface) {
	t.Helper()
	definitions := client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for _, file := range files(t) {
		manifest, err := fs.ReadFile(crds.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		crd := &unstructured.Unstructured{Object: read(t, string(manifest))}
		if _, err := definitions.Apply(ctx, crd.GetName(), crd, metav1.ApplyOptions{FieldManager: fieldManager}); err != nil {
			t.Fatalf("apply %s: %v", file, err)
		}
		apiserver.Eventually(t, file, func(ctx context.Context) (bool, error) {
			crd, err := definitions.Get(ctx, crd.GetName(), metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			return established(crd), nil
		})
	}
}

// established reports whether the API server serves the definition.
func established(crd *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == "Established" {
			return condition["status"] == "True"
		}
	}
	return false
}

// create asks the API server whether it would create the object, as kubectl does: strictly.
func create(ctx context.Context, apps dynamic.ResourceInterface, object map[string]any) error {
	_, err := apps.Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
