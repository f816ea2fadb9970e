// Package addons puts into the API server what belongs to the embedded cluster and is no process: a default storage
// class, the API of metrics-server, and the rights of the processes that upstream's own roles do not cover.
package addons

import (
	"bytes"
	"context"
	_ "embed" // for the manifests
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

//go:embed addons.yaml
var manifests string

// fieldManager owns what is applied here.
const fieldManager = "brazier-cluster"

// Objects returns the objects, for a cluster whose servers are verified with ca.
func Objects(ca []byte) ([]*unstructured.Unstructured, error) {
	text := strings.NewReplacer(
		"$(CA)", base64.StdEncoding.EncodeToString(ca),
		"$(NODE_ADDRESS)", layout.NodeAddress,
		"$(METRICS_PORT)", fmt.Sprint(layout.MetricsPort),
		"$(KUBELET_CLIENT)", part.KubeletClientUser,
		"$(COREDNS)", part.CoreDNSUser,
		"$(METRICS_SERVER)", part.MetricsServerUser,
		"$(STORAGE_PROVISIONER)", part.StorageProvisionerUser,
	).Replace(manifests)
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read addons.yaml: %w", err)
		}
		objects = append(objects, object)
	}
}

// Apply applies the objects; those that are there already are brought up to date.
func Apply(ctx context.Context, c client.Client, ca []byte) error {
	objects, err := Objects(ca)
	if err != nil {
		return err
	}
	for _, object := range objects {
		err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(fieldManager), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}
