package v1beta2

import corev1 "k8s.io/api/core/v1"

// RestartPolicy says whether an application that has ended is run again, how often, and after how long.
type RestartPolicy struct {
	// Type says after which ends the application is run again. Default: Never.
	// +optional
	Type RestartPolicyType `json:"type,omitempty"`
	// OnSubmissionFailureRetries is how often a submission that failed is tried again. Default: 0.
	// Only the type OnFailure heeds it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OnSubmissionFailureRetries *int32 `json:"onSubmissionFailureRetries,omitempty"`
	// OnFailureRetries is how often an application that failed is run again. Default: 0.
	// Only the type OnFailure heeds it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OnFailureRetries *int32 `json:"onFailureRetries,omitempty"`
	// OnSubmissionFailureRetryInterval is how long to wait after a failed submission, in seconds, times the attempts
	// so far. Default: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	OnSubmissionFailureRetryInterval *int64 `json:"onSubmissionFailureRetryInterval,omitempty"`
	// OnFailureRetryInterval is how long to wait after a failed run, in seconds, times the attempts so far. Default: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	OnFailureRetryInterval *int64 `json:"onFailureRetryInterval,omitempty"`
}

// RestartPolicyType says after which ends an application is run again.
//
// +kubebuilder:validation:Enum={Never,Always,OnFailure}
type RestartPolicyType string

// After which ends an application can be run again.
const (
	// RestartPolicyNever runs the application once.
	RestartPolicyNever RestartPolicyType = "Never"
	// RestartPolicyOnFailure runs the application again when it failed, as often as the policy allows.
	RestartPolicyOnFailure RestartPolicyType = "OnFailure"
	// RestartPolicyAlways runs the application again however it ended, without limit.
	RestartPolicyAlways RestartPolicyType = "Always"
)

// DynamicAllocation lets Spark ask for executors and give them back as the work needs.
//
// +kubebuilder:validation:XValidation:rule="!has(self.enabled) || !self.enabled || !has(self.minExecutors) || !has(self.maxExecutors) || self.minExecutors <= self.maxExecutors",fieldPath=".minExecutors",message="minExecutors is more than maxExecutors; write minExecutors <= initialExecutors <= maxExecutors"
// +kubebuilder:validation:XValidation:rule="!has(self.enabled) || !self.enabled || !has(self.minExecutors) || !has(self.initialExecutors) || self.minExecutors <= self.initialExecutors",fieldPath=".initialExecutors",message="minExecutors is more than initialExecutors; write minExecutors <= initialExecutors <= maxExecutors"
// +kubebuilder:validation:XValidation:rule="!has(self.enabled) || !self.enabled || !has(self.initialExecutors) || !has(self.maxExecutors) || self.initialExecutors <= self.maxExecutors",fieldPath=".initialExecutors",message="initialExecutors is more than maxExecutors; write minExecutors <= initialExecutors <= maxExecutors"
type DynamicAllocation struct {
	// Enabled turns dynamic allocation on. Default: false.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// InitialExecutors is how many executors the application starts with. Default: minExecutors.
	// If spec.executor.instances is more, that many.
	// +optional
	// +kubebuilder:validation:Minimum=0
	InitialExecutors *int32 `json:"initialExecutors,omitempty"`
	// MinExecutors is the fewest executors that the application keeps. Default: 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MinExecutors *int32 `json:"minExecutors,omitempty"`
	// MaxExecutors is the most executors that the application asks for. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	MaxExecutors *int32 `json:"maxExecutors,omitempty"`
	// ShuffleTrackingEnabled keeps executors whose shuffle files are still needed, so that no external shuffle
	// service is. Default: true.
	// +optional
	ShuffleTrackingEnabled *bool `json:"shuffleTrackingEnabled,omitempty"`
	// ShuffleTrackingTimeout is how long an idle executor is kept for its shuffle files, in milliseconds.
	// Default: until they are no longer needed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ShuffleTrackingTimeout *int64 `json:"shuffleTrackingTimeout,omitempty"`
}

// BatchSchedulerConfiguration is what a batch scheduler is told of an application.
type BatchSchedulerConfiguration struct {
	// Queue is the name of the scheduler's queue that the application belongs to.
	// +optional
	Queue string `json:"queue,omitempty"`
	// PriorityClassName is the name of the PriorityClass of the application as a whole.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// Resources are what must be free before the application starts, instead of what driver and executors request.
	// +optional
	Resources corev1.ResourceList `json:"resources,omitempty"`
}
