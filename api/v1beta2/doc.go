// Package v1beta2 holds the Go types of version v1beta2 of the API group sparkoperator.k8s.io: the SparkApplication
// kind, as existing manifests, schedulers and dashboards speak it, with the conditions and the run counter that
// Brazier adds to its status.
//
// The package describes objects and nothing else. Rules that a schema can state are markers on the types, from which
// the custom resource definitions in api/crds are generated. Rules that need more than one object, or the version of
// Spark, belong to internal/spark; defaults that depend on the platform do as well.
//
// +kubebuilder:object:generate=true
// +groupName=sparkoperator.k8s.io
package v1beta2
