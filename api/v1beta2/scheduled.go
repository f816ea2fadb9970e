package v1beta2

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ScheduledSparkApplication runs a SparkApplication again and again, at the times of a schedule.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=scheduledsparkapp,singular=scheduledsparkapplication
// +kubebuilder:metadata:annotations="api-approved.kubernetes.io=unapproved, the group is that of the manifests and clients that exist"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",fieldPath=".metadata",message="the name is longer than the 63 characters that a label of its applications can hold; shorten it"
// +kubebuilder:printcolumn:name=Schedule,type=string,JSONPath=.spec.schedule
// +kubebuilder:printcolumn:name=TimeZone,type=string,JSONPath=.spec.timeZone
// +kubebuilder:printcolumn:name=Suspend,type=string,JSONPath=.spec.suspend
// +kubebuilder:printcolumn:name="Last Run",type=date,JSONPath=.status.lastRun
// +kubebuilder:printcolumn:name="Last Run Name",type=string,JSONPath=.status.lastRunName
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=.metadata.creationTimestamp
type ScheduledSparkApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to run, and when.
	Spec ScheduledSparkApplicationSpec `json:"spec"`
	// Status is what came of it. Only the operator writes it.
	// +optional
	Status ScheduledSparkApplicationStatus `json:"status,omitzero"`
}

// ScheduledSparkApplicationList is a list of ScheduledSparkApplications.
//
// +kubebuilder:object:root=true
type ScheduledSparkApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ScheduledSparkApplication `json:"items"`
}

// ScheduledSparkApplicationSpec says what to run, and when.
type ScheduledSparkApplicationSpec struct {
	// Schedule is when: an expression of cron's five fields, a name such as @daily, or an interval such as @every 90m.
	Schedule string `json:"schedule"`
	// TimeZone is the zone of the schedule, a name of the IANA database such as Europe/Berlin. Default: Local, which is
	// the operator's.
	// +optional
	// +kubebuilder:default=Local
	TimeZone string `json:"timeZone,omitempty"`
	// Template is the specification of each application.
	Template SparkApplicationSpec `json:"template"`
	// Suspend keeps further runs from being started; those that run go on. Times that pass meanwhile are not made up.
	// +optional
	// +kubebuilder:default=false
	Suspend bool `json:"suspend,omitempty"`
	// ConcurrencyPolicy says what happens when a run is due while the last one has not ended. Default: Allow.
	// +optional
	// +kubebuilder:default=Allow
	ConcurrencyPolicy ConcurrencyPolicy `json:"concurrencyPolicy,omitempty"`
	// SuccessfulRunHistoryLimit is how many runs that ended well are kept. Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SuccessfulRunHistoryLimit *int32 `json:"successfulRunHistoryLimit,omitempty"`
	// FailedRunHistoryLimit is how many runs that failed are kept. Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FailedRunHistoryLimit *int32 `json:"failedRunHistoryLimit,omitempty"`
}

// ConcurrencyPolicy says what happens when a run is due while the last one has not ended.
//
// +kubebuilder:validation:Enum={Allow,Forbid,Replace}
type ConcurrencyPolicy string

// The ways to treat runs that overlap.
const (
	// ConcurrencyAllow starts the run beside the other.
	ConcurrencyAllow ConcurrencyPolicy = "Allow"
	// ConcurrencyForbid starts the run when the other has ended, if it is not too late for it then.
	ConcurrencyForbid ConcurrencyPolicy = "Forbid"
	// ConcurrencyReplace ends the other, and then starts the run.
	ConcurrencyReplace ConcurrencyPolicy = "Replace"
)

// ScheduledSparkApplicationStatus is what came of a schedule.
type ScheduledSparkApplicationStatus struct {
	// LastRun is the time that the last run was due at.
	// +optional
	LastRun metav1.Time `json:"lastRun,omitzero"`
	// NextRun is the time that the next run is due at.
	// +optional
	NextRun metav1.Time `json:"nextRun,omitzero"`
	// HandledUntil is the last time of the schedule that is done with: its run was made, or left out.
	// +optional
	HandledUntil metav1.Time `json:"handledUntil,omitzero"`
	// LastRunName is the name of the last run's application.
	// +optional
	LastRunName string `json:"lastRunName,omitempty"`
	// PastSuccessfulRunNames are the runs that are kept of those that ended well, the latest first.
	// +optional
	PastSuccessfulRunNames []string `json:"pastSuccessfulRunNames,omitempty"`
	// PastFailedRunNames are the runs that are kept of those that failed, the latest first.
	// +optional
	PastFailedRunNames []string `json:"pastFailedRunNames,omitempty"`
	// ScheduleState says whether the schedule is in order.
	// +optional
	ScheduleState ScheduleState `json:"scheduleState,omitempty"`
	// Reason says what is wrong with it.
	// +optional
	Reason string `json:"reason,omitempty"`
	// ObservedGeneration is the generation that the rest of status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// ScheduleState says whether a schedule is in order.
type ScheduleState string

// The states of a schedule.
const (
	ScheduleStateNew              ScheduleState = ""
	ScheduleStateValidating       ScheduleState = "Validating"
	ScheduleStateScheduled        ScheduleState = "Scheduled"
	ScheduleStateFailedValidation ScheduleState = "FailedValidation"
)
