package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"brazier.sh/brazier/api/v1beta2"
)

// ApplicationsResource is the name under which the API serves SparkApplications.
const ApplicationsResource = "sparkapplications"

// Applications returns a client of the API that serves SparkApplications. It knows their type, so that it spends no
// request on asking the server what it serves.
func Applications(config *rest.Config) (rest.Interface, error) {
	scheme := runtime.NewScheme()
	if err := v1beta2.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register SparkApplication: %w", err)
	}
	config = rest.CopyConfig(config)
	config.APIPath = "/apis"
	config.GroupVersion = &v1beta2.GroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", v1beta2.GroupVersion, err)
	}
	return client, nil
}
