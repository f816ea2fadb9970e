package scene

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	brazier "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/kube"
)

// Names returns the names of the applications of a namespace, and of those of which there are only records. It is the
// server's error if the applications cannot be listed; records are a convenience.
func (s *Source) Names(ctx context.Context, namespace string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	var names []string
	err := s.each(ctx, namespace, v1beta2.GroupVersion.WithResource(kube.ApplicationsResource), func(object *metav1.PartialObjectMetadata) {
		names = append(names, object.Name)
	})
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	_ = s.each(ctx, namespace, brazier.GroupVersion.WithResource(kube.RecordsResource), func(object *metav1.PartialObjectMetadata) {
		if name := object.Labels[v1beta2.LabelAppName]; name != "" {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}

// each visits the metadata of all objects of a resource in a namespace.
func (s *Source) each(ctx context.Context, namespace string, resource schema.GroupVersionResource, visit func(*metav1.PartialObjectMetadata)) error {
	options := metav1.ListOptions{Limit: pageSize}
	for {
		list, err := s.names.Resource(resource).Namespace(namespace).List(ctx, options)
		if err != nil {
			return err
		}
		for i := range list.Items {
			visit(&list.Items[i])
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}
