package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Role says what a pod is in its run.
type Role string

const (
	// RoleDriver is the driver.
	RoleDriver Role = "driver"
	// RoleExecutor is an executor.
	RoleExecutor Role = "executor"
)

// Pod is what was seen of a pod last.
type Pod struct {
	// Name is the pod's name.
	Name string `json:"name"`
	// UID tells it from others of the same name.
	// +optional
	UID types.UID `json:"uid,omitempty"`
	// Role says whether it is the driver or an executor.
	Role Role `json:"role"`
	// Executor is Spark's number of an executor, which is in its label spark-exec-id.
	// +optional
	Executor string `json:"executor,omitempty"`
	// Node is the node that it was bound to.
	// +optional
	Node string `json:"node,omitempty"`
	// Phase, Reason and Message are those of the pod's status.
	// +optional
	Phase string `json:"phase,omitempty"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// Created is when it was made, Started when its node took it, Deleted when it was told to go or seen to be gone.
	// +optional
	Created metav1.Time `json:"created,omitzero"`
	// +optional
	Started *metav1.Time `json:"started,omitempty"`
	// +optional
	Deleted *metav1.Time `json:"deleted,omitempty"`
	// Containers are its containers, init containers first.
	// +optional
	// +listType=atomic
	Containers []Container `json:"containers,omitempty"`
	// Conditions are those of its conditions that something can be learnt from: what is not as it should be.
	// +optional
	// +listType=atomic
	Conditions []Condition `json:"conditions,omitempty"`
	// Gates are the scheduling gates that it has.
	// +optional
	// +listType=atomic
	Gates []string `json:"gates,omitempty"`
	// Claims are the volume claims that it mounts.
	// +optional
	// +listType=atomic
	Claims []string `json:"claims,omitempty"`
}

// Container is what was seen of a container last.
type Container struct {
	// Name is the container's name; Spark's are spark-kubernetes-driver and spark-kubernetes-executor.
	Name string `json:"name"`
	// Init tells init containers.
	// +optional
	Init bool `json:"init,omitempty"`
	// Image is what the container was made of.
	// +optional
	Image string `json:"image,omitempty"`
	// MemoryLimit is how much memory it may use.
	// +optional
	MemoryLimit *resource.Quantity `json:"memoryLimit,omitempty"`
	// Waiting is why it does not run, where it does not.
	// +optional
	Waiting *ContainerWait `json:"waiting,omitempty"`
	// Running is since when it runs, where it does.
	// +optional
	Running *metav1.Time `json:"running,omitempty"`
	// Terminated is how it ended, where it has.
	// +optional
	Terminated *ContainerEnd `json:"terminated,omitempty"`
	// Previous is how the container before it ended, where it was restarted.
	// +optional
	Previous *ContainerEnd `json:"previous,omitempty"`
	// Restarts is how often it was restarted.
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
}

// ContainerWait is why a container does not run.
type ContainerWait struct {
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
}

// ContainerEnd is how a container ended.
type ContainerEnd struct {
	ExitCode int32 `json:"exitCode"`
	// +optional
	Signal int32 `json:"signal,omitempty"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// Message is the container's termination message: of one that failed, the end of its log.
	// +optional
	Message string `json:"message,omitempty"`
	// +optional
	Started metav1.Time `json:"started,omitzero"`
	// +optional
	Finished metav1.Time `json:"finished,omitzero"`
}

// Condition is a condition of a pod.
type Condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// +optional
	At metav1.Time `json:"at,omitzero"`
}

// Event is one of Kubernetes' events, or several that say the same.
type Event struct {
	// Object is what it is about: "Pod/pi-driver".
	Object string `json:"object"`
	// Type is Normal or Warning.
	// +optional
	Type string `json:"type,omitempty"`
	// +optional
	Reason string `json:"reason,omitempty"`
	// +optional
	Message string `json:"message,omitempty"`
	// From is the component that tells of it.
	// +optional
	From string `json:"from,omitempty"`
	// Count is how often it was told.
	// +optional
	Count int32 `json:"count,omitempty"`
	// +optional
	First metav1.Time `json:"first,omitzero"`
	// +optional
	Last metav1.Time `json:"last,omitzero"`
}

// Log is what was kept of a container's log: lines that tell of trouble, and the last ones.
type Log struct {
	// Pod and Container are whose log it is.
	Pod string `json:"pod"`
	// +optional
	Container string `json:"container,omitempty"`
	// Previous says that it is of the container before the one that was seen last.
	// +optional
	Previous bool `json:"previous,omitempty"`
	// Total is how many lines were read. Lines that were not kept leave gaps in the numbers of those that were.
	// +optional
	Total int64 `json:"total,omitempty"`
	// Missing says why there are no lines, or where they break off, where that is so.
	// +optional
	Missing string `json:"missing,omitempty"`
	// Dropped is how many lines that tell of trouble were not kept because there was no room for them. Repeats do not count.
	// +optional
	Dropped int64 `json:"dropped,omitempty"`
	// +optional
	// +listType=atomic
	Lines []LogLine `json:"lines,omitempty"`
}

// LogLine is a line of a log.
type LogLine struct {
	// Number counts from 1, at the first line that was read.
	Number int64 `json:"n"`
	// At is when the container runtime got it.
	// +optional
	At *metav1.MicroTime `json:"at,omitempty"`
	// Text is the line, shortened if it is long, and with secrets blotted out. A line of Spark's JSON log is put as the text
	// log has it, one line for each frame of its exception.
	Text string `json:"text"`
	// Count is how often lines came that differ from this one in numbers only, where that is more often than they were kept.
	// +optional
	Count int64 `json:"count,omitempty"`
}
