package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// SparkConnect is a Spark Connect server: a driver that stays, with executors of its own, and that clients reach over the
// network.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=sparkconn,singular=sparkconnect
// +kubebuilder:metadata:annotations="api-approved.kubernetes.io=unapproved, the group is that of the manifests and clients that exist"
// +kubebuilder:printcolumn:name=Status,type=string,JSONPath=.status.state
// +kubebuilder:printcolumn:name=Restarts,type=integer,JSONPath=.status.restarts
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=.metadata.creationTimestamp
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 56 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",fieldPath=".metadata",message="the server's Service takes the name with \"-server\" behind it; write a letter, then lower-case letters, digits and '-', at most 56 in all"
type SparkConnect struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is which server to run and how.
	Spec SparkConnectSpec `json:"spec"`
	// Status is what was seen of the server last. Only the operator writes it.
	// +optional
	Status SparkConnectStatus `json:"status,omitzero"`
}

// SparkConnectList is a list of SparkConnects.
//
// +kubebuilder:object:root=true
type SparkConnectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SparkConnect `json:"items"`
}

// SparkConnectSpec says which server to run, with which Spark, and how.
type SparkConnectSpec struct {
	// SparkVersion is the version of Spark in the image, for example 4.3.0.
	// +kubebuilder:validation:XValidation:rule="size(self) > 0",message="name the version of Spark in the image, such as 4.3.0"
	SparkVersion string `json:"sparkVersion"`
	// Image is the container image of server and executors; one that a template names for Spark's container wins over it.
	// Default: the image that the operator is configured with.
	// +optional
	Image *string `json:"image,omitempty"`
	// HadoopConf are Hadoop's properties, without the prefix "spark.hadoop." under which Spark gets them.
	// +optional
	HadoopConf map[string]string `json:"hadoopConf,omitempty"`
	// SparkConf are Spark's properties. Fields of this specification win over them.
	// +optional
	SparkConf map[string]string `json:"sparkConf,omitempty"`
	// Server is the pod that clients connect to. It is the driver of all that they ask for.
	Server ServerSpec `json:"server"`
	// Executor is what the pods have in common that do the server's work.
	Executor ExecutorSpec `json:"executor"`
	// DynamicAllocation lets Spark ask for executors and give them back as the work needs.
	// +optional
	DynamicAllocation *v1beta2.DynamicAllocation `json:"dynamicAllocation,omitempty"`
}

// SparkPodSpec is what can be said of the server's pod and of the executors' pods alike.
type SparkPodSpec struct {
	// Cores is how many tasks run at once (spark.driver.cores, spark.executor.cores). Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Cores *int32 `json:"cores,omitempty"`
	// Memory is the heap of the JVM, in Spark's notation: 512m, 4g. Default: 1g. The pod gets an overhead on top.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+([kKmMgGtTpP]?[bB]|[kKmMgGtTpP])?$')",message="not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m"
	Memory *string `json:"memory,omitempty"`
	// Template is the pod that everything else is written into: for what has no field of its own here. The container
	// that Spark runs in is the one called spark-kubernetes-driver or spark-kubernetes-executor, else the first.
	// +optional
	Template *corev1.PodTemplateSpec `json:"template,omitempty"`
}

// ServerSpec is the server's pod, and the Service that it is reached by.
type ServerSpec struct {
	SparkPodSpec `json:",inline"`

	// Service is what the server's Service has beyond its ports: labels, annotations, its type and the like. Further
	// ports are added to Spark's.
	// +optional
	Service *corev1.Service `json:"service,omitempty"`
}

// ExecutorSpec is what the executors' pods have in common.
type ExecutorSpec struct {
	SparkPodSpec `json:",inline"`

	// Instances is how many executors the server gets. Default: 1. With dynamicAllocation it is how many it starts with,
	// if that is more than initialExecutors.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Instances *int32 `json:"instances,omitempty"`
}

// SparkConnectState says how far a server has come.
type SparkConnectState string

// The states of a server.
const (
	// SparkConnectStateNew is one that nothing was done for yet.
	SparkConnectStateNew SparkConnectState = ""
	// SparkConnectStateProvisioning is one whose first server is on its way.
	SparkConnectStateProvisioning SparkConnectState = "Provisioning"
	// SparkConnectStateReady is one that takes connections.
	SparkConnectStateReady SparkConnectState = "Ready"
	// SparkConnectStateNotReady is one that takes no connections at the moment, and will again.
	SparkConnectStateNotReady SparkConnectState = "NotReady"
	// SparkConnectStateFailed is one that cannot run before its specification is corrected.
	SparkConnectStateFailed SparkConnectState = "Failed"
)

// Types of the conditions in status.conditions.
const (
	// ConditionServerPodReady is True while the server takes connections. Where it is False it says what is waited for.
	ConditionServerPodReady = "ServerPodReady"
	// ConditionValid is False while the specification cannot be followed. A server that was made from an earlier one goes
	// on.
	ConditionValid = "Valid"
)

// SparkConnectStatus is what was seen of a server last.
type SparkConnectStatus struct {
	// Conditions say in Kubernetes' own words what state says.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchMergeKey=type
	// +patchStrategy=merge
	Conditions []metav1.Condition `json:"conditions,omitempty" patchMergeKey:"type" patchStrategy:"merge"`
	// State says how far the server has come.
	// +optional
	State SparkConnectState `json:"state,omitempty"`
	// Server is where the server is found.
	// +optional
	Server SparkConnectServerStatus `json:"server,omitzero"`
	// Executors counts the executors' pods by their phase: pending, running, succeeded, failed, unknown.
	// +optional
	Executors map[string]int `json:"executors,omitempty"`
	// StartTime is when the operator first did something for the server.
	// +optional
	StartTime metav1.Time `json:"startTime,omitzero"`
	// LastUpdateTime is when status was written last.
	// +optional
	LastUpdateTime metav1.Time `json:"lastUpdateTime,omitzero"`
	// Run counts the server's pods; the names of their executors are made of it, and it never goes back.
	// +optional
	Run int64 `json:"run,omitempty"`
	// RunStartTime is from when on the pod of the run may be made.
	// +optional
	RunStartTime metav1.Time `json:"runStartTime,omitzero"`
	// Restarts is how many servers in a row have ended by themselves soon after their start. The wait for the next grows
	// with it.
	// +optional
	Restarts int32 `json:"restarts,omitempty"`
	// ObservedGeneration is the generation that the rest of status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// SparkConnectServerStatus is where a server is found.
type SparkConnectServerStatus struct {
	// PodName is the name of the server's pod; empty while there is none.
	// +optional
	PodName string `json:"podName,omitempty"`
	// PodIP is the address of that pod.
	// +optional
	PodIP string `json:"podIp,omitempty"`
	// ServiceName is the name of the Service that the server is reached by.
	// +optional
	ServiceName string `json:"serviceName,omitempty"`
}
