package application

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
	"brazier.sh/brazier/internal/spark"
)

// lookAgain is when to look again for an object to be gone that stands in the way, if its end is not seen before.
const lookAgain = 2 * time.Second

// errInTheWay says that an object of an earlier run has to go before this run's can be made.
var errInTheWay = errors.New("an object of an earlier run is not gone yet")

// refusal is an error that trying again at once cannot mend: the application is at fault, or its namespace.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// act carries step out and returns it, or the step that it came to instead.
func (r *Reconciler) act(ctx context.Context, app *v1beta2.SparkApplication, step Step) (Step, error) {
	switch step.Action {
	case Claim:
		return r.claim(ctx, app, step)
	case Submit:
		return r.submit(ctx, app, step)
	case Release:
		return step, r.release(ctx, app)
	case Stop:
		return step, r.stop(ctx, app)
	case Limit:
		return step, r.limit(ctx, app, step.Limited)
	case Delete:
		// Whoever has edited it in the meantime has given it a new life.
		err := r.cluster.Delete(ctx, app, client.Preconditions{UID: &app.UID, ResourceVersion: &app.ResourceVersion})
		if apierrors.IsConflict(err) {
			return step, nil // the edit is seen
		}
		return step, client.IgnoreNotFound(err)
	default:
		return step, nil
	}
}

// claim takes the next run number. The plan is made here too, so that what is wrong with the application is known before
// anything of the run exists, and so that one status write tells all there is to know about the run.
func (r *Reconciler) claim(ctx context.Context, app *v1beta2.SparkApplication, step Step) (Step, error) {
	// Status holds whole seconds; what is made of the time has to come out the same when it is read back.
	at := r.clock.Now().Truncate(time.Second)
	queue, err := r.enter(ctx, app)
	if err != nil {
		return step, err
	}
	plan, err := spark.New(app, spark.Run{Number: app.Status.Run + 1, SubmittedAt: at, Queue: queue}, r.platform)
	if _, invalid := startLimit(app, r.startLimit); invalid != nil {
		err = errors.Join(err, invalid)
	}
	if err != nil {
		return refused(step, err), nil
	}
	if err := r.askAboutExecutors(ctx, plan); err != nil {
		if _, ok := errors.AsType[refusal](err); ok {
			return refused(step, err), nil
		}
		return step, err
	}
	place := placeOf(queue, plan.Demand, at)
	if r.applies(app, place) {
		return Step{Action: Wait, State: state(app), Because: "its queue is asked", After: admission.Patience, Silent: true}, nil
	}
	r.kinds.begin(app, app.Status.Run+1)
	step.Claimed = &Claimed{
		Run:           app.Status.Run + 1,
		At:            at,
		ApplicationID: plan.AppID,
		SubmissionID:  plan.SubmissionID,
		Driver:        driverInfo(app, plan),
		Warnings:      plan.Warnings,
		Queue:         place,
	}
	return step, nil
}

// submit makes what the claimed run does not have yet. Everything has a name that the run alone has, so that it can be
// interrupted anywhere and begun again.
func (r *Reconciler) submit(ctx context.Context, app *v1beta2.SparkApplication, step Step) (Step, error) {
	terms, err := r.terms(ctx, app)
	if err != nil {
		return step, err
	}
	run := spark.Run{Number: app.Status.Run, SubmittedAt: app.Status.RunSubmitTime.Time, Queue: terms}
	plan, err := spark.New(app, run, r.platform)
	if err != nil {
		return refused(step, err), nil
	}
	err = r.createAll(ctx, app, plan)
	if _, ok := errors.AsType[refusal](err); ok {
		return refused(step, err), nil
	}
	if errors.Is(err, errInTheWay) {
		step.Because, step.After = err.Error(), lookAgain
		return step, nil
	}
	return step, err
}

// createAll makes the plan's objects: its driver's pod last, when no earlier one is left and what it needs is there.
func (r *Reconciler) createAll(ctx context.Context, app *v1beta2.SparkApplication, plan *spark.Plan) error {
	if err := r.earlierDriversGone(ctx, app); err != nil {
		return err
	}
	if err := r.remember(app, plan); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	for _, object := range plan.Objects() {
		if object != spark.Object(plan.Driver) {
			group.Go(func() error { return r.create(groupCtx, app, object) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := r.create(ctx, app, plan.Driver); err != nil {
		return err
	}
	r.made.remember(app)
	return nil
}

// earlierDriversGone asks the API server, not the cache, whether a driver of an earlier run is still there. Where both
// have the same name creating the pod would tell, but the name can be edited. Before our first run there may have been
// another operator's.
func (r *Reconciler) earlierDriversGone(ctx context.Context, app *v1beta2.SparkApplication) error {
	if app.Status.Run <= 1 && app.Generation <= 1 {
		return nil
	}
	var pods corev1.PodList
	err := r.cluster.List(ctx, &pods, client.InNamespace(app.Namespace), ownLabels(app, v1beta2.SparkRoleDriver))
	if err != nil {
		return fmt.Errorf("list driver pods of earlier runs: %w", err)
	}
	for i := range pods.Items {
		if !ofRun(app, &pods.Items[i]) {
			return errInTheWay
		}
	}
	return nil
}

// create makes object, and adopts it if an interrupted attempt at the same run has made it already.
func (r *Reconciler) create(ctx context.Context, app *v1beta2.SparkApplication, object client.Object) error {
	err := r.cluster.Create(ctx, object)
	switch {
	case err == nil:
		return nil
	case apierrors.IsAlreadyExists(err):
		return r.adopt(ctx, app, object)
	}
	if meta.IsNoMatchError(err) {
		return refusal{fmt.Errorf("spec.batchScheduler: %q is not installed in this cluster (%w); install it or leave the field out", app.Spec.BatchScheduler, err)}
	}
	err = fmt.Errorf("create %s %s: %w", r.kind(object), object.GetName(), err)
	if refusedByServer(err) {
		return refusal{err}
	}
	return err
}

// adopt decides what to do about an object that has the name of one that is to be made.
func (r *Reconciler) adopt(ctx context.Context, app *v1beta2.SparkApplication, object client.Object) error {
	there := object.DeepCopyObject().(client.Object)
	if err := r.cluster.Get(ctx, client.ObjectKeyFromObject(object), there); err != nil {
		if apierrors.IsNotFound(err) {
			return errInTheWay // it went away just now
		}
		return fmt.Errorf("read %s %s, which exists already: %w", r.kind(object), object.GetName(), err)
	}
	ours, deleting := ownedBy(app, there), !there.GetDeletionTimestamp().IsZero()
	switch {
	case ours && !deleting && there.GetLabels()[v1beta2.LabelRun] == strconv.FormatInt(app.Status.Run, 10):
		return nil
	case ours && !deleting:
		err := r.cluster.Delete(ctx, there, client.Preconditions{UID: new(there.GetUID())})
		if err := client.IgnoreNotFound(err); err != nil {
			return fmt.Errorf("delete %s %s of an earlier run: %w", r.kind(object), object.GetName(), err)
		}
		return errInTheWay
	case deleting || ofNamesake(app, there):
		return errInTheWay
	}
	return refusal{fmt.Errorf("%s %s exists already and does not belong to this application; delete it or give the application another name",
		r.kind(object), object.GetName())}
}

// ofNamesake reports whether object belongs to an application of the same name that was deleted: the garbage collector
// is about to remove it.
func ofNamesake(app *v1beta2.SparkApplication, object client.Object) bool {
	for _, owner := range object.GetOwnerReferences() {
		if owner.Kind == v1beta2.SparkApplicationKind && owner.Name == app.Name && owner.UID != app.UID {
			return true
		}
	}
	return false
}

// refused is what a step comes to that cannot succeed. Its words are those that clients of the API look for.
func refused(step Step, err error) Step {
	step.State = v1beta2.ApplicationStateFailedSubmission
	step.Because = "its submission was refused"
	step.Failure = fmt.Sprintf("failed to run spark-submit: %v", err)
	step.Cause = CauseSubmission
	return step
}

// refusedByServer tells an answer that says no from one that says not now: what the server is too busy for, or could not
// ask an admission webhook about, is tried again for as long as it takes.
func refusedByServer(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return false
	}
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return false // the application is about to be deleted itself
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

func (r *Reconciler) kind(object client.Object) string {
	gvk, err := apiutil.GVKForObject(object, r.cluster.Scheme())
	if err != nil {
		return fmt.Sprintf("%T", object)
	}
	return gvk.Kind
}

// driverInfo returns where the driver of plan and its web interface will be found.
func driverInfo(app *v1beta2.SparkApplication, plan *spark.Plan) v1beta2.DriverInfo {
	info := v1beta2.DriverInfo{PodName: plan.Driver.Name, WebUIPort: plan.UIPort}
	if plan.UIService != "" {
		info.WebUIServiceName = plan.UIService
		info.WebUIAddress = fmt.Sprintf("%s.%s.svc:%d", plan.UIService, app.Namespace, plan.UIPort)
		info.WebUIIngressName, info.WebUIIngressAddress = plan.UIIngress, plan.UIAddress
	}
	return info
}
