package application

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/admission"
	"brazier.sh/brazier/internal/executors"
)

// Observation is what was seen of an application's pods.
type Observation struct {
	// Drivers are all driver pods of the application, of whichever run.
	Drivers []Driver
	// Executors are the executor pods of the application, sorted by name.
	Executors []Executor
	// DriverGone says that the current run's driver was made, and is not there any more.
	DriverGone bool
	// StartLimit is how long a driver may take to start; 0 is for ever.
	StartLimit time.Duration
	// TimeToLive is how many seconds an application that does not say so is kept after its end; nil is for ever.
	TimeToLive *int64
	// Diagnosis is what was found out about the current run.
	Diagnosis Diagnosis
	// Queue is the queue that the application is in now, if its run is in one.
	Queue string
	// Verdict is what that has decided about the run.
	Verdict admission.Verdict
	// NotInVain says that no run is to be made that would fail of what the last one did.
	NotInVain bool
}

// Driver is what was seen of a driver pod.
type Driver struct {
	Name string
	UID  types.UID
	// Created is when the pod was made, Accepted when its node took it.
	Created, Accepted time.Time
	// Current tells the driver of the current run from those of earlier ones.
	Current bool
	// Submission is the submission of a driver that another operator made, or made as far as status can tell.
	Submission string
	// Deleting is a pod that was told to go.
	Deleting bool
	// Running says that the driver's container runs, whatever its sidecars do.
	Running bool
	// Waiting is why the container does not run yet, where Kubernetes says so.
	Waiting *Waiting
	// Ended is the end of the driver's container, nil until then.
	Ended *Ending
	// Lingering is a pod whose driver has ended while others of its containers go on.
	Lingering bool
	// Active is how long the pod may be active, counted from when its node accepted it; 0 is for ever.
	Active time.Duration
	// Cause is what it failed of, where it has failed, or fails of where it is Deleting.
	Cause Cause
	// Disruption says in Kubernetes' words what disrupted it, if something did.
	Disruption string
}

// Waiting is why a driver does not run yet.
type Waiting struct {
	Reason, Message string
	Since           time.Time
}

// Ending is how a driver ended.
type Ending struct {
	Success bool
	// Message says how, in the words that clients of the API look for.
	Message string
	At      time.Time
}

// Executor is what was seen of an executor pod.
type Executor = executors.Executor

// Current returns the driver of the application's current run.
func (o Observation) Current() (Driver, bool) {
	i := slices.IndexFunc(o.Drivers, func(d Driver) bool { return d.Current })
	if i < 0 {
		return Driver{}, false
	}
	return o.Drivers[i], true
}

// CurrentEnded reports whether the driver of the application's current run has ended.
func (o Observation) CurrentEnded() bool {
	driver, ok := o.Current()
	return ok && driver.Ended != nil
}

// DriversLive reports whether there is a driver pod that was not told to go.
func (o Observation) DriversLive() bool {
	return slices.ContainsFunc(o.Drivers, func(d Driver) bool { return !d.Deleting })
}

// Unended reports whether there is a driver pod that may still run something and was not told to go.
func (o Observation) Unended() bool {
	return slices.ContainsFunc(o.Drivers, func(d Driver) bool { return !d.Deleting && d.Ended == nil })
}

// Lingering returns a driver pod that sidecars keep running after its driver's end.
func (o Observation) Lingering() (Driver, bool) {
	i := slices.IndexFunc(o.Drivers, func(d Driver) bool { return d.Lingering })
	if i < 0 {
		return Driver{}, false
	}
	return o.Drivers[i], true
}

// ExecutorsLive reports whether there is an executor that takes up room in the cluster and was not told to go.
func (o Observation) ExecutorsLive() bool {
	return slices.ContainsFunc(o.Executors, func(e Executor) bool { return !e.Deleting && !e.State.Ended() })
}

// observe reads the application's pods from the cache.
func (r *Reconciler) observe(ctx context.Context, app *v1beta2.SparkApplication) (Observation, error) {
	var pods corev1.PodList
	// The claim of a run and the uniqueness of its names keep the application from being submitted twice; waiting
	// here until the cache has caught up with every pod that was made meanwhile would only slow the others down.
	err := r.pods.List(ctx, &pods, client.InNamespace(app.Namespace), client.MatchingFields{indexApp: app.Name},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return Observation{}, fmt.Errorf("list pods of the application: %w", err)
	}
	seen := Observation{Executors: r.executors.Of(client.ObjectKeyFromObject(app)), TimeToLive: r.platform.TimeToLiveSeconds}
	seen.Diagnosis, seen.NotInVain = r.observeDiagnosis(app), !retriesDeterministic(app, !r.notInVain)
	// One that is not valid is refused with the next run; until then the operator's holds.
	seen.StartLimit, _ = startLimit(app, r.startLimit)
	for i := range pods.Items {
		if pod := &pods.Items[i]; pod.Labels[v1beta2.LabelSparkRole] == v1beta2.SparkRoleDriver {
			seen.Drivers = append(seen.Drivers, observeDriver(app, pod))
		}
	}
	if err := r.observeQueue(ctx, app, &seen); err != nil {
		return Observation{}, err
	}
	if err := r.observeMissing(ctx, app, &seen); err != nil {
		return Observation{}, err
	}
	return seen, nil
}

func observeDriver(app *v1beta2.SparkApplication, pod *corev1.Pod) Driver {
	driver := Driver{
		Name:     pod.Name,
		UID:      pod.UID,
		Created:  pod.CreationTimestamp.Time,
		Current:  ofRun(app, pod),
		Deleting: !pod.DeletionTimestamp.IsZero(),
		Ended:    ending(pod),
		Cause:    causeOf(pod),
	}
	if _, ours := pod.Labels[v1beta2.LabelRun]; (!ours || foreign(app)) && !ofNamesake(app, pod) {
		driver.Submission = pod.Labels[v1beta2.LabelSubmissionID]
	}
	if driver.Cause == CauseDisrupted {
		driver.Disruption = disruption(pod)
	}
	if pod.Status.StartTime != nil {
		driver.Accepted = pod.Status.StartTime.Time
	}
	if status := driverContainer(pod); status != nil {
		driver.Running = status.State.Running != nil
	}
	if !driver.Running && driver.Ended == nil {
		driver.Waiting = waiting(pod)
	}
	driver.Lingering = driver.Ended != nil && !driver.Deleting && lingering(pod)
	if pod.Spec.ActiveDeadlineSeconds != nil {
		driver.Active = seconds(*pod.Spec.ActiveDeadlineSeconds)
	}
	return driver
}

// disruption says in Kubernetes' words what disrupted pod.
func disruption(pod *corev1.Pod) string {
	if target := condition(pod, corev1.DisruptionTarget); target != nil && target.Status == corev1.ConditionTrue {
		return target.Reason
	}
	return pod.Status.Reason
}

// lingering reports whether containers beside the driver's keep pod running. Sidecars of Kubernetes' own kind, init
// containers that are restarted, are ended by kubelet.
func lingering(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodRunning && len(pod.Spec.Containers) > 1
}

// ofRun reports whether pod belongs to the application's current run. Where another operator has submitted the run, or
// written status since, there is no number to compare and its submission tells.
func ofRun(app *v1beta2.SparkApplication, pod *corev1.Pod) bool {
	if run, ok := pod.Labels[v1beta2.LabelRun]; ok && !foreign(app) {
		return run == strconv.FormatInt(app.Status.Run, 10) && ownedBy(app, pod)
	}
	id := pod.Labels[v1beta2.LabelSubmissionID]
	return id != "" && id == app.Status.SubmissionID
}

// ownedBy tells the application from an earlier one of the same name.
func ownedBy(app *v1beta2.SparkApplication, object client.Object) bool {
	for _, owner := range object.GetOwnerReferences() {
		if owner.UID == app.UID {
			return true
		}
	}
	return false
}

// ending returns how the driver's container ended, nil if it has not. The pod's phase is of no use for it: a sidecar
// keeps a pod running whose driver is long done.
func ending(pod *corev1.Pod) *Ending {
	if status := driverContainer(pod); status != nil && status.State.Terminated != nil {
		end := status.State.Terminated
		message := "driver container failed with " + exit(end)
		if pod.Status.Reason != "" {
			message += fmt.Sprintf("; its pod was ended (%s: %s)", pod.Status.Reason, strings.TrimSpace(pod.Status.Message))
		}
		return &Ending{Success: end.ExitCode == 0, Message: message, At: end.FinishedAt.Time}
	}
	if pod.Status.Phase != corev1.PodFailed {
		return nil
	}
	// The pod failed before its driver could: it was evicted or refused by the node, or an init container failed.
	message := "driver container failed: it was never started"
	if status := driverContainer(pod); status != nil && status.State.Running != nil {
		message = "driver container failed: its pod has ended, and nobody saw how the container did"
	}
	if pod.Status.Reason != "" {
		message += fmt.Sprintf(" (%s: %s)", pod.Status.Reason, strings.TrimSpace(pod.Status.Message))
	}
	for _, status := range pod.Status.InitContainerStatuses {
		if end := status.State.Terminated; end != nil && end.ExitCode != 0 {
			message = fmt.Sprintf("driver container failed: init container %s ended with %s", status.Name, exit(end))
		}
	}
	return &Ending{Message: message}
}

func exit(end *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("ExitCode: %d", end.ExitCode)
	if end.Reason != "" {
		text += ", Reason: " + end.Reason
	}
	return text
}

// waiting returns why the driver does not run yet: its container's reason, else the scheduler's.
func waiting(pod *corev1.Pod) *Waiting {
	since := pod.CreationTimestamp.Time
	if status := driverContainer(pod); status != nil && status.State.Waiting != nil {
		return &Waiting{Reason: status.State.Waiting.Reason, Message: status.State.Waiting.Message, Since: since}
	}
	scheduled := condition(pod, corev1.PodScheduled)
	if scheduled != nil && scheduled.Status == corev1.ConditionFalse {
		return &Waiting{Reason: scheduled.Reason, Message: scheduled.Message, Since: since}
	}
	return nil
}

func driverContainer(pod *corev1.Pod) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == v1beta2.DriverContainerName {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}
