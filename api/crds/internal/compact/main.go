// Command compact makes the generated custom resource definitions in the working directory small enough to store and
// kind enough to use. go generate runs it after controller-gen.
//
// A SparkApplication embeds two pod templates and many more of Kubernetes' own types. Their descriptions are most of
// the definition, and Kubernetes' documentation rather than ours, so they go; the descriptions of our own fields stay,
// for kubectl explain. The schemas stay as well, so that a typing error in a pod template is found when the
// application is created. What embedTemplate changes is the exception.
package main

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

type schema = apiextensionsv1.JSONSchemaProps

// kinds has the type behind each definition, by the name that controller-gen gives the definition's file.
var kinds = map[string]reflect.Type{
	"sparkoperator.k8s.io_sparkapplications.yaml":          reflect.TypeFor[v1beta2.SparkApplication](),
	"sparkoperator.k8s.io_scheduledsparkapplications.yaml": reflect.TypeFor[v1beta2.ScheduledSparkApplication](),
	"sparkoperator.k8s.io_sparkconnects.yaml":              reflect.TypeFor[v1alpha1.SparkConnect](),
}

func main() {
	for file, kind := range kinds {
		if err := rewrite(file, kind); err != nil {
			fmt.Fprintf(os.Stderr, "compact %s: %v\n", file, err)
			os.Exit(1)
		}
	}
}

// rewrite compacts the definition of kind in the file.
func rewrite(file string, kind reflect.Type) error {
	in, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(in, &crd); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	for _, version := range crd.Spec.Versions {
		compact(version.Schema.OpenAPIV3Schema, kind)
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&crd)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	delete(object, "status") // the API server's to write
	out, err := yaml.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return os.WriteFile(file, append([]byte("---\n"), out...), 0o600)
}

// compact drops the descriptions beneath each of Kubernetes' own types in s, the schema of t. The description of s
// itself stays: it is that of the field that has the type.
func compact(s *schema, t reflect.Type) {
	switch {
	case t == reflect.TypeFor[corev1.PodTemplateSpec]():
		embedTemplate(s)
		undescribe(s)
	case t == reflect.TypeFor[corev1.Service]():
		embedMeta(s)
		undescribe(s)
	case strings.HasPrefix(t.PkgPath(), "k8s.io/api/"):
		undescribe(s)
	case t.Kind() == reflect.Pointer:
		compact(s, t.Elem())
	case t.Kind() == reflect.Slice && s.Items != nil:
		compact(s.Items.Schema, t.Elem())
	case t.Kind() == reflect.Map && s.AdditionalProperties != nil:
		compact(s.AdditionalProperties.Schema, t.Elem())
	case t.Kind() == reflect.Struct:
		for field := range t.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if options == "inline" {
				compact(s, field.Type)
			} else if property, ok := s.Properties[name]; ok {
				compact(&property, field.Type)
				s.Properties[name] = property
			}
		}
	}
}

// undescribe drops the descriptions of everything beneath s.
func undescribe(s *schema) {
	children(s, func(child *schema) {
		child.Description = ""
		undescribe(child)
	})
}

// children calls visit for each schema directly beneath s.
func children(s *schema, visit func(*schema)) {
	for name, property := range s.Properties {
		visit(&property)
		s.Properties[name] = property
	}
	if s.Items != nil && s.Items.Schema != nil {
		visit(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		visit(s.AdditionalProperties.Schema)
	}
}

// embedTemplate fits s, the schema of a pod template, to one that is only a base for a pod: it needs no containers,
// since Spark adds its own. A pod cannot be created with ephemeral containers, so they are not offered. Clients written
// in Go write "containers: null" for a template without any, which the type's own schema does not have.
func embedTemplate(s *schema) {
	spec := s.Properties["spec"]
	spec.Required = slices.DeleteFunc(spec.Required, func(field string) bool { return field == "containers" })
	containers := spec.Properties["containers"]
	containers.Nullable = true
	spec.Properties["containers"] = containers
	delete(spec.Properties, "ephemeralContainers")
	s.Properties["spec"] = spec
	embedMeta(s)
}

// embedMeta fits s, the schema of an embedded object, to clients written in Go: older ones write "creationTimestamp: null".
func embedMeta(s *schema) {
	s.Properties["metadata"].Properties["creationTimestamp"] = schema{Type: "string", Format: "date-time", Nullable: true}
}
