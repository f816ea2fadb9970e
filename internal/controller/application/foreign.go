package application

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
)

// foreign reports whether another operator has submitted the run that status tells of: it knows no run numbers, and drops
// ours when it writes status. Such a run is known by its submission, which status and its pods share.
func foreign(app *v1beta2.SparkApplication) bool { return app.Status.Run == 0 }

// taken takes over a driver that another operator has made and could not tell of in status any more: it writes that only
// after the submission. Making another would run the application twice.
func taken(app *v1beta2.SparkApplication, seen Observation, _ time.Time) (Step, bool) {
	if !foreign(app) {
		return Step{}, false
	}
	switch state(app) {
	case v1beta2.ApplicationStateNew, v1beta2.ApplicationStateFailedSubmission,
		v1beta2.ApplicationStatePendingRerun, v1beta2.ApplicationStateResuming:
	default:
		return Step{}, false
	}
	for i := range seen.Drivers {
		if driver := &seen.Drivers[i]; driver.Submission != "" && !driver.Current && !driver.Deleting {
			return Step{
				Action: Wait, State: v1beta2.ApplicationStateSubmitted, Because: "another operator has submitted it", Taken: driver,
			}, true
		}
	}
	return Step{}, false
}

// takeOver begins in status the run that another operator has submitted. Its attempts go on from there.
func takeOver(app *v1beta2.SparkApplication, driver *Driver, now time.Time) {
	status := &app.Status
	status.SparkApplicationID, status.SubmissionID = "", driver.Submission
	status.DriverInfo = v1beta2.DriverInfo{PodName: driver.Name}
	status.LastSubmissionAttemptTime = metav1.NewTime(driver.Created)
	status.TerminationTime = metav1.Time{}
	status.AppState.ErrorMessage = ""
	status.ExecutorState = nil
	status.ExecutionAttempts++
	status.SpecHash = specHash(&app.Spec)
	setCondition(app, v1beta2.ConditionReleased, metav1.ConditionFalse, "TakenOver", "a run that another operator has submitted is under way", now)
}

// releaseForeign removes what another operator made beside the pods of its run. It has other labels than ours, or none,
// but names that follow from the application's. What Spark made for itself belongs to the driver's pod and goes with it.
func (r *Reconciler) releaseForeign(ctx context.Context, app *v1beta2.SparkApplication) error {
	for _, object := range foreignObjects(app) {
		err := r.cluster.Get(ctx, client.ObjectKeyFromObject(object), object)
		switch {
		case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
			continue
		case err != nil:
			return fmt.Errorf("read %s %s: %w", r.kind(object), object.GetName(), err)
		case !ownedBy(app, object):
			continue
		}
		err = r.cluster.Delete(ctx, object, client.Preconditions{UID: new(object.GetUID())})
		if err := client.IgnoreNotFound(err); err != nil {
			return fmt.Errorf("delete %s %s: %w", r.kind(object), object.GetName(), err)
		}
	}
	return nil
}

// foreignObjects are those that the operator of kubeflow/spark-operator makes, by name.
func foreignObjects(app *v1beta2.SparkApplication) []client.Object {
	named := func(object client.Object, name string) client.Object {
		object.SetNamespace(app.Namespace)
		object.SetName(name)
		return object
	}
	objects := []client.Object{
		named(&corev1.ConfigMap{}, app.Name+"-prom-conf"),
		named(&corev1.Service{}, cmp.Or(app.Status.DriverInfo.WebUIServiceName, app.Name+"-ui-svc")),
		named(&networkingv1.Ingress{}, cmp.Or(app.Status.DriverInfo.WebUIIngressName, app.Name+"-ui-ingress")),
	}
	for _, options := range app.Spec.DriverIngressOptions {
		objects = append(objects,
			named(&corev1.Service{}, fmt.Sprintf("%s-driver-%d", app.Name, options.ServicePort)),
			named(&networkingv1.Ingress{}, fmt.Sprintf("%s-ing-%d", app.Name, options.ServicePort)))
	}
	if app.Spec.BatchScheduler != "" {
		for _, group := range podGroups(app) {
			objects = append(objects, named(group, "spark-"+app.Name+"-pg"))
		}
	}
	return objects
}
