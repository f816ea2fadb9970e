package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/evidence"
)

const (
	// readLog is how long reading one log may take.
	readLog = 15 * time.Second
	// logPatience is for how long after the end of a run its driver's log is tried to be read: kubelet may be busy with that
	// very end, and what is not read now may be gone for ever. It is less than what the application's controller waits.
	logPatience = 5 * time.Second
	// maxEvents is how many events are asked for of one object, maxAsked of how many objects.
	maxEvents, maxAsked = 50, 4
	// indexApp is the index of the controller of applications: pods by the name of their application.
	indexApp = "application"
)

// driver returns the driver's pod of app's current run, as the cache has it; nil if there is none.
func (r *Recorder) driver(ctx context.Context, app *v1beta2.SparkApplication) (*corev1.Pod, error) {
	var pods corev1.PodList
	err := r.cached.List(ctx, &pods, client.InNamespace(app.Namespace), client.MatchingFields{indexApp: app.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list pods of the application: %w", err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver && app.Status.SubmissionID != "" &&
			pod.Labels[v1beta2.LabelSubmissionID] == app.Status.SubmissionID {
			return pod, nil
		}
	}
	return nil, nil
}

// whole returns a pod as the API server has it. Where it is gone, what the cache had of it has to do.
func (r *Recorder) whole(ctx context.Context, cached *corev1.Pod) (*corev1.Pod, error) {
	pod, err := r.core.Pods(cached.Namespace).Get(ctx, cached.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err), err == nil && pod.UID != cached.UID:
		return cached, nil
	case err != nil:
		return nil, fmt.Errorf("read the driver's pod: %w", err)
	}
	return pod, nil
}

// log reads a container's log. What keeps it from being read is what there is to tell of it, and an error where it may not
// last.
func (r *Recorder) log(ctx context.Context, namespace string, of v1alpha1.Log, room evidence.Room) (v1alpha1.Log, error) {
	ctx, cancel := context.WithTimeout(ctx, readLog)
	defer cancel()
	stream, err := r.core.Pods(namespace).GetLogs(of.Pod, &corev1.PodLogOptions{
		Container: of.Container, Previous: of.Previous, Timestamps: true, LimitBytes: new(int64(evidence.MaxLog)),
	}).Stream(ctx)
	if err != nil {
		of.Missing = evidence.Say(err.Error())
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) {
			return of, nil
		}
		return of, fmt.Errorf("read the log of pod %s: %w", of.Pod, err)
	}
	defer stream.Close()
	read := evidence.ScanLog(stream, of, room)
	if read.Total == 0 && read.Missing == "" {
		read.Missing = "the log is empty"
	}
	return read, nil
}

// driversLogs reads the log of the driver's container, and of the one before it; of a driver that was never started, those
// of the init containers that kept it from that.
func (r *Recorder) driversLogs(ctx context.Context, pod *corev1.Pod) ([]v1alpha1.Log, error) {
	var logs []v1alpha1.Log
	var errs []error
	read := func(of v1alpha1.Log, room evidence.Room) {
		log, err := r.log(ctx, pod.Namespace, of, room)
		logs, errs = append(logs, log), append(errs, err)
	}
	kept := evidence.OfPod(pod)
	for i := range kept.Containers {
		container := &kept.Containers[i]
		of := v1alpha1.Log{Pod: pod.Name, Container: container.Name}
		switch {
		case container.Name == v1beta2.DriverContainerName && (container.Running != nil || container.Terminated != nil),
			container.Init && container.Terminated != nil && container.Terminated.ExitCode != 0:
			read(of, evidence.DriverLog())
		default:
			continue
		}
		if container.Previous != nil {
			of.Previous = true
			read(of, evidence.ExecutorLog())
		}
	}
	return logs, errors.Join(errs...)
}

// executorsLogs reads the logs of executors that have ended badly, before they are gone: there is no second time.
func (r *Recorder) executorsLogs(ctx context.Context, namespace string, pods []*v1alpha1.Pod) []v1alpha1.Log {
	var logs []v1alpha1.Log
	for _, pod := range pods {
		for i := range pod.Containers {
			if container := &pod.Containers[i]; container.Name == v1beta2.ExecutorContainerName && container.Terminated != nil {
				log, _ := r.log(ctx, namespace, v1alpha1.Log{Pod: pod.Name, Container: container.Name}, evidence.ExecutorLog())
				logs = append(logs, log)
			}
		}
	}
	return logs
}

// object is something that there are events of.
type object struct{ kind, name string }

// events lists the events of objects, by name: an event may be of an earlier one of that name, which its time tells.
func (r *Recorder) events(ctx context.Context, namespace string, objects []object, since time.Time) ([]v1alpha1.Event, error) {
	var found []corev1.Event
	for _, of := range objects[:min(len(objects), maxAsked)] {
		selector := fields.AndSelectors(
			fields.OneTermEqualSelector("involvedObject.kind", of.kind), fields.OneTermEqualSelector("involvedObject.name", of.name),
		)
		list, err := r.core.Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: selector.String(), Limit: maxEvents})
		if err != nil {
			return nil, fmt.Errorf("list events of %s %s: %w", of.kind, of.name, err)
		}
		for _, event := range list.Items {
			if event.CreationTimestamp.Time.Before(since) && event.LastTimestamp.Time.Before(since) {
				continue
			}
			found = append(found, event)
		}
	}
	return evidence.OfCoreEvents(found), nil
}

// asked returns the objects whose events tell most: the driver, or the application while its driver cannot be made or where
// it is in a queue, and executors that wait or ended badly.
func asked(app *v1beta2.SparkApplication, driver *corev1.Pod, known *run) []object {
	first := object{v1beta2.SparkApplicationKind, app.Name}
	if driver != nil {
		first = object{"Pod", driver.Name}
	}
	objects := []object{first}
	if self := (object{v1beta2.SparkApplicationKind, app.Name}); app.Status.Queue != nil && first != self {
		objects = append(objects, self) // what its queue has decided, and taken from it
	}
	if known == nil {
		return objects
	}
	for i := range known.evidence.Pods {
		if pod := (object{"Pod", known.evidence.Pods[i].Name}); pod != first {
			objects = append(objects, pod)
		}
	}
	return objects
}

// holds returns what holds the pods of a run, as they are.
func holds(pods []v1alpha1.Pod) []v1alpha1.Hold {
	var all []v1alpha1.Hold
	for i := range pods {
		pod := &pods[i]
		for _, gate := range pod.Gates {
			all = append(all, v1alpha1.Hold{By: "scheduling gate", Object: "Pod/" + pod.Name, Message: gate, Since: pod.Created})
		}
	}
	return all
}

// byQueue is who holds a run that waits in a queue of Brazier's.
const byQueue = "queue"

// wait is for how long a run waited, or has waited until now, for its queue to let it in.
func wait(app *v1beta2.SparkApplication) []v1alpha1.Hold {
	place := app.Status.Queue
	if place == nil {
		return nil
	}
	hold := v1alpha1.Hold{By: byQueue, Object: "Queue/" + place.Name, Message: "it has to be let in", Since: place.Since}
	if place.Admitted != nil {
		hold.Until = place.Admitted.At.DeepCopy()
	}
	return []v1alpha1.Hold{hold}
}

// over ends those of holds that are not among lasting.
func over(all, lasting []v1alpha1.Hold, now time.Time) {
	for i := range all {
		hold := &all[i]
		if hold.Until == nil && !slices.ContainsFunc(lasting, func(h v1alpha1.Hold) bool {
			return h.By == hold.By && h.Object == hold.Object && h.Message == hold.Message
		}) {
			hold.Until = new(metav1.NewTime(now))
		}
	}
}

// suspension is the hold on an application that is suspended.
func suspension(app *v1beta2.SparkApplication) v1alpha1.Hold {
	return v1alpha1.Hold{
		By: "suspend", Object: "SparkApplication/" + app.Name,
		Message: "spec.suspend is " + strconv.FormatBool(app.Spec.Suspend),
	}
}
