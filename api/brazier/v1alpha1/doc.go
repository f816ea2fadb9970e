// Package v1alpha1 holds the Go types of version v1alpha1 of the API group brazier.sh: what the API of SparkApplications
// has no word for. So far that is the RunRecord, which keeps what was seen of a run after its pods are gone.
//
// +kubebuilder:object:generate=true
// +groupName=brazier.sh
package v1alpha1
