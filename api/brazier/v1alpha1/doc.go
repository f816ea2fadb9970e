// Package v1alpha1 holds the Go types of version v1alpha1 of the API group brazier.sh, for which the API of SparkApplications
// has no word: the RunRecord, which keeps what was seen of a run after its pods are gone, and the Queue, in which
// applications wait for their share of the cluster.
//
// +kubebuilder:object:generate=true
// +groupName=brazier.sh
package v1alpha1
