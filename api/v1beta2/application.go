package v1beta2

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SparkApplication is one Spark job: a driver and its executors, how they are submitted, and how often they are
// tried again.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=sparkapp,singular=sparkapplication
// +kubebuilder:metadata:annotations="api-approved.kubernetes.io=unapproved, the group is that of the manifests and clients that exist"
// +kubebuilder:printcolumn:name=Status,type=string,JSONPath=.status.applicationState.state
// +kubebuilder:printcolumn:name=Attempts,type=string,JSONPath=.status.executionAttempts
// +kubebuilder:printcolumn:name=Start,type=string,JSONPath=.status.lastSubmissionAttemptTime
// +kubebuilder:printcolumn:name=Finish,type=string,JSONPath=.status.terminationTime
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=.metadata.creationTimestamp
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",fieldPath=".metadata",message="the name is longer than the 63 characters that a label of its pods can hold; shorten it"
type SparkApplication struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to run and how.
	Spec SparkApplicationSpec `json:"spec"`
	// Status is what was seen of the application last. Only the operator writes it.
	// +optional
	Status SparkApplicationStatus `json:"status,omitzero"`
}

// SparkApplicationList is a list of SparkApplications.
//
// +kubebuilder:object:root=true
type SparkApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []SparkApplication `json:"items"`
}

// SparkApplicationSpec says what to run, with which Spark, and how.
//
// +kubebuilder:validation:XValidation:rule="!(self.type in ['Java', 'Scala']) || (has(self.mainClass) && size(self.mainClass) > 0)",fieldPath=".mainClass",reason=FieldValueRequired,messageExpression="'a ' + self.type + ' application needs the class with its main method, such as org.example.Main'"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || size(self.nodeSelector) == 0 || !has(self.driver.nodeSelector) || size(self.driver.nodeSelector) == 0",fieldPath=".nodeSelector",reason=FieldValueForbidden,message="spec.driver.nodeSelector is set as well; set spec.nodeSelector for all pods, or those of spec.driver and spec.executor"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || size(self.nodeSelector) == 0 || !has(self.executor.nodeSelector) || size(self.executor.nodeSelector) == 0",fieldPath=".nodeSelector",reason=FieldValueForbidden,message="spec.executor.nodeSelector is set as well; set spec.nodeSelector for all pods, or those of spec.driver and spec.executor"
type SparkApplicationSpec struct {
	// Suspend holds the application back, or stops it if it has been submitted. Setting it to false again submits
	// the application anew.
	// +optional
	// +kubebuilder:default=false
	Suspend bool `json:"suspend,omitempty"`
	// Type is the language that the application is written in.
	Type SparkApplicationType `json:"type"`
	// SparkVersion is the version of Spark in the image, for example 4.3.0. Objects are made as that version of
	// Spark would make them, or the nearest that is known, with a warning.
	// +kubebuilder:validation:XValidation:rule="size(self) > 0",message="name the version of Spark in the image, such as 4.3.0"
	SparkVersion string `json:"sparkVersion"`
	// Mode says where the driver runs. Default: cluster, in a pod of its own.
	// +optional
	Mode DeployMode `json:"mode,omitempty"`
	// ProxyUser is the user that the application acts as towards Hadoop services.
	// +optional
	ProxyUser string `json:"proxyUser,omitempty"`
	// Image is the container image of driver and executors; spec.driver.image and spec.executor.image win over it.
	// Default: the image that the operator is configured with.
	// +optional
	Image string `json:"image,omitempty"`
	// ImagePullPolicy says when the image is pulled. The property spark.kubernetes.container.image.pullPolicy wins over it.
	// Default: IfNotPresent, as Spark has it, whatever the image's tag.
	// +optional
	// +kubebuilder:validation:Enum={Always,IfNotPresent,Never}
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// ImagePullSecrets are names of Secrets in the application's namespace with credentials for the registry. The property
	// spark.kubernetes.container.image.pullSecrets wins over them.
	// +optional
	ImagePullSecrets []string `json:"imagePullSecrets,omitempty"`
	// MainClass is the class with the main method, fully qualified. Java and Scala applications need it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	MainClass string `json:"mainClass,omitempty"`
	// MainApplicationFile is the jar, Python or R file to run, as a URI: local:///path for a file in the image,
	// otherwise one that Spark can download, such as s3a://bucket/job.py.
	// +kubebuilder:validation:XValidation:rule="size(self) > 0",message="name the jar, Python or R file to run, such as local:///opt/spark/work-dir/job.py or s3a://bucket/job.py"
	MainApplicationFile string `json:"mainApplicationFile"`
	// Arguments are passed to the application as they are.
	// +optional
	Arguments []string `json:"arguments,omitempty"`
	// SparkConf are Spark's properties. Fields of this specification win over them, but for those that say otherwise, as they
	// always did in this API.
	// +optional
	SparkConf map[string]string `json:"sparkConf,omitempty"`
	// HadoopConf are Hadoop's properties, without the prefix "spark.hadoop." under which Spark gets them.
	// +optional
	HadoopConf map[string]string `json:"hadoopConf,omitempty"`
	// SparkConfigMap is the name of a ConfigMap with files of Spark's configuration directory, such as
	// log4j2.properties. It is mounted into driver and executors.
	// +optional
	SparkConfigMap string `json:"sparkConfigMap,omitempty"`
	// HadoopConfigMap is the name of a ConfigMap with files of Hadoop's configuration directory, such as
	// core-site.xml. It is mounted into driver and executors.
	// +optional
	HadoopConfigMap string `json:"hadoopConfigMap,omitempty"`
	// Volumes are the volumes that volumeMounts of driver and executor name.
	// +optional
	Volumes []corev1.Volume `json:"volumes,omitempty"`
	// Driver is the pod that runs the application's main program.
	Driver DriverSpec `json:"driver"`
	// Executor is what the pods have in common that do the driver's work.
	Executor ExecutorSpec `json:"executor"`
	// Deps are the files, jars and packages that the application needs beside its main file.
	// +optional
	Deps Dependencies `json:"deps,omitzero"`
	// RestartPolicy says whether an application that has ended is run again.
	// +optional
	RestartPolicy RestartPolicy `json:"restartPolicy,omitzero"`
	// NodeSelector are labels of the nodes that driver and executors may run on. Either it is set here or in
	// spec.driver and spec.executor, not in both.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// FailureRetries is the older form of restartPolicy.onFailureRetries, which wins over it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	FailureRetries *int32 `json:"failureRetries,omitempty"`
	// RetryInterval is the older form of restartPolicy.onFailureRetryInterval, in seconds, which wins over it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RetryInterval *int64 `json:"retryInterval,omitempty"`
	// PythonVersion is the major version of Python in the image. No Spark since 3.0 runs Python 2.
	// +optional
	// +kubebuilder:validation:Enum={"2","3"}
	PythonVersion string `json:"pythonVersion,omitempty"`
	// MemoryOverheadFactor is the share of a pod's memory that is added to it for what is not heap, as a decimal
	// number. spec.driver.memoryOverhead and spec.executor.memoryOverhead win over it, and so does the property
	// spark.kubernetes.memoryOverheadFactor.
	// Default: 0.10 for Java and Scala, 0.40 for Python and R.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+[.]?[0-9]*|[.][0-9]+)$') && double(self) > 0.0",message="not a share; write a decimal number above 0, such as \"0.2\""
	MemoryOverheadFactor string `json:"memoryOverheadFactor,omitempty"`
	// Monitoring says which metrics driver and executors expose.
	// +optional
	Monitoring *MonitoringSpec `json:"monitoring,omitempty"`
	// BatchScheduler is the name of the scheduler that places driver and executors together.
	// +optional
	BatchScheduler string `json:"batchScheduler,omitempty"`
	// BatchSchedulerOptions are what that scheduler is told of the application.
	// +optional
	BatchSchedulerOptions *BatchSchedulerConfiguration `json:"batchSchedulerOptions,omitempty"`
	// TimeToLiveSeconds is how long after its end the application is deleted, in seconds. Default: never.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TimeToLiveSeconds *int64 `json:"timeToLiveSeconds,omitempty"`
	// SparkUIOptions shape the Service, and the Ingress if there is one, of the driver's web interface.
	// +optional
	SparkUIOptions *SparkUIConfiguration `json:"sparkUIOptions,omitempty"`
	// DriverIngressOptions expose further ports of the driver, each by a Service and an Ingress.
	// +optional
	DriverIngressOptions []DriverIngressConfiguration `json:"driverIngressOptions,omitempty"`
	// DynamicAllocation lets Spark ask for executors and give them back as the work needs.
	// +optional
	DynamicAllocation *DynamicAllocation `json:"dynamicAllocation,omitempty"`
	// DriverPodDisruptionBudget keeps voluntary evictions, such as the drain of a node, from ending the driver.
	// Default: false.
	// +optional
	DriverPodDisruptionBudget bool `json:"driverPodDisruptionBudget,omitempty"`
}

// SparkApplicationType is the language that an application is written in.
//
// +kubebuilder:validation:Enum={Java,Python,Scala,R}
type SparkApplicationType string

// The languages that an application can be written in.
const (
	SparkApplicationTypeJava   SparkApplicationType = "Java"
	SparkApplicationTypeScala  SparkApplicationType = "Scala"
	SparkApplicationTypePython SparkApplicationType = "Python"
	SparkApplicationTypeR      SparkApplicationType = "R"
)

// DeployMode says where an application's driver runs.
//
// +kubebuilder:validation:Enum={cluster,client}
type DeployMode string

// The places where a driver can run.
const (
	// DeployModeCluster runs the driver in a pod of its own.
	DeployModeCluster DeployMode = "cluster"
	// DeployModeClient runs the driver in the process that submits it.
	DeployModeClient DeployMode = "client"
)
