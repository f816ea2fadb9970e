// Package manifest reads what users write of applications, and makes new ones of old: it is pure but for reading a file.
// Whether a cluster takes them is the cluster's word.
package manifest

import (
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// Read reads the SparkApplication of a file, or of in where path is "-". A field that is misspelt is an error rather than
// a setting that has no effect.
func Read(path string, in io.Reader) (*v1beta2.SparkApplication, error) {
	content, err := open(path, in)
	if err != nil {
		return nil, fmt.Errorf("-f: %w", err)
	}
	app := new(v1beta2.SparkApplication)
	if err := yaml.UnmarshalStrict(content, app); err != nil {
		return nil, fmt.Errorf("-f: %s is not a SparkApplication: %w", path, err)
	}
	if app.APIVersion != v1beta2.GroupVersion.String() || app.Kind != v1beta2.SparkApplicationKind {
		return nil, fmt.Errorf("-f: %s is %q of %q; write a %s of %s, and create other kinds with kubectl",
			path, app.Kind, app.APIVersion, v1beta2.SparkApplicationKind, v1beta2.GroupVersion)
	}
	return app, nil
}

func open(path string, in io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(path)
}

// Again returns a new application of an old one's specification, which is called name, or gets a name made of the old one's
// where name is empty. What the old one was, or which schedule it belonged to, is not the new one's.
func Again(old *v1beta2.SparkApplication, name string) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{
		TypeMeta: metav1.TypeMeta{APIVersion: v1beta2.GroupVersion.String(), Kind: v1beta2.SparkApplicationKind},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: old.Namespace, Name: name, Labels: UserLabels(old.Labels), Annotations: UserAnnotations(old.Annotations),
		},
		Spec: *old.Spec.DeepCopy(),
	}
	app.Spec.Suspend = false
	if name == "" {
		app.GenerateName = Prefix(old)
	}
	return app
}

// UserLabels are the labels without those that say what made an object and what it belongs to.
func UserLabels(labels map[string]string) map[string]string {
	return without(labels, func(key string) bool {
		group, _, _ := strings.Cut(key, "/")
		return key == v1beta2.LabelScheduledAppName || group == "brazier.sh" || key == "app.kubernetes.io/managed-by" || group == "argocd.argoproj.io"
	})
}

// UserAnnotations are the annotations without what tools write down for themselves.
func UserAnnotations(annotations map[string]string) map[string]string {
	return without(annotations, func(key string) bool {
		group, _, _ := strings.Cut(key, "/")
		return key == corev1.LastAppliedConfigAnnotation || key == v1beta2.AnnotationScheduledAt || group == "argocd.argoproj.io" || group == "meta.helm.sh"
	})
}

func without(all map[string]string, drop func(string) bool) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(key, _ string) bool { return drop(key) })
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// randomEnd is what the API server puts behind metadata.generateName, and what a schedule puts behind its own name.
var randomEnd = regexp.MustCompile(`-([bcdfghjklmnpqrstvwxz2456789]{5}|[0-9]{9,})$`)

// Prefix is what a name begins with that is made of an application's own, without the random end that it has already.
func Prefix(app *v1beta2.SparkApplication) string {
	if app.GenerateName != "" {
		return app.GenerateName
	}
	name := randomEnd.ReplaceAllString(app.Name, "")
	return strings.TrimRight(name[:min(len(name), program.PrefixLength)], "-.") + "-"
}
