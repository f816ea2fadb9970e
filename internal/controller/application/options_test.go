package application_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

// What an application may ask for beyond being run, and what is left of it.

func TestSetsOfExecutors(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) {
		app.Spec.SparkConf = map[string]string{"spark.kubernetes.allocation.pods.allocator": "statefulset"}
	})
	app = w.awaitState(app, v1beta2.ApplicationStateRunning)
	driver := new(corev1.Pod)
	if err := w.Client.Get(t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: "pi-driver"}, driver); err != nil {
		t.Fatal(err)
	}
	ours, other := setOf(w, "spark-s-"+app.Status.SparkApplicationID+"-0", driver), setOf(w, "spark-s-another-0", driver)
	w.Create(ours)
	w.Create(other)

	end(0)
	w.touch(driver)
	w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.Eventually("the set that made executors is gone", func(ctx context.Context) (bool, error) {
		err := w.Client.Get(ctx, client.ObjectKeyFromObject(ours), new(appsv1.StatefulSet))
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(other), new(appsv1.StatefulSet)); err != nil {
		t.Errorf("another application's set: %v", err)
	}
}

// setOf returns a set as Spark's driver makes it for its executors.
func setOf(w *world, name string, driver *corev1.Pod) *appsv1.StatefulSet {
	labels := map[string]string{v1beta2.LabelSparkAppSelector: name}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.Namespace, Name: name,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(driver, corev1.SchemeGroupVersion.WithKind("Pod"))},
		},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(0)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: v1beta2.ExecutorContainerName, Image: "spark"}}},
			},
		},
	}
}

func TestProtectedDriver(t *testing.T) {
	play, end := ends()
	w := newWorld(t, play)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) { app.Spec.DriverPodDisruptionBudget = true })
	app = w.awaitState(app, v1beta2.ApplicationStateRunning)
	driver := &corev1.Pod{ObjectMeta: w.Meta("pi-driver")}
	var refused error
	w.Eventually("eviction is refused for the budget's sake", func(ctx context.Context) (bool, error) {
		refused = w.Client.SubResource("eviction").Create(ctx, driver, &policyv1.Eviction{}, &client.SubResourceCreateOptions{
			CreateOptions: client.CreateOptions{DryRun: []string{metav1.DryRunAll}},
		})
		return apierrors.HasStatusCause(refused, policyv1.DisruptionBudgetCause), nil
	}, func() string { return fmt.Sprint(refused) })

	end(0)
	w.touch(driver)
	w.awaitState(app, v1beta2.ApplicationStateCompleted)
	w.Eventually("the budget is gone", func(ctx context.Context) (bool, error) {
		budgets := new(policyv1.PodDisruptionBudgetList)
		err := w.Client.List(ctx, budgets, client.InNamespace(w.Namespace))
		return len(budgets.Items) == 0, err
	})
}

func TestDriverNeverStarts(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) {
		app.Annotations = map[string]string{v1beta2.AnnotationDriverStartTimeout: "2s"}
		app.Spec.Driver.SchedulerName = noScheduler
	})
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if want := "driver container failed: its pod pi-driver did not start within 2s"; app.Status.AppState.ErrorMessage != want {
		t.Errorf("want %q, got %q", want, app.Status.AppState.ErrorMessage)
	}
	w.awaitLeft(app)
}

func TestStartTimeoutIsNoTime(t *testing.T) {
	w := newWorld(t, succeeds)
	w.operate(apiserver.Reliably)
	app := w.submit("pi", func(app *v1beta2.SparkApplication) {
		app.Annotations = map[string]string{v1beta2.AnnotationDriverStartTimeout: "soon"}
	})
	app = w.awaitState(app, v1beta2.ApplicationStateFailed)
	if want := `metadata.annotations[brazier.sh/driver-start-timeout]: Invalid value: "soon"`; !strings.Contains(app.Status.AppState.ErrorMessage, want) {
		t.Errorf("want it to name %s, got %q", want, app.Status.AppState.ErrorMessage)
	}
	w.awaitLeft(app)
}
