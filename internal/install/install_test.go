package install_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/install"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

const (
	applications = "analytics"
	// patience ends a test that hangs; nothing is measured by it.
	patience = 5 * time.Minute
	// noPatience is for an operator that is known never to start: its pod is made meanwhile, and what keeps it is told.
	noPatience = 15 * time.Second
)

// TestInstall goes through the life of an installation on a real API server, and runs the operator there with the rights that
// it was given, and no others. Its steps stand on each other.
func TestInstall(t *testing.T) {
	server := apiserver.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w := &world{t: t, config: server.Config(), kubeconfig: server.Kubeconfig(), client: server.Client(t)}
	for _, step := range []struct {
		name string
		do   func(context.Context, *testing.T)
	}{
		{"FailedInstallationLeavesNothing", w.failedInstallation},
		{"TakesOverWhatWasInstalledWithoutHelm", w.takesOver},
		{"InstalledTwiceIsRefused", w.installedTwice},
		{"OnlyMissingNamespacesAreMade", w.namespaceValues},
		{"AgainChangesNothing", w.againChangesNothing},
		{"DryRun", w.dryRun},
		{"ConfigurationRestarts", w.configurationRestarts},
		{"FailedUpgradeIsRolledBack", w.failedUpgrade},
		{"GoesOnFromAnAttemptThatWasCutOff", w.cutOff},
		{"RemovesWhatIsNoLongerWanted", w.removes},
		{"OperatorsRightsSuffice", func(ctx context.Context, t *testing.T) { w.operates(ctx, t, nil) }},
		{"DriversRights", w.driverMay},
		{"UninstallIsRefusedWhileSomethingRuns", w.refusesUninstall},
		{"Uninstall", w.uninstall},
		{"NamespacesOnly", w.namespacesOnly},
		{"HelmItself", w.helmItself},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(ctx, t) }) {
			t.Fatalf("the steps after %s stand on it", step.name)
		}
	}
}

func image(tag string) map[string]any {
	return map[string]any{"image": map[string]any{"repository": "brazier", "tag": tag}}
}

// values are those of the installation that the test is about.
func values() map[string]any {
	return install.MergeValues(image("test"), map[string]any{
		"config":     map[string]any{"image": "spark:{{SPARK_VERSION}}"},
		"namespaces": []any{map[string]any{"name": applications, "create": true}},
	})
}

func (w *world) failedInstallation(ctx context.Context, t *testing.T) {
	err := w.installer(io.Discard).Install(ctx, install.Options{Values: values(), Timeout: noPatience})
	if err == nil || !strings.Contains(err.Error(), "has been removed again") || !strings.Contains(err.Error(), "is Pending") {
		t.Fatalf("an operator that never starts: %v", err)
	}
	if left := w.left(ctx, t); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// takesOver installs where an earlier version has installed by server-side apply alone.
func (w *world) takesOver(ctx context.Context, t *testing.T) {
	labels := map[string]string{"app.kubernetes.io/name": "brazier", "app.kubernetes.io/managed-by": "brazier"}
	selector := map[string]string{"app.kubernetes.io/name": "brazier", "app.kubernetes.io/component": "operator"}
	earlier := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: install.DefaultNamespace, Labels: labels}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: install.DefaultNamespace, Name: "brazier-operator", Labels: labels}},
		&rbacv1.ClusterRole{
			ObjectMeta: metav1.ObjectMeta{Name: "brazier-operator", Labels: labels},
			Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}},
		},
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: install.DefaultNamespace, Name: "brazier-operator", Labels: labels},
			Spec: appsv1.DeploymentSpec{
				Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
				Selector: &metav1.LabelSelector{MatchLabels: selector},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: selector},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "operator", Image: "brazier:earlier"}}},
				},
			},
		},
	}
	for _, object := range earlier {
		if err := w.client.Create(ctx, object, client.FieldOwner("brazier")); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(&said).Install(ctx, install.Options{Values: values(), Timeout: patience})
	})
	for _, want := range []string{
		"change  Deployment brazier-system/brazier-operator", "create  ServiceAccount analytics/spark", "objects created",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it did not say %q:\n%s", want, said.String())
		}
	}
	deployment := w.deployment(ctx)
	if diff := cmp.Diff("brazier:test", deployment.Spec.Template.Spec.Containers[0].Image); diff != "" {
		t.Errorf("the operator's image\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(appsv1.RollingUpdateDeploymentStrategyType, deployment.Spec.Strategy.Type); diff != "" {
		t.Errorf("the strategy\n-want +got:\n%s", diff)
	}
	namespace := new(corev1.Namespace)
	if err := w.client.Get(ctx, client.ObjectKey{Name: install.DefaultNamespace}, namespace); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("restricted", namespace.Labels["pod-security.kubernetes.io/enforce"]); diff != "" {
		t.Errorf("the namespace's standard\n-want +got:\n%s", diff)
	}
}

func (w *world) installedTwice(ctx context.Context, t *testing.T) {
	err := w.installer(io.Discard).Install(ctx, install.Options{Values: values()})
	if err == nil || !strings.Contains(err.Error(), "brazier upgrade") {
		t.Errorf("it has to lead to the upgrade: %v", err)
	}
}

func (w *world) namespaceValues(ctx context.Context, t *testing.T) {
	got, err := w.installer(io.Discard).NamespaceValues(ctx, []string{"missing", "default", applications, "missing"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"namespaces": []any{
		map[string]any{"name": applications, "create": true}, // Made before, and to stay the release's.
		map[string]any{"name": "default"},
		map[string]any{"name": "missing", "create": true},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func (w *world) againChangesNothing(ctx context.Context, t *testing.T) {
	before, revision := w.deployment(ctx), w.revision(ctx)
	var said bytes.Buffer
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(&said).Ensure(ctx, install.Options{Values: values(), Timeout: patience})
	})
	if diff := cmp.Diff(before.Generation, w.deployment(ctx).Generation); diff != "" {
		t.Errorf("the Deployment's generation\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(revision, w.revision(ctx)); diff != "" {
		t.Errorf("the release's revision\n-want +got:\n%s", diff)
	}
	if !strings.Contains(said.String(), "nothing was changed") {
		t.Errorf("it said %q", said.String())
	}
}

func (w *world) dryRun(ctx context.Context, t *testing.T) {
	before, revision := w.deployment(ctx), w.revision(ctx)
	streams := quiet()
	var out bytes.Buffer
	streams.Out = &out
	installer, err := install.New(w.config, install.DefaultNamespace, streams)
	if err != nil {
		t.Fatal(err)
	}
	over := map[string]any{"replicas": 3, "namespaces": []any{map[string]any{"name": "reports", "create": true}}}
	if err := installer.DryRun(ctx, install.Options{Values: over, KeepValues: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before: Deployment brazier-system/brazier-operator", "-  replicas: 2", "+  replicas: 3", "after: ServiceAccount reports/spark",
		"before: ServiceAccount analytics/spark", "# Namespace analytics is kept",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the difference has no %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "ConfigMap") || strings.Contains(out.String(), "CustomResourceDefinition") {
		t.Errorf("the difference shows what does not differ:\n%s", out.String())
	}
	if after := w.deployment(ctx); after.Generation != before.Generation || w.revision(ctx) != revision {
		t.Error("a dry run changed something")
	}
}

func (w *world) configurationRestarts(ctx context.Context, t *testing.T) {
	before := w.deployment(ctx)
	over := map[string]any{"config": map[string]any{"sparkConf": map[string]any{"spark.ui.enabled": "true"}}}
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(io.Discard).Upgrade(ctx, install.Options{Values: over, KeepValues: true, Timeout: patience})
	})
	if w.deployment(ctx).Generation == before.Generation {
		t.Error("the operator would go on with its old configuration")
	}
	config := new(corev1.ConfigMap)
	if err := w.client.Get(ctx, operatorKey(), config); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"spark.ui.enabled", "spark:{{SPARK_VERSION}}"} {
		if !strings.Contains(config.Data["config.yaml"], want) {
			t.Errorf("the configuration has no %s:\n%s", want, config.Data["config.yaml"])
		}
	}
}

func (w *world) failedUpgrade(ctx context.Context, t *testing.T) {
	before := w.deployment(ctx)
	err := w.installer(io.Discard).Upgrade(ctx, install.Options{Values: image("broken"), KeepValues: true, Timeout: noPatience})
	if err == nil || !strings.Contains(err.Error(), "have been restored") {
		t.Fatalf("an operator that never starts: %v", err)
	}
	if diff := cmp.Diff(before.Spec, w.deployment(ctx).Spec); diff != "" {
		t.Errorf("the Deployment\n-want +got:\n%s", diff)
	}
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(io.Discard).Upgrade(ctx, install.Options{KeepValues: true, Timeout: patience})
	})
}

// cutOff leaves the release as a process that was killed leaves it.
func (w *world) cutOff(ctx context.Context, t *testing.T) {
	if err := install.Interrupt(w.installer(io.Discard)); err != nil {
		t.Fatal(err)
	}
	again := install.Options{Values: map[string]any{"workers": 30}, KeepValues: true, Timeout: patience}
	err := w.installer(io.Discard).Upgrade(ctx, again)
	if err == nil || !strings.Contains(err.Error(), "try again in") {
		t.Errorf("somebody else may be at it: %v", err)
	}
	again.Alone = true
	w.must(ctx, func(ctx context.Context) error { return w.installer(io.Discard).Upgrade(ctx, again) })
}

func (w *world) removes(ctx context.Context, t *testing.T) {
	over := map[string]any{"podDisruptionBudget": map[string]any{"enabled": false}}
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(io.Discard).Upgrade(ctx, install.Options{Values: over, KeepValues: true, Timeout: patience})
	})
	for _, object := range w.left(ctx, t) {
		if strings.HasPrefix(object, "PodDisruptionBudget") {
			t.Errorf("%s is still there", object)
		}
	}
}

func (w *world) refusesUninstall(ctx context.Context, t *testing.T) {
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Namespace: applications, Name: "long"},
		Spec: v1beta2.SparkApplicationSpec{
			Type: v1beta2.SparkApplicationTypePython, SparkVersion: "4.3.0", MainApplicationFile: "local:///opt/job.py",
		},
	}
	if err := w.client.Create(ctx, app); err != nil {
		t.Fatal(err)
	}
	shell := &v1alpha1.SparkConnect{
		ObjectMeta: metav1.ObjectMeta{Namespace: applications, Name: "shell"},
		Spec:       v1alpha1.SparkConnectSpec{SparkVersion: "4.3.0"},
	}
	if err := w.client.Create(ctx, shell); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		application v1beta2.ApplicationStateType
		server      v1alpha1.SparkConnectState
		want        string
	}{
		{v1beta2.ApplicationStateCompleted, v1alpha1.SparkConnectStateReady, "1 Connect server is kept running: analytics/shell; "},
		{v1beta2.ApplicationStateCompleted, v1alpha1.SparkConnectStateProvisioning, "1 Connect server is kept running: analytics/shell; "},
		// It is started again, by an operator alone.
		{v1beta2.ApplicationStateCompleted, v1alpha1.SparkConnectStateNotReady, "1 Connect server is kept running: analytics/shell; "},
		{v1beta2.ApplicationStateRunning, v1alpha1.SparkConnectStateFailed, "1 application has not ended: analytics/long; "},
		{
			v1beta2.ApplicationStateRunning, v1alpha1.SparkConnectStateReady,
			"1 application has not ended: analytics/long, and 1 Connect server is kept running: analytics/shell; ",
		},
	} {
		app.Status.AppState.State, shell.Status.State = tt.application, tt.server
		for _, object := range []client.Object{app, shell} {
			if err := w.client.Status().Update(ctx, object); err != nil {
				t.Fatal(err)
			}
		}
		err := w.installer(io.Discard).Uninstall(ctx, install.UninstallOptions{})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("an application that is %s and a server that is %s\nwant %s…\ngot  %v", tt.application, tt.server, tt.want, err)
		}
	}
	w.deployment(ctx)
}

func (w *world) uninstall(ctx context.Context, t *testing.T) {
	var said bytes.Buffer
	err := w.installer(&said).Uninstall(ctx, install.UninstallOptions{Unattended: true, DryRun: true})
	if err != nil || !strings.Contains(said.String(), "remove  Deployment brazier-system/brazier-operator") {
		t.Errorf("it did not say what it would remove: %v\n%s", err, said.String())
	}
	w.deployment(ctx)
	if err := w.installer(io.Discard).Uninstall(ctx, install.UninstallOptions{Unattended: true, Timeout: patience}); err != nil {
		t.Fatal(err)
	}
	if left := w.left(ctx, t); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	app := new(v1beta2.SparkApplication)
	if err := w.client.Get(ctx, client.ObjectKey{Namespace: applications, Name: "long"}, app); err != nil {
		t.Errorf("the application has to stay: %v", err)
	}
	shell := new(v1alpha1.SparkConnect)
	if err := w.client.Get(ctx, client.ObjectKey{Namespace: applications, Name: "shell"}, shell); err != nil {
		t.Errorf("the Connect server has to stay: %v", err)
	}
	for _, object := range []client.Object{app, shell} {
		if err := w.client.Delete(ctx, object); err != nil {
			t.Fatal(err)
		}
	}
}

// namespacesOnly runs the operator with rights in one namespace and none in the cluster.
func (w *world) namespacesOnly(ctx context.Context, t *testing.T) {
	only := install.MergeValues(values(), map[string]any{"rbac": map[string]any{"scope": "namespaces"}, "crds": map[string]any{"enabled": false}})
	w.must(ctx, func(ctx context.Context) error {
		return w.installer(io.Discard).Install(ctx, install.Options{Values: only, Timeout: patience})
	})
	var roles rbacv1.ClusterRoleList
	if err := w.client.List(ctx, &roles, client.MatchingLabels{"app.kubernetes.io/name": "brazier"}); err != nil {
		t.Fatal(err)
	}
	if len(roles.Items) > 0 {
		t.Errorf("there is the ClusterRole %s", roles.Items[0].Name)
	}
	w.operates(ctx, t, []string{applications})
}

// helmItself goes from Helm's own program to this package and back.
func (w *world) helmItself(ctx context.Context, t *testing.T) {
	if err := w.installer(io.Discard).Uninstall(ctx, install.UninstallOptions{Timeout: patience}); err != nil {
		t.Fatal(err)
	}
	const folder = "../../charts/brazier"
	helm := func(args ...string) {
		t.Helper()
		install.RunHelm(t, append(args, "--namespace", install.DefaultNamespace, "--kubeconfig", w.kubeconfig)...)
	}
	helm("install", "brazier", folder, "--create-namespace", "--set", "image.repository=brazier,image.tag=helm,workers=3")
	var said bytes.Buffer
	w.must(ctx, func(ctx context.Context) error {
		over := map[string]any{"workers": 5}
		return w.installer(&said).Upgrade(ctx, install.Options{Values: over, KeepValues: true, Timeout: patience})
	})
	if !strings.Contains(said.String(), "change  ConfigMap brazier-system/brazier-operator") {
		t.Errorf("it did not go on from Helm's release:\n%s", said.String())
	}
	if got := w.deployment(ctx).Spec.Template.Spec.Containers[0].Image; got != "brazier:helm" {
		t.Errorf("Helm's values are forgotten: the image is %s", got)
	}
	helm("upgrade", "brazier", folder, "--reuse-values", "--set", "workers=7")
	config := new(corev1.ConfigMap)
	if err := w.client.Get(ctx, operatorKey(), config); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(config.Data["config.yaml"], "workers: 7") {
		t.Errorf("Helm did not go on from our release:\n%s", config.Data["config.yaml"])
	}
	helm("uninstall", "brazier")
	await(ctx, t, "the end of all that Helm installed", func(ctx context.Context) (bool, error) {
		// Helm makes the namespace, and leaves it.
		return cmp.Equal([]string{"Namespace /" + install.DefaultNamespace}, w.left(ctx, t)), nil
	})
}

// left names the objects of Brazier's that are in the cluster, but for definitions.
func (w *world) left(ctx context.Context, t *testing.T) []string {
	t.Helper()
	var left []string
	for _, gvk := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "ServiceAccount"},
		{Version: "v1", Kind: "ConfigMap"},
		{Version: "v1", Kind: "Service"},
		{Version: "v1", Kind: "Secret"},
		{Version: "v1", Kind: "Pod"},
		{Group: "coordination.k8s.io", Version: "v1", Kind: "Lease"},
		{Group: "apps", Version: "v1", Kind: "Deployment"},
		{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "NetworkPolicy"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "Role"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingAdmissionPolicy"},
		{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingAdmissionPolicyBinding"},
		{Version: "v1", Kind: "Namespace"},
	} {
		list := new(unstructured.UnstructuredList)
		list.SetGroupVersionKind(gvk)
		if err := w.client.List(ctx, list); err != nil {
			t.Fatal(err)
		}
		for _, object := range list.Items {
			if strings.Contains(object.GetName(), "brazier") || strings.HasPrefix(object.GetName(), "spark") {
				left = append(left, gvk.Kind+" "+object.GetNamespace()+"/"+object.GetName())
			}
		}
	}
	return left
}

// revision is the release's latest.
func (w *world) revision(ctx context.Context) int {
	w.t.Helper()
	var secrets corev1.SecretList
	if err := w.client.List(ctx, &secrets, client.InNamespace(install.DefaultNamespace), client.MatchingLabels{"owner": "helm", "name": "brazier"}); err != nil {
		w.t.Fatal(err)
	}
	return len(secrets.Items)
}

type world struct {
	t          *testing.T
	config     *rest.Config
	kubeconfig string
	client     client.Client
}

func quiet() terminal.Streams {
	return terminal.Streams{In: new(bytes.Buffer), Out: io.Discard, Err: io.Discard}
}

func operatorKey() client.ObjectKey {
	return client.ObjectKey{Namespace: install.DefaultNamespace, Name: "brazier-operator"}
}

func (w *world) installer(said io.Writer) *install.Installer {
	w.t.Helper()
	streams := quiet()
	streams.Err = said
	installer, err := install.New(w.config, install.DefaultNamespace, streams)
	if err != nil {
		w.t.Fatal(err)
	}
	return installer
}

// must does what has to succeed while a played kubelet has every pod of the operator ready at once.
func (w *world) must(ctx context.Context, do func(context.Context) error) {
	w.t.Helper()
	playing, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// It ends with playing, which is no error.
		_ = wait.PollUntilContextCancel(playing, 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			w.readyPods(ctx)
			return false, nil
		})
	}()
	err := do(ctx)
	stop()
	<-done
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) readyPods(ctx context.Context) {
	var pods corev1.PodList
	if err := w.client.List(ctx, &pods, client.InNamespace(install.DefaultNamespace)); err != nil {
		return // asked again
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Status.Phase == corev1.PodRunning {
			continue
		}
		pod.Status.Phase = corev1.PodRunning
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue})
		if err := w.client.Status().Update(ctx, pod); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			w.t.Errorf("play kubelet: %v", err)
		}
	}
}

func (w *world) deployment(ctx context.Context) *appsv1.Deployment {
	w.t.Helper()
	deployment := new(appsv1.Deployment)
	if err := w.client.Get(ctx, operatorKey(), deployment); err != nil {
		w.t.Fatal(err)
	}
	return deployment
}

func await(ctx context.Context, t *testing.T, what string, is wait.ConditionWithContextFunc) {
	t.Helper()
	if err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, is); err != nil {
		t.Fatalf("wait for %s: %v", what, err)
	}
}
