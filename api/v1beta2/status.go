package v1beta2

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SparkApplicationStatus is what was seen of an application last.
type SparkApplicationStatus struct {
	// ObservedGeneration is the generation of the specification that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// SpecHash is the hash of the part of the specification that the current run was submitted with. A different hash
	// of the specification makes that run obsolete.
	// +optional
	SpecHash string `json:"specHash,omitempty"`
	// Run counts the submissions of the application, from 1. It is written before anything of a submission is created
	// and never goes back, so the names that are made of it are never used twice.
	// +optional
	Run int64 `json:"run,omitempty"`
	// RunSubmitTime is when the current run was decided. What is made for it depends on this time, not on the clock.
	// +optional
	RunSubmitTime metav1.Time `json:"runSubmitTime,omitzero"`
	// SparkApplicationID is Spark's own ID of the current run (spark.app.id).
	// +optional
	SparkApplicationID string `json:"sparkApplicationId,omitempty"`
	// SubmissionID identifies the current run; its pods have it as a label.
	// +optional
	SubmissionID string `json:"submissionID,omitempty"`
	// LastSubmissionAttemptTime is when the application was last submitted, or tried to be.
	// +optional
	// +nullable
	LastSubmissionAttemptTime metav1.Time `json:"lastSubmissionAttemptTime"`
	// TerminationTime is when the last run ended.
	// +optional
	// +nullable
	TerminationTime metav1.Time `json:"terminationTime"`
	// DriverInfo is where the driver and its web interface are found.
	// +optional
	DriverInfo DriverInfo `json:"driverInfo"`
	// AppState is the state of the application.
	// +optional
	AppState ApplicationState `json:"applicationState"`
	// ExecutorState is the state of each executor, by the name of its pod: the latest 1000 of them.
	// +optional
	ExecutorState map[string]ExecutorState `json:"executorState,omitempty"`
	// ExecutionAttempts counts the runs of the application, but for those that were suspended or that ended through no
	// fault of its own: lost with their node, preempted, or not admitted by it. A new specification starts it anew.
	// +optional
	ExecutionAttempts int32 `json:"executionAttempts,omitempty"`
	// SubmissionAttempts counts the submissions of the current run. A new run starts it anew.
	// +optional
	SubmissionAttempts int32 `json:"submissionAttempts,omitempty"`
	// Failures counts the latest runs, in a row, that did not end well, whosesoever fault it was. One that ran for an hour
	// begins a new row. The wait for the next run grows with it.
	// +optional
	Failures int32 `json:"failures,omitempty"`
	// Queue is what the current run has of its queue; none where it is in none.
	// +optional
	Queue *QueuePlace `json:"queue,omitempty"`
	// Conditions say what holds of the application, and why.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ApplicationState is the state of an application and, if it has failed, why.
type ApplicationState struct {
	// State is the state; empty when the application is new.
	State ApplicationStateType `json:"state"`
	// ErrorMessage is why the application, or its submission, failed.
	// +optional
	ErrorMessage string `json:"errorMessage,omitempty"`
}

// ApplicationStateType is a state of an application.
type ApplicationStateType string

// The states of an application.
const (
	// ApplicationStateNew is an application that nothing has been done for yet.
	ApplicationStateNew ApplicationStateType = ""
	// ApplicationStateSubmitted is one whose driver has been created and does not run yet, or that waits in a queue.
	ApplicationStateSubmitted ApplicationStateType = "SUBMITTED"
	// ApplicationStateRunning is one whose driver runs.
	ApplicationStateRunning ApplicationStateType = "RUNNING"
	// ApplicationStateSucceeding is one whose driver has ended well; whether it is run again is not decided yet.
	ApplicationStateSucceeding ApplicationStateType = "SUCCEEDING"
	// ApplicationStateCompleted is one that has ended well for good.
	ApplicationStateCompleted ApplicationStateType = "COMPLETED"
	// ApplicationStateFailing is one whose driver has failed; whether it is run again is not decided yet.
	ApplicationStateFailing ApplicationStateType = "FAILING"
	// ApplicationStateFailed is one that has failed for good.
	ApplicationStateFailed ApplicationStateType = "FAILED"
	// ApplicationStateFailedSubmission is one whose submission has failed; it may be tried again.
	ApplicationStateFailedSubmission ApplicationStateType = "SUBMISSION_FAILED"
	// ApplicationStatePendingRerun is one that waits to be run again.
	ApplicationStatePendingRerun ApplicationStateType = "PENDING_RERUN"
	// ApplicationStateInvalidating is one whose specification has changed; what runs of it is being stopped.
	ApplicationStateInvalidating ApplicationStateType = "INVALIDATING"
	// ApplicationStateSuspending is one that is being stopped because its specification says suspend.
	ApplicationStateSuspending ApplicationStateType = "SUSPENDING"
	// ApplicationStateSuspended is one that has been stopped, or is held back, because its specification says suspend.
	ApplicationStateSuspended ApplicationStateType = "SUSPENDED"
	// ApplicationStateResuming is one that is about to be submitted again after it was suspended.
	ApplicationStateResuming ApplicationStateType = "RESUMING"
	// ApplicationStateUnknown is one whose driver cannot be seen, as its node cannot be reached.
	ApplicationStateUnknown ApplicationStateType = "UNKNOWN"
)

// Ended reports whether nothing more happens to an application in state s unless its specification changes.
func (s ApplicationStateType) Ended() bool {
	return s == ApplicationStateCompleted || s == ApplicationStateFailed
}

// QueuePlace is what a run asks of its queue and what it was given. Sizes are those of whole pods, from the run's plan, so
// that they need not be worked out again.
type QueuePlace struct {
	// Name is the queue's.
	Name string `json:"name"`
	// Since is since when the run has waited.
	Since metav1.Time `json:"since"`
	// Driver is what the driver's pod requests.
	Driver corev1.ResourceList `json:"driver"`
	// Executor is what the pod of an executor of the default resource profile requests.
	Executor corev1.ResourceList `json:"executor"`
	// Minimum is how many executors it is let in with: all of them or none.
	Minimum int64 `json:"minimum"`
	// Admitted is where it was let in; none while it waits.
	// +optional
	Admitted *QueueAdmission `json:"admitted,omitempty"`
}

// QueueAdmission is where a run was let in.
type QueueAdmission struct {
	// At is when.
	At metav1.Time `json:"at"`
	// Driver is the flavour of the driver's node.
	Driver string `json:"driver"`
	// Executors are how many executors of the minimum were promised of each flavour.
	Executors map[string]int64 `json:"executors,omitempty"`
}

// ExecutorState is a state of an executor.
type ExecutorState string

// The states of an executor.
const (
	// ExecutorStatePending is an executor whose pod does not run yet.
	ExecutorStatePending ExecutorState = "PENDING"
	// ExecutorStateRunning is one whose pod runs.
	ExecutorStateRunning ExecutorState = "RUNNING"
	// ExecutorStateCompleted is one whose pod has ended well.
	ExecutorStateCompleted ExecutorState = "COMPLETED"
	// ExecutorStateFailed is one whose pod has failed.
	ExecutorStateFailed ExecutorState = "FAILED"
	// ExecutorStateUnknown is one whose pod cannot be seen.
	ExecutorStateUnknown ExecutorState = "UNKNOWN"
)

// Ended reports whether an executor in state s takes up no room any more.
func (s ExecutorState) Ended() bool {
	return s == ExecutorStateCompleted || s == ExecutorStateFailed
}

// DriverInfo is where a driver and its web interface are found.
type DriverInfo struct {
	// PodName is the name of the driver's pod.
	// +optional
	PodName string `json:"podName,omitempty"`
	// WebUIServiceName is the name of the web interface's Service.
	// +optional
	WebUIServiceName string `json:"webUIServiceName,omitempty"`
	// WebUIAddress is the address of the web interface inside the cluster.
	// +optional
	WebUIAddress string `json:"webUIAddress,omitempty"`
	// WebUIPort is the port of the web interface's Service.
	// +optional
	WebUIPort int32 `json:"webUIPort,omitempty"`
	// WebUIIngressName is the name of the web interface's Ingress, if there is one.
	// +optional
	WebUIIngressName string `json:"webUIIngressName,omitempty"`
	// WebUIIngressAddress is the address of the web interface outside the cluster, if there is an Ingress.
	// +optional
	WebUIIngressAddress string `json:"webUIIngressAddress,omitempty"`
}
