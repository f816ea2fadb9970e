package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RootQueue is the name of the queue that all others are part of, whether there is an object for it or not.
const RootQueue = "root"

// DefaultFlavour is the flavour of all nodes where the root queue names none.
const DefaultFlavour = "default"

// Queue is a share of the cluster for which applications wait. Queues form a tree, by spec.parent: what one of them does
// not use its siblings may borrow, within limits, and give back when it is asked for. An application is in the queue that
// its label brazier.sh/queue names, or in the one that has its namespace in spec.namespaces. Who may put applications
// into a queue is whom RBAC allows the verb use on it.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=sq
// +kubebuilder:printcolumn:name=Parent,type=string,JSONPath=.spec.parent
// +kubebuilder:printcolumn:name=Running,type=integer,JSONPath=.status.running
// +kubebuilder:printcolumn:name=Waiting,type=integer,JSONPath=.status.waiting
// +kubebuilder:printcolumn:name=Share,type=string,JSONPath=.status.share
// +kubebuilder:printcolumn:name=Ready,type=string,JSONPath=.status.conditions[?(@.type=="Ready")].status
// +kubebuilder:printcolumn:name=Age,type=date,JSONPath=.metadata.creationTimestamp
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'root' || !has(self.spec.cluster)",message="spec.cluster is for the queue root, which all others are part of; move it there",fieldPath=".spec.cluster"
// +kubebuilder:validation:XValidation:rule="self.metadata.name != 'root' || !has(self.spec.parent)",message="root is part of no other queue; leave spec.parent out",fieldPath=".spec.parent"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.parent) || self.spec.parent != self.metadata.name",message="a queue cannot be part of itself; name another one or leave spec.parent out",fieldPath=".spec.parent"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="a queue's name is a label of applications; write at most 63 characters"
type Queue struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec QueueSpec `json:"spec"`
	// +optional
	Status QueueStatus `json:"status,omitzero"`
}

// QueueList is a list of Queues.
//
// +kubebuilder:object:root=true
type QueueList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Queue `json:"items"`
}

// QueueSpec says what a queue may use, and in which order its applications do.
type QueueSpec struct {
	// Parent is the queue that this one is part of. Default: root.
	// +optional
	// +kubebuilder:validation:MinLength=1
	Parent string `json:"parent,omitempty"`
	// Weight is how much the queue gets of what its parent shares out beyond guarantees, compared with its siblings' weights.
	// Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Weight *int32 `json:"weight,omitempty"`
	// Quotas are what the queue is guaranteed and limited to, for each flavour of node. A flavour without one is neither.
	// +optional
	// +listType=map
	// +listMapKey=flavour
	Quotas []Quota `json:"quotas,omitempty"`
	// Flavours say which nodes the queue's applications run on. Default: its parent's, and root's are all, in their order.
	// +optional
	Flavours *QueueFlavours `json:"flavours,omitempty"`
	// Order is in which order applications leave the queue: FIFO, by their age, or Priority, by brazier.sh/priority and then
	// by who has used less. It is the order of the queue's own applications; those of its parts have their own. Default: FIFO.
	// +optional
	// +kubebuilder:validation:Enum=FIFO;Priority
	Order QueueOrder `json:"order,omitempty"`
	// Priorities bound the priorities of the queue's applications.
	// +optional
	Priorities *Priorities `json:"priorities,omitempty"`
	// Namespaces are those whose applications are in this queue where they do not name one.
	// +optional
	// +listType=set
	Namespaces []string `json:"namespaces,omitempty"`
	// MaxRunning is how many applications of the queue and its parts may run at once. Default: as many as fit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxRunning *int32 `json:"maxRunning,omitempty"`
	// MaxWaiting is how many applications of the queue may wait; one more is refused. Default: as many as come.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxWaiting *int32 `json:"maxWaiting,omitempty"`
	// WaitTimeout is how long an application may wait before it fails, such as 12h. Default: for ever.
	// +optional
	WaitTimeout *metav1.Duration `json:"waitTimeout,omitempty"`
	// DriverPercent is how much of what the queue may use its drivers may take, in percent, so that not all of it is spent
	// on drivers without executors. One driver is let in always. Default: 100.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	DriverPercent *int32 `json:"driverPercent,omitempty"`
	// Users bound what each user of the queue may have in it.
	// +optional
	Users *UserLimits `json:"users,omitempty"`
	// Drain lets no application into the queue's share any more; those that run go on.
	// +optional
	Drain bool `json:"drain,omitempty"`
	// Reclaim says how what the queue has borrowed is taken back from it.
	// +optional
	Reclaim *Reclaim `json:"reclaim,omitempty"`
	// Cluster holds for all queues; the queue root alone has it.
	// +optional
	Cluster *ClusterShares `json:"cluster,omitempty"`
}

// Quota is what a queue is guaranteed and limited to on nodes of one flavour. Resources are named as pods request them:
// cpu, memory, nvidia.com/gpu.
type Quota struct {
	// Flavour is the flavour of nodes. Default: default.
	// +kubebuilder:default=default
	// +kubebuilder:validation:MinLength=1
	Flavour string `json:"flavour"`
	// Guaranteed is what the queue gets whenever it wants it. What its parts are guaranteed comes on top of it: what is
	// guaranteed to a queue that has parts is for any of them. Default: nothing.
	// +optional
	Guaranteed corev1.ResourceList `json:"guaranteed,omitempty"`
	// Limit is the most that the queue and its parts may use. Default: all there is.
	// +optional
	Limit corev1.ResourceList `json:"limit,omitempty"`
	// BorrowingLimit is the most that the queue and its parts may use beyond what they are guaranteed. Default: all there is.
	// +optional
	BorrowingLimit corev1.ResourceList `json:"borrowingLimit,omitempty"`
	// LendingLimit is how much of what the queue and its parts are guaranteed others may use while they do not. The rest is
	// theirs alone, idle or not. Default: all of it.
	// +optional
	LendingLimit corev1.ResourceList `json:"lendingLimit,omitempty"`
}

// QueueFlavours are flavours of nodes, those that are to be tried first before the others.
type QueueFlavours struct {
	// Drivers run on nodes of the first of these that has room.
	// +optional
	// +listType=atomic
	Drivers []string `json:"drivers,omitempty"`
	// Executors run on nodes of the first of these that has room, each by itself.
	// +optional
	// +listType=atomic
	Executors []string `json:"executors,omitempty"`
}

// QueueOrder is in which order applications leave a queue.
type QueueOrder string

// The orders of a queue.
const (
	// FIFO lets the oldest go first.
	FIFO QueueOrder = "FIFO"
	// ByPriority lets the highest priority go first; of equal ones that of the user who has used less lately.
	ByPriority QueueOrder = "Priority"
)

// Priorities bound the priorities of a queue's applications, which say it by the annotation brazier.sh/priority.
type Priorities struct {
	// Default is the priority of applications that do not say. Default: 0.
	// +optional
	Default int32 `json:"default,omitempty"`
	// Max is the highest; an application that wants more has this one. Default: no bound.
	// +optional
	Max *int32 `json:"max,omitempty"`
}

// UserLimits bound what each user may have in a queue. A user is whom the annotation brazier.sh/user of an application
// names; where there is none it is the application's namespace.
type UserLimits struct {
	// MaxRunning is how many applications of one user may run at once. Default: as many as fit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxRunning *int32 `json:"maxRunning,omitempty"`
	// MaxWaiting is how many may wait; one more is refused. Default: as many as come.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MaxWaiting *int32 `json:"maxWaiting,omitempty"`
	// Percent is how much of what the queue may use one user may, in percent. Default: 100.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Percent *int32 `json:"percent,omitempty"`
}

// Reclaim says how what a queue uses beyond its guarantee is taken back when others want their own.
type Reclaim struct {
	// Grace is how long an executor that has to go may take to hand over what it holds. Default: 2m.
	// +optional
	Grace *metav1.Duration `json:"grace,omitempty"`
	// Victims are what may be taken: Executors above the minimum of their application, or whole Applications where those are
	// not enough, which then wait again; or None. Default: Executors.
	// +optional
	// +kubebuilder:validation:Enum=None;Executors;Applications
	Victims Victims `json:"victims,omitempty"`
	// DeadZonePercent is by how much, in percent, the queue's share has to be above another's before anything is taken for
	// fairness alone, so that small differences are left alone. Guarantees are given back without it. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	DeadZonePercent *int32 `json:"deadZonePercent,omitempty"`
	// CoolDown is how long nothing more is taken from an application from which something was. Default: 30s.
	// +optional
	CoolDown *metav1.Duration `json:"coolDown,omitempty"`
}

// Victims are what may be taken back from a queue.
type Victims string

// What may be taken back.
const (
	VictimsNone         Victims = "None"
	VictimsExecutors    Victims = "Executors"
	VictimsApplications Victims = "Applications"
)

// ClusterShares is what holds for all queues.
type ClusterShares struct {
	// Flavours tell nodes apart. A node is of the first flavour whose labels it has. Default: one, called default, of all nodes.
	// +optional
	// +listType=map
	// +listMapKey=name
	Flavours []Flavour `json:"flavours,omitempty"`
	// Room says whether applications are let in only when nodes have room for them now, not only the queue's share. Flavours
	// that scale from zero are left out. Default: false.
	// +optional
	Room bool `json:"room,omitempty"`
	// Packing has executors prefer nodes that have executors already, so that others become empty and can be removed. The
	// scheduler weighs it against all else that it prefers. Default: false.
	// +optional
	Packing bool `json:"packing,omitempty"`
	// HalfLife is how long it takes until half of what a user has used is forgotten. Default: 24h.
	// +optional
	HalfLife *metav1.Duration `json:"halfLife,omitempty"`
	// ReclaimPercent is how much of the cluster may be taken back at once, in percent. Default: 10.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	ReclaimPercent *int32 `json:"reclaimPercent,omitempty"`
}

// Flavour is a kind of node.
type Flavour struct {
	// Name is what quotas call it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// NodeLabels are the labels that its nodes have. Pods are bound to them. Default: any node.
	// +optional
	NodeLabels map[string]string `json:"nodeLabels,omitempty"`
	// Tolerations are added to pods that are to run there.
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// Capacity is what there is of it, or may be where nodes come when they are wanted. Default: what the nodes that are
	// there can allocate, less what pods use that are in no queue.
	// +optional
	Capacity corev1.ResourceList `json:"capacity,omitempty"`
	// ScalesFromZero says that an autoscaler adds nodes when pods wait for them.
	// +optional
	ScalesFromZero bool `json:"scalesFromZero,omitempty"`
}

// QueueStatus is what a queue and its parts use and wait for.
type QueueStatus struct {
	// ObservedGeneration is the generation of the specification that the status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Running is how many applications run.
	// +optional
	Running int32 `json:"running,omitempty"`
	// Waiting is how many applications wait.
	// +optional
	Waiting int32 `json:"waiting,omitempty"`
	// Share is the queue's weighted dominant share of what there is beyond guarantees, such as 12.5%.
	// +optional
	Share string `json:"share,omitempty"`
	// Usage is what is used, for each flavour of node.
	// +optional
	// +listType=map
	// +listMapKey=flavour
	Usage []QueueUsage `json:"usage,omitempty"`
	// Conditions say whether the queue is in use, and why not.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ConditionQueueReady is True where applications of the queue are let in. Its reason says why not: its parent is not
// there, the tree has a circle, a flavour is not known, it is drained, or more is guaranteed than there is.
const ConditionQueueReady = "Ready"

// QueueUsage is what a queue and its parts use on nodes of one flavour.
type QueueUsage struct {
	Flavour string `json:"flavour"`
	// Guaranteed is what the queue and its parts are guaranteed together.
	// +optional
	Guaranteed corev1.ResourceList `json:"guaranteed,omitempty"`
	// Used is what their applications have.
	// +optional
	Used corev1.ResourceList `json:"used,omitempty"`
	// Borrowed is what they use beyond their guarantee.
	// +optional
	Borrowed corev1.ResourceList `json:"borrowed,omitempty"`
	// Lent is what others use of their guarantee, at most.
	// +optional
	Lent corev1.ResourceList `json:"lent,omitempty"`
	// Leaving is the part of what is used that is being given back.
	// +optional
	Leaving corev1.ResourceList `json:"leaving,omitempty"`
}
