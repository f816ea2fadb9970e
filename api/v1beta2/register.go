package v1beta2

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of the kinds in this package.
const GroupName = "sparkoperator.k8s.io"

// SparkApplicationKind is the kind of SparkApplication, for owner references and unstructured clients.
const SparkApplicationKind = "SparkApplication"

// ScheduledSparkApplicationKind is the kind of ScheduledSparkApplication.
const ScheduledSparkApplicationKind = "ScheduledSparkApplication"

var (
	// GroupVersion is the group and version of the kinds in this package.
	GroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1beta2"}

	// SchemeBuilder collects what AddToScheme registers.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the kinds in this package with a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Resource returns the group resource of the plural resource name, as errors and RBAC rules name it.
func Resource(resource string) schema.GroupResource {
	return GroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&SparkApplication{}, &SparkApplicationList{},
		&ScheduledSparkApplication{}, &ScheduledSparkApplicationList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
