package v1beta2

import corev1 "k8s.io/api/core/v1"

// SparkPodSpec is what can be said of the driver's pod and of the executors' pods alike.
type SparkPodSpec struct {
	// Template is the pod that everything else is written into: for what has no field of its own here. The container
	// that Spark runs in is its first one, or the one that the properties spark.kubernetes.driver.podTemplateContainerName
	// and spark.kubernetes.executor.podTemplateContainerName name.
	// +optional
	Template *corev1.PodTemplateSpec `json:"template,omitempty"`
	// Cores is how many tasks run at once (spark.driver.cores, spark.executor.cores). Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Cores *int32 `json:"cores,omitempty"`
	// CoreLimit is the most CPU that the container gets, as a Kubernetes quantity such as 1200m. Default: no limit.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",message="not an amount of CPU; write cores or thousandths of one, such as 1.5 or 500m"
	CoreLimit string `json:"coreLimit,omitempty"`
	// CoreRequest is the CPU that is set aside for the container, as a Kubernetes quantity such as 500m.
	// Default: cores.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).isGreaterThan(quantity('0'))",message="not an amount of CPU; write cores or thousandths of one, such as 1.5 or 500m"
	CoreRequest string `json:"coreRequest,omitempty"`
	// Memory is the heap of the JVM, in Spark's notation: 512m, 4g. Default: 1g. The pod gets memoryOverhead on top.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+([kKmMgGtTpP]?[bB]|[kKmMgGtTpP])?$')",message="not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m"
	Memory string `json:"memory,omitempty"`
	// MemoryLimit is the most memory that the container gets, in Spark's notation or as a Kubernetes quantity.
	// Default: memory with memoryOverhead.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+([kKmMgGtTpP]?[bB]|[kKmMgGtTpP])?$') || isQuantity(self)",message="not a size; write a whole number and a unit, such as 2g or 2Gi"
	MemoryLimit string `json:"memoryLimit,omitempty"`
	// MemoryOverhead is the memory beside the heap, in Spark's notation; a number without a unit is MiB.
	// Default: by spec.memoryOverheadFactor, at least 384 MiB.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]+([kKmMgGtTpP]?[bB]|[kKmMgGtTpP])?$')",message="not a size that Spark reads; write a whole number and a unit, such as 1g or 1024m"
	MemoryOverhead string `json:"memoryOverhead,omitempty"`
	// GPU is the kind and number of accelerators that the container gets.
	// +optional
	GPU *GPUSpec `json:"gpu,omitempty"`
	// Image is the container image. Default: spec.image.
	// +optional
	Image string `json:"image,omitempty"`
	// ConfigMaps are mounted into the container.
	// +optional
	ConfigMaps []NamePath `json:"configMaps,omitempty"`
	// Secrets are mounted into the container.
	// +optional
	Secrets []SecretInfo `json:"secrets,omitempty"`
	// Env are environment variables of the container.
	// +optional
	Env []corev1.EnvVar `json:"env,omitempty"`
	// EnvVars are environment variables of the container, name to value. Deprecated: env says the same and more.
	// +optional
	EnvVars map[string]string `json:"envVars,omitempty"`
	// EnvFrom are ConfigMaps and Secrets, each of whose keys becomes an environment variable.
	// +optional
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`
	// EnvSecretKeyRefs are environment variables whose values are keys of Secrets. Deprecated: env says the same.
	// +optional
	EnvSecretKeyRefs map[string]NameKey `json:"envSecretKeyRefs,omitempty"`
	// Labels are added to the pod's.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations are added to the pod's.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// VolumeMounts are where the container sees volumes of spec.volumes.
	// +optional
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`
	// Affinity is which nodes and neighbours the pod prefers or needs.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// Tolerations are the taints of nodes that the pod puts up with.
	// +optional
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// PodSecurityContext is the security context of the pod.
	// +optional
	PodSecurityContext *corev1.PodSecurityContext `json:"podSecurityContext,omitempty"`
	// SecurityContext is the security context of the container.
	// +optional
	SecurityContext *corev1.SecurityContext `json:"securityContext,omitempty"`
	// SchedulerName is the scheduler that places the pod. Default: the cluster's own.
	// +optional
	SchedulerName string `json:"schedulerName,omitempty"`
	// Sidecars are containers that run beside Spark's. The application has ended when Spark's container has,
	// whatever they still do.
	// +optional
	Sidecars []corev1.Container `json:"sidecars,omitempty"`
	// InitContainers run to completion before Spark's container starts.
	// +optional
	InitContainers []corev1.Container `json:"initContainers,omitempty"`
	// HostNetwork puts the pod into the network of its node. Default: false.
	// +optional
	HostNetwork *bool `json:"hostNetwork,omitempty"`
	// NodeSelector are labels of the nodes that the pod may run on. It excludes spec.nodeSelector.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// DNSConfig are the pod's settings of name resolution.
	// +optional
	DNSConfig *corev1.PodDNSConfig `json:"dnsConfig,omitempty"`
	// TerminationGracePeriodSeconds is how long the pod may take to stop, in seconds. Default: 30, as Kubernetes has it.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
	// ServiceAccount is the name of the pod's service account. The driver's must be allowed to create pods. Executors have their
	// driver's where they name none, but then no token for the API server, for which they have no use.
	// +optional
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// HostAliases are added to the pod's /etc/hosts.
	// +optional
	HostAliases []corev1.HostAlias `json:"hostAliases,omitempty"`
	// ShareProcessNamespace lets the pod's containers see each other's processes. Default: false.
	// +optional
	ShareProcessNamespace *bool `json:"shareProcessNamespace,omitempty"`
	// JavaOptions are options of the JVM, separated by spaces. Heap sizes and Spark's properties are not among them.
	// +optional
	JavaOptions string `json:"javaOptions,omitempty"`
	// Lifecycle are hooks that run after the container's start and before its stop.
	// +optional
	Lifecycle *corev1.Lifecycle `json:"lifecycle,omitempty"`
	// Ports are ports of the container beside Spark's own.
	// +optional
	Ports []Port `json:"ports,omitempty"`
	// PriorityClassName is the name of the pod's PriorityClass.
	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// RuntimeClassName is the name of the RuntimeClass that runs the pod.
	// +optional
	RuntimeClassName string `json:"runtimeClassName,omitempty"`
}

// DriverSpec is the pod that runs the application's main program.
type DriverSpec struct {
	SparkPodSpec `json:",inline"`

	// PodName is the name of the driver's pod. Default: the application's name with "-driver" after it.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="not a pod's name; write lower-case letters, digits, '-' and '.', such as sales-driver"
	PodName string `json:"podName,omitempty"`
	// KubernetesMaster is the URL of the API server that the driver makes its executors on.
	// Default: https://kubernetes.default.svc.
	// +optional
	KubernetesMaster string `json:"kubernetesMaster,omitempty"`
	// ServiceAnnotations are added to the headless Service by which executors reach the driver.
	// +optional
	ServiceAnnotations map[string]string `json:"serviceAnnotations,omitempty"`
	// ServiceLabels are added to the headless Service by which executors reach the driver.
	// +optional
	ServiceLabels map[string]string `json:"serviceLabels,omitempty"`
}

// ExecutorSpec is what the executors' pods have in common.
type ExecutorSpec struct {
	SparkPodSpec `json:",inline"`

	// Instances is how many executors the application gets. Default: 1. With dynamicAllocation it is how many it
	// starts with, if that is more than initialExecutors.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Instances *int32 `json:"instances,omitempty"`
	// DeleteOnTermination deletes executors' pods when they have ended. Default: true.
	// +optional
	DeleteOnTermination *bool `json:"deleteOnTermination,omitempty"`
}

// GPUSpec is a kind and a number of accelerators.
type GPUSpec struct {
	// Name is the resource that the node's device plugin offers, such as nvidia.com/gpu.
	Name string `json:"name"`
	// Quantity is how many of them each pod gets.
	// +kubebuilder:validation:Minimum=0
	Quantity int64 `json:"quantity"`
}

// NamePath is a ConfigMap and where it is mounted.
type NamePath struct {
	// Name is the name of the ConfigMap, in the application's namespace.
	Name string `json:"name"`
	// Path is the directory in the container in which its keys appear as files.
	Path string `json:"path"`
}

// NameKey is a key of a Secret.
type NameKey struct {
	// Name is the name of the Secret, in the application's namespace.
	Name string `json:"name"`
	// Key is the key in it.
	Key string `json:"key"`
}

// SecretInfo is a Secret, where it is mounted, and what it is for.
type SecretInfo struct {
	// Name is the name of the Secret, in the application's namespace.
	Name string `json:"name"`
	// Path is the directory in the container in which its keys appear as files.
	Path string `json:"path"`
	// Type is what the Secret holds.
	Type SecretType `json:"secretType"`
}

// SecretType is what a mounted Secret holds, by which more than mounting it can be done.
//
// +kubebuilder:validation:Enum={GCPServiceAccount,HadoopDelegationToken,Generic}
type SecretType string

// What a mounted Secret can hold.
const (
	// SecretTypeGCPServiceAccount is the key of a Google service account, in the file key.json.
	// GOOGLE_APPLICATION_CREDENTIALS points to it.
	SecretTypeGCPServiceAccount SecretType = "GCPServiceAccount" //nolint:gosec // what a Secret is for, not a secret
	// SecretTypeHadoopDelegationToken is a Hadoop delegation token, in the file hadoop.token.
	// HADOOP_TOKEN_FILE_LOCATION points to it.
	SecretTypeHadoopDelegationToken SecretType = "HadoopDelegationToken"
	// SecretTypeGeneric is anything else: it is mounted, no more.
	SecretTypeGeneric SecretType = "Generic"
)

// Port is a port of a container.
type Port struct {
	// Name is the port's name, at most 15 characters.
	// +kubebuilder:validation:MaxLength=15
	Name string `json:"name"`
	// Protocol is TCP, UDP or SCTP.
	// +kubebuilder:validation:Enum={TCP,UDP,SCTP}
	Protocol string `json:"protocol"`
	// ContainerPort is the port's number.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ContainerPort int32 `json:"containerPort"`
}
