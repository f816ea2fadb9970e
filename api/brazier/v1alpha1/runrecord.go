package v1alpha1

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// RunRecord keeps what was seen of one run of a SparkApplication: what its pods, its log and the cluster said before they
// were gone, and what Brazier makes of it. Only the operator writes it. Nothing owns it: it outlives its application for as
// long as the operator is told to keep it. A run of which there is nothing to tell has none.
//
// Its name is the application's, the run's number and the first eight characters of the application's UID, with dots
// between them; the labels sparkoperator.k8s.io/app-name and brazier.sh/run select it.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=runrec
// +kubebuilder:printcolumn:name=Application,type=string,JSONPath=.application.name
// +kubebuilder:printcolumn:name=Run,type=integer,JSONPath=.run
// +kubebuilder:printcolumn:name=State,type=string,JSONPath=.state
// +kubebuilder:printcolumn:name=Cause,type=string,JSONPath=.causes[0].code
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=.metadata.creationTimestamp
type RunRecord struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Application is the application that the run is of. It may be gone.
	Application ApplicationReference `json:"application"`
	// Run is the run's number, as in the application's status.run: it begins at 1 and is never used twice.
	Run int64 `json:"run"`
	// SparkApplicationID is Spark's own name for the run.
	// +optional
	SparkApplicationID string `json:"sparkApplicationID,omitempty"`
	// State is the application's state when the record was written last.
	// +optional
	State string `json:"state,omitempty"`
	// Began is when the run was submitted.
	// +optional
	Began *metav1.Time `json:"began,omitempty"`
	// Ended is when the run ended; none while it goes on.
	// +optional
	Ended *metav1.Time `json:"ended,omitempty"`
	// Evidence is what was seen.
	// +optional
	Evidence Evidence `json:"evidence,omitzero"`
	// Causes are what follows from the evidence, the most fundamental first.
	// +optional
	// +listType=atomic
	Causes []Cause `json:"causes,omitempty"`
}

// RunRecordList is a list of RunRecords.
//
// +kubebuilder:object:root=true
type RunRecordList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []RunRecord `json:"items"`
}

// ApplicationReference names a SparkApplication in the record's namespace.
type ApplicationReference struct {
	// Name is the application's name.
	Name string `json:"name"`
	// UID tells it from others of the same name, before and after it.
	UID types.UID `json:"uid"`
}

// Evidence is what was seen of a run, within bounds and without secrets.
type Evidence struct {
	// Refusals are what the API server, or the operator before it, said of a submission that it did not take.
	// +optional
	// +listType=atomic
	Refusals []Refusal `json:"refusals,omitempty"`
	// Holds are why the run was not begun or did not go on: suspension, scheduling gates, decisions of queues and quotas.
	// +optional
	// +listType=atomic
	Holds []Hold `json:"holds,omitempty"`
	// Pods are the driver and those executors of which there is something to tell.
	// +optional
	// +listType=atomic
	Pods []Pod `json:"pods,omitempty"`
	// Events are Kubernetes' events about the run's pods and what belongs to them.
	// +optional
	// +listType=atomic
	Events []Event `json:"events,omitempty"`
	// Logs are lines of the logs of containers.
	// +optional
	// +listType=atomic
	Logs []Log `json:"logs,omitempty"`
	// Executors counts the executors that were seen of the run.
	// +optional
	Executors ExecutorCount `json:"executors,omitzero"`
	// Dropped is how many pods, events and lines were not kept because there was no room for them.
	// +optional
	Dropped int64 `json:"dropped,omitempty"`
}

// ExecutorCount is how many executors a run has had.
type ExecutorCount struct {
	// Seen is how many there were in all.
	// +optional
	Seen int64 `json:"seen,omitempty"`
	// Failed is how many of them ended badly.
	// +optional
	Failed int64 `json:"failed,omitempty"`
}

// Refusal is a submission that was not taken.
type Refusal struct {
	// Message is the server's, or the operator's.
	Message string `json:"message"`
	// At is when it was given.
	// +optional
	At metav1.Time `json:"at,omitzero"`
}

// Hold is something that keeps a run from beginning or going on.
type Hold struct {
	// By is what holds it: "suspend", "scheduling gate", "queue", "quota".
	By string `json:"by"`
	// Object is what the hold is on: "SparkApplication/pi", "Pod/pi-driver".
	// +optional
	Object string `json:"object,omitempty"`
	// Message says why.
	// +optional
	Message string `json:"message,omitempty"`
	// Since is when it was seen first, Until when it was over; none while it lasts.
	// +optional
	Since metav1.Time `json:"since,omitzero"`
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// AnnotationWrittenAt on a RunRecord is when it was written last, in RFC 3339: from then on it is kept for as long as the
// operator is told to.
const AnnotationWrittenAt = "brazier.sh/written-at"

// uidInName is how much of an application's UID is in the names of its records.
const uidInName = 8

// RunRecordName returns the name of the record of an application's run.
func RunRecordName(app ApplicationReference, run int64) string {
	return fmt.Sprintf("%s.%d.%s", app.Name, run, app.UID[:min(uidInName, len(app.UID))])
}
