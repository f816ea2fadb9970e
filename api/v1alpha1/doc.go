// Package v1alpha1 holds the Go types of version v1alpha1 of the API group sparkoperator.k8s.io: the SparkConnect kind, as
// existing manifests speak it, with the conditions and the run counter that Brazier adds to its status.
//
// As in package v1beta2, rules that a schema can state are markers on the types, and all others belong to internal/spark.
//
// +kubebuilder:object:generate=true
// +groupName=sparkoperator.k8s.io
package v1alpha1
