package application_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

// TestBatchSchedulerMissing names a batch scheduler that the cluster does not have: the application says so, and nothing
// of it stays.
func TestBatchSchedulerMissing(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.BatchScheduler = "volcano" })
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, `"volcano" is not installed in this cluster`) {
		t.Errorf("the message does not tell what is missing: %s", message)
	}
	w.awaitLeft(app)
}

// TestPodGroup groups a driver for a scheduler whose kind the cluster has. The group goes with the run, also where the
// edit that ends the run takes the scheduler away.
func TestPodGroup(t *testing.T) {
	w := newWorld(t, keepsRunning)
	kind := spark.PodGroupKinds()["kube-scheduler"]
	installPodGroups(t, kind.Group, kind.Version)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.BatchScheduler = "kube-scheduler" })
	app = w.awaitState(app, v1beta2.ApplicationStateRunning)

	groups := &unstructured.UnstructuredList{}
	groups.SetGroupVersionKind(kind)
	list := func(ctx context.Context) []unstructured.Unstructured {
		if err := w.Client.List(ctx, groups, client.InNamespace(w.Namespace)); err != nil && !meta.IsNoMatchError(err) {
			t.Fatal(err)
		}
		return groups.Items
	}
	var driver corev1.Pod
	if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: app.Status.DriverInfo.PodName}, &driver); err != nil {
		t.Fatal(err)
	}
	if got := list(t.Context()); len(got) != 1 || got[0].GetName() != driver.Labels["scheduling.x-k8s.io/pod-group"] {
		t.Fatalf("the driver's label is %q, the groups are %v", driver.Labels["scheduling.x-k8s.io/pod-group"], got)
	}
	apiserver.Edit(w.World, app, func(app *v1beta2.SparkApplication) { app.Spec.BatchScheduler = "" })
	w.Eventually("the group of the run that was called off is gone", func(ctx context.Context) (bool, error) {
		return len(list(ctx)) == 0, nil
	})
}

// installPodGroups makes a kind of that name, which takes any specification: what the schedulers' own kinds check is
// theirs to test.
func installPodGroups(t *testing.T, group, version string) {
	t.Helper()
	anything := true
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{
			Name: "podgroups." + group,
			// Without it the API server refuses kinds of groups that belong to Kubernetes.
			Annotations: map[string]string{"api-approved.kubernetes.io": "unapproved, for a test"},
		},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "podgroups", Singular: "podgroup", Kind: "PodGroup", ListKind: "PodGroupList"},
			Scope: apiextensionsv1.NamespaceScoped,
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: version, Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: &anything,
				}},
			}},
		},
	}
	if err := server.Define(crd); err != nil {
		t.Fatal(err)
	}
}
