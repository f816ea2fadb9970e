package install

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/operator"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the code does now")

// TestObjects shows in a golden file everything that is installed: whoever reviews a change of rights or of the pod's
// security sees it there as the cluster does.
func TestObjects(t *testing.T) {
	objects, err := operatorObjects(Options{
		Image:  "registry.example.com/brazier:1.0",
		Config: operator.Config{Image: "spark:{{SPARK_VERSION}}", LeaderElectionNamespace: Namespace},
	})
	if err != nil {
		t.Fatal(err)
	}
	objects = append([]runtime.Object{systemNamespace()}, objects...)
	objects = append(objects, namespaceObject("analytics"))
	objects = append(objects, driverObjects("analytics")...)

	var got []byte
	for _, object := range objects {
		plain, err := clean(object)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		got = append(append(got, "---\n"...), text...)
	}
	golden := filepath.Join("testdata", "objects.yaml")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("objects (rewrite with -update)\n-want +got:\n%s", diff)
	}
}

func TestNoRoleHasWildcards(t *testing.T) {
	var rules []rbacv1.PolicyRule
	for _, object := range slices.Concat(operatorRBAC(), userRoles(), driverObjects("analytics")) {
		switch role := object.(type) {
		case *rbacv1.ClusterRole:
			rules = append(rules, role.Rules...)
		case *rbacv1.Role:
			rules = append(rules, role.Rules...)
		}
	}
	for _, rule := range rules {
		for _, granted := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs, rule.NonResourceURLs) {
			if granted == "*" || granted == "secrets" || granted == "pods/exec" {
				t.Errorf("a rule grants %q: %+v", granted, rule)
			}
		}
	}
}

func TestNamespacesOnce(t *testing.T) {
	got := sortedNamespaces(Options{Namespaces: []string{"b", "a", "b"}})
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
