package rights_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/follow"
	"brazier.sh/brazier/internal/terminal"
	"brazier.sh/brazier/test/apiserver"
)

func editRole() rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"}
}

// TestEngineer has somebody with the role edit in one namespace do a data engineer's work there, and nothing elsewhere.
func TestEngineer(t *testing.T) {
	w := newWorld(t, operated())
	other := makeWorld(t, nil)
	alice := w.user("alice")
	w.grant(alice, editRole(), "create", v1beta2.GroupName, "sparkapplications")
	c := apiserver.NewClient(t, as(alice))

	watching, err := client.NewWithWatch(as(alice), client.Options{Scheme: c.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	events, err := watching.Watch(t.Context(), &v1beta2.SparkApplicationList{}, client.InNamespace(w.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer events.Stop()
	app := w.application("pi")
	w.createAs(c, app)
	if event := <-events.ResultChan(); event.Type != watch.Added {
		t.Errorf("a watch began with %v", event)
	}
	w.lives(c, app, alice)

	schedule := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta("nightly")}
	schedule.Spec.Schedule, schedule.Spec.Template = "@daily", w.application("").Spec
	w.createAs(c, schedule)
	w.changes(c, schedule, `{"spec":{"suspend":true}}`)
	w.changes(c, app, `{"spec":{"timeToLiveSeconds":86400}}`)
	for _, object := range []client.Object{schedule, app} {
		if err := c.Delete(t.Context(), object); err != nil {
			t.Errorf("delete %T: %v", object, err)
		}
	}

	w.refused(c.Create(t.Context(), other.application("elsewhere")), "an application in another namespace")
	w.refused(c.List(t.Context(), &v1beta2.SparkApplicationList{}, client.InNamespace(other.Namespace)), "the applications of another namespace")
	w.refused(c.List(t.Context(), &v1beta2.SparkApplicationList{}), "the applications of all namespaces")
	w.refused(c.Get(t.Context(), client.ObjectKey{Name: w.Namespace}, &rbacv1.ClusterRole{}), "a thing of the whole cluster")
	app.ResourceVersion = ""
	w.refused(c.Status().Update(t.Context(), app), "to write what the operator writes")
}

// lives follows an application to its end with no more than its author's rights, as "brazier run" does.
func (w *world) lives(c client.Client, app *v1beta2.SparkApplication, user string) {
	t := w.T
	ctx, cancel := context.WithTimeout(t.Context(), apiserver.Patience)
	defer cancel()
	outcome, failed := make(chan follow.Outcome, 1), make(chan error, 1)
	go func() {
		streams := terminal.Streams{In: new(bytes.Buffer), Out: io.Discard, Err: io.Discard}
		result, err := follow.Application(ctx, follow.Options{Config: as(user), Namespace: app.Namespace, Name: app.Name, Streams: streams})
		outcome <- result
		failed <- err
	}()
	driver := w.driverOf(app)
	w.end(driver)
	if result, err := <-outcome, <-failed; err != nil || result.ExitCode != 0 {
		t.Errorf("following ended with %+v: %v", result, err)
	}
	if err := c.Get(ctx, client.ObjectKeyFromObject(app), app); err != nil || app.Status.AppState.State != v1beta2.ApplicationStateCompleted {
		t.Errorf("status says %q: %v", app.Status.AppState.State, err)
	}
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(app.Namespace)); err != nil || len(pods.Items) != 1 {
		t.Errorf("want the driver's pod, got %d pods: %v", len(pods.Items), err)
	}
	w.Eventually("events of the application", func(ctx context.Context) (bool, error) {
		var events corev1.EventList
		err := c.List(ctx, &events, client.InNamespace(app.Namespace))
		return len(events.Items) > 0, err
	})
	// There is no kubelet to answer these.
	for _, sub := range []string{"log", "proxy", "portforward"} {
		if !w.may(user, "get", "", "pods", sub) {
			t.Errorf("an engineer may not get pods/%s", sub)
		}
	}
}

// driverOf returns the driver's pod of an application once it is there.
func (w *world) driverOf(app *v1beta2.SparkApplication) *corev1.Pod {
	w.T.Helper()
	driver := &corev1.Pod{ObjectMeta: w.Meta(app.Name + "-driver")}
	w.Eventually("the driver's pod of "+app.Name, func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(driver), driver)
		return err == nil, client.IgnoreNotFound(err)
	})
	return driver
}

// end plays a kubelet whose driver ends well.
func (w *world) end(driver *corev1.Pod) {
	w.T.Helper()
	driver.Status.Phase = corev1.PodSucceeded
	driver.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name:  v1beta2.DriverContainerName,
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}},
	}}
	if err := w.Client.Status().Update(w.T.Context(), driver); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) changes(c client.Client, object client.Object, patch string) {
	w.T.Helper()
	if err := c.Patch(w.T.Context(), object, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		w.T.Errorf("patch %T: %v", object, err)
	}
}

func (w *world) refused(err error, what string) {
	w.T.Helper()
	if !apierrors.IsForbidden(err) {
		w.T.Errorf("%s: want it forbidden, got %v", what, err)
	}
}

// may asks the API server what a user may do.
func (w *world) may(user, verb, group, resource, sub string) bool {
	w.T.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: w.Namespace, Verb: verb, Group: group, Resource: resource, Subresource: sub,
		},
	}}
	if err := w.Client.Create(w.T.Context(), review); err != nil {
		w.T.Fatal(err)
	}
	return review.Status.Allowed
}

// TestNamespaceGainsLabel leaves an application alone until its namespace is one of the operator's.
func TestNamespaceGainsLabel(t *testing.T) {
	w := newWorld(t, nil)
	app := w.application("early")
	w.Create(app)
	looked := makeWorld(t, nil)
	looked.label(operated())
	later := looked.application("later")
	w.Create(later)
	looked.driverOf(later) // by now the operator has seen the other one
	if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v1beta2.SparkApplicationStatus{}, app.Status); diff != "" {
		t.Errorf("the application of a namespace without the label was touched\n-want +got:\n%s", diff)
	}
	w.label(operated())
	w.driverOf(app)
}

// TestDriverOfWebhook leads an application to its end whose driver was changed on its way into the cluster, as the
// webhooks of clouds and meshes do.
func TestDriverOfWebhook(t *testing.T) {
	w := newWorld(t, map[string]string{"operated": "yes", "identity": "aws"})
	w.mutate()
	app := w.application("pi")
	w.Eventually("pods are changed", func(ctx context.Context) (bool, error) {
		pod := &corev1.Pod{ObjectMeta: w.Meta("probe"), Spec: corev1.PodSpec{
			ServiceAccountName: driverAccount, Containers: []corev1.Container{{Name: "c", Image: "i"}},
		}}
		err := client.NewDryRunClient(w.Client).Create(ctx, pod)
		return len(pod.Spec.Containers[0].Env) > 0, err
	})
	w.Create(app)
	driver := w.driverOf(app)
	names := make(map[string]bool)
	for _, container := range driver.Spec.Containers {
		for _, env := range container.Env {
			names[container.Name+"/"+env.Name] = true
		}
	}
	if !names[v1beta2.DriverContainerName+"/AWS_ROLE_ARN"] || len(driver.Spec.Containers) != 2 {
		t.Fatalf("the driver was not changed: %v", names)
	}
	w.end(driver)
	w.Eventually("the application completes", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), app)
		return meta.IsStatusConditionTrue(app.Status.Conditions, v1beta2.ConditionReleased), err
	})
	if app.Status.AppState.State != v1beta2.ApplicationStateCompleted || app.Status.Run != 1 {
		t.Errorf("want one run that completed, got %d and %q", app.Status.Run, app.Status.AppState.State)
	}
}

// mutate has the API server change the pods of namespaces that are labelled so, as the webhook of a cloud does and that of a
// mesh.
func (w *world) mutate() {
	w.T.Helper()
	const change = `Object{spec: Object.spec{containers:
		object.spec.containers.map(c, Object.spec.containers{name: c.name, env: [Object.spec.containers.env{name: "AWS_ROLE_ARN", value: "arn"}]})
		+ [Object.spec.containers{name: "mesh", image: "mesh"}]}}`
	name := "identity-" + w.Namespace
	pods := admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create},
		Rule:       admissionv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
	}
	w.Create(&admissionv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"identity": "aws"}},
				ResourceRules:     []admissionv1.NamedRuleWithOperations{{RuleWithOperations: pods}},
			},
			Mutations: []admissionv1.Mutation{{
				PatchType:          admissionv1.PatchTypeApplyConfiguration,
				ApplyConfiguration: &admissionv1.ApplyConfiguration{Expression: change},
			}},
			ReinvocationPolicy: admissionv1.NeverReinvocationPolicy,
		},
	})
	w.Create(&admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name},
	})
}
