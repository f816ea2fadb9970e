package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Confidence is how sure it is that a cause is one.
type Confidence string

const (
	// ConfidenceHigh is a cause that the evidence names.
	ConfidenceHigh Confidence = "high"
	// ConfidenceMedium is a cause that fits the evidence better than any other.
	ConfidenceMedium Confidence = "medium"
	// ConfidenceLow is a cause that is possible.
	ConfidenceLow Confidence = "low"
)

// Cause is something that made a run fail, or that it waits for.
type Cause struct {
	// Code names the cause; it does not change between versions, so that it can be counted by: "executor-out-of-memory".
	Code string `json:"code"`
	// Why is the cause in one sentence.
	Why string `json:"why"`
	// Evidence is what it follows from, in the words of who said it.
	// +optional
	// +listType=atomic
	Evidence []Proof `json:"evidence,omitempty"`
	// Fixes are what can be done, the least risky first.
	// +optional
	// +listType=atomic
	Fixes []Fix `json:"fixes,omitempty"`
	// Confidence is how sure it is.
	Confidence Confidence `json:"confidence"`
	// Transient says that another attempt may well succeed with nothing changed. What is not transient is deterministic.
	// +optional
	Transient bool `json:"transient,omitempty"`
	// Waiting says that the run waits because of it, rather than having failed.
	// +optional
	Waiting bool `json:"waiting,omitempty"`
	// Follows is the code of the cause that this one is a consequence of.
	// +optional
	Follows string `json:"follows,omitempty"`
	// Node and StorageClass are where it happened, where that may be why.
	// +optional
	Node string `json:"node,omitempty"`
	// +optional
	StorageClass string `json:"storageClass,omitempty"`
	// At is when it was seen first.
	// +optional
	At metav1.Time `json:"at,omitzero"`
}

// Proof is one thing that a cause follows from.
type Proof struct {
	// Object is what said it: "Pod/pi-exec-1", "SparkApplication/pi", "Node/worker-3".
	Object string `json:"object"`
	// Field is where: "status.containerStatuses[spark-kubernetes-executor].state.terminated", "log line 1234", "event Failed".
	// +optional
	Field string `json:"field,omitempty"`
	// Text is what was said, shortened.
	Text string `json:"text"`
	// At is when.
	// +optional
	At *metav1.MicroTime `json:"at,omitempty"`
}

// Risk is what carrying out a fix may do.
type Risk string

const (
	// RiskInspect changes nothing.
	RiskInspect Risk = "inspect"
	// RiskLow changes nothing that others use, and is easily undone.
	RiskLow Risk = "low-risk"
	// RiskChanges changes what the application is or gets.
	RiskChanges Risk = "changes"
	// RiskDestructive loses something.
	RiskDestructive Risk = "destructive"
)

// Fix is something that can be done about a cause.
type Fix struct {
	// Risk is what carrying it out may do.
	Risk Risk `json:"risk"`
	// Say is what to do, in one sentence.
	Say string `json:"say"`
	// Command is a command line that does it.
	// +optional
	Command string `json:"command,omitempty"`
	// Change is what to change in the application's manifest, in YAML.
	// +optional
	Change string `json:"change,omitempty"`
}
