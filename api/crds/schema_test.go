package crds_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	definition "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/crds"
)

// maxStoredBytes is a third of the largest request that etcd takes by default, 1.5 MiB: a definition is stored with
// the names of the fields that server-side apply tracks, which are about as many bytes again.
const maxStoredBytes = 512 << 10

func TestDefinitionsAreValid(t *testing.T) {
	for name, crd := range definitions(t) {
		// The API server fills these in before it validates.
		crd.Spec.Conversion = &apiextensions.CustomResourceConversion{Strategy: apiextensions.NoneConverter}
		crd.Status.StoredVersions = []string{crd.Spec.Versions[0].Name}
		if errs := definition.ValidateCustomResourceDefinition(t.Context(), crd); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs.ToAggregate())
		}
	}
}

func TestDefinitionsAreSmallEnoughToStore(t *testing.T) {
	for _, name := range files(t) {
		manifest, err := fs.ReadFile(crds.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := yaml.YAMLToJSON(manifest)
		if err != nil {
			t.Fatal(err)
		}
		if len(encoded) > maxStoredBytes {
			t.Errorf("%s has %d bytes as JSON, more than %d; internal/compact has to leave more out", name, len(encoded), maxStoredBytes)
		}
	}
}

func TestOwnFieldsAreExplained(t *testing.T) {
	spec := definitions(t)[sparkApplications].Spec.Validation.OpenAPIV3Schema.Properties["spec"]
	driver := spec.Properties["driver"]
	for _, fields := range []map[string]apiextensions.JSONSchemaProps{spec.Properties, driver.Properties, spec.Properties["restartPolicy"].Properties} {
		for name, field := range fields {
			if field.Description == "" {
				t.Errorf("kubectl explain has nothing to say of the field %s", name)
			}
		}
	}
	if container := driver.Properties["sidecars"].Items.Schema; container.Properties["image"].Description != "" {
		t.Error("descriptions of Kubernetes' own types take most of the definition's size; internal/compact should have left them out")
	}
}

// files returns the names of the definitions' files.
func files(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(crds.FS, "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("the package holds no definition: %v", err)
	}
	return names
}

// definitions returns the definitions, in the form that the API server works with, by the names of their files.
func definitions(t *testing.T) map[string]*apiextensions.CustomResourceDefinition {
	t.Helper()
	all := map[string]*apiextensions.CustomResourceDefinition{}
	for _, name := range files(t) {
		manifest, err := fs.ReadFile(crds.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		var external apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(manifest, &external); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var internal apiextensions.CustomResourceDefinition
		if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(&external, &internal, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = &internal
	}
	return all
}

// admission checks objects as the API server does when they are created, without one.
type admission struct {
	structural *schema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
}

// newAdmission returns the admission of the kind whose definition is in the file.
func newAdmission(t *testing.T, file string) *admission {
	t.Helper()
	crd, ok := definitions(t)[file]
	if !ok {
		t.Fatalf("there is no %s", file)
	}
	props := crd.Spec.Validation.OpenAPIV3Schema
	structural, err := schema.NewStructural(props)
	if err != nil {
		t.Fatalf("the schema is not structural: %v", err)
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		t.Fatal(err)
	}
	return &admission{
		structural: structural,
		schema:     validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}
}

// admit returns what is wrong with the object, one message for each fault; none if the API server would take it.
func (a *admission) admit(t *testing.T, object map[string]any) (faults []string) {
	t.Helper()
	object = runtime.DeepCopyJSON(object)
	unknown := pruning.PruneWithOptions(object, a.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		faults = append(faults, fmt.Sprintf("unknown field %q", path))
	}
	defaulting.Default(object, a.structural)
	errs := validation.ValidateCustomResource(nil, object, a.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, a.structural, object)...)
	if len(errs) == 0 {
		errs, _ = a.rules.Validate(t.Context(), nil, a.structural, object, nil, celconfig.RuntimeCELCostBudget)
	}
	for _, err := range errs {
		faults = append(faults, err.Error())
	}
	slices.Sort(faults)
	return faults
}

// read returns the object of the YAML, with whole numbers as integers, as the API server reads them.
func read(t *testing.T, manifest string) map[string]any {
	t.Helper()
	encoded, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatalf("%v in\n%s", err, manifest)
	}
	var object map[string]any
	if err := json.Unmarshal(encoded, &object); err != nil {
		t.Fatalf("%v in\n%s", err, manifest)
	}
	return object
}

// readFile returns the object of the YAML file.
func readFile(t *testing.T, path string) map[string]any {
	t.Helper()
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(manifest))
}

// lines joins messages for cmp.Diff's sake of readability.
func lines(messages []string) string {
	return strings.Join(messages, "\n")
}
