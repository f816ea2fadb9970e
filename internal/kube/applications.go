package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	recordv1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// ApplicationsResource is the name under which the API serves SparkApplications.
const ApplicationsResource = "sparkapplications"

// SchedulesResource is the name under which the API serves ScheduledSparkApplications, beside SparkApplications.
const SchedulesResource = "scheduledsparkapplications"

// ConnectsResource is the name under which the API serves SparkConnects.
const ConnectsResource = "sparkconnects"

// Applications returns a client of the API that serves SparkApplications.
func Applications(config *rest.Config) (rest.Interface, error) {
	return clientOf(config, v1beta2.GroupVersion, v1beta2.AddToScheme)
}

// Connects returns a client of the API that serves SparkConnects.
func Connects(config *rest.Config) (rest.Interface, error) {
	return clientOf(config, v1alpha1.GroupVersion, v1alpha1.AddToScheme)
}

// RecordsResource is the name under which the API serves RunRecords.
const RecordsResource = "runrecords"

// Records returns a client of the API that serves RunRecords.
func Records(config *rest.Config) (rest.Interface, error) {
	return clientOf(config, recordv1.GroupVersion, recordv1.AddToScheme)
}

// QueuesResource is the name under which the API serves Queues, which are in no namespace.
const QueuesResource = "queues"

// Queues returns a client of the API that serves Queues.
func Queues(config *rest.Config) (rest.Interface, error) {
	return clientOf(config, recordv1.GroupVersion, recordv1.AddToScheme)
}

// clientOf returns a client of one version of our API. It knows the version's types, so that it spends no request on
// asking the server what it serves.
func clientOf(config *rest.Config, version schema.GroupVersion, register func(*runtime.Scheme) error) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := register(scheme); err != nil {
		return nil, fmt.Errorf("register %s: %w", version, err)
	}
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	config.GroupVersion = &version
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", version, err)
	}
	return client, nil
}
