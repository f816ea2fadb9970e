package install

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldManager is Brazier's name in server-side apply, for what it does beside the chart.
const fieldManager = "brazier"

// systemNamespace is the operator's. Nothing else runs in it, so that it can be held to the strictest standard. A chart cannot
// have the namespace that it is installed in.
func systemNamespace(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{
			"app.kubernetes.io/name": "brazier", "app.kubernetes.io/managed-by": "brazier", "pod-security.kubernetes.io/enforce": "restricted",
		}},
	}}
}

func ours(namespace *unstructured.Unstructured) bool {
	return namespace.GetLabels()["app.kubernetes.io/managed-by"] == "brazier"
}

// planSystemNamespace has the namespace made, unless somebody else has made it.
func (i *Installer) planSystemNamespace(ctx context.Context, p *plan) error {
	wanted := systemNamespace(i.namespace)
	live, err := i.live(ctx, wanted)
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	if apierrors.IsForbidden(err) || live != nil && !ours(live) {
		return nil // Somebody else's; one who may not even read it certainly does not make it.
	}
	change, err := i.compare(ctx, wanted)
	if err != nil {
		return err
	}
	p.system = wanted
	p.changes = append(p.changes, change)
	return nil
}

func (i *Installer) applySystemNamespace(ctx context.Context, p *plan) error {
	if p.system == nil {
		return nil
	}
	err := i.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(p.system), client.FieldOwner(fieldManager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("apply %s: %w", describe(p.system), err)
	}
	return nil
}

// systemNamespaceToRemove returns the operator's namespace if Brazier has made it and nobody has put anything else there.
func (i *Installer) systemNamespaceToRemove(ctx context.Context) (*unstructured.Unstructured, error) {
	live, err := i.live(ctx, systemNamespace(i.namespace))
	if apierrors.IsForbidden(err) || err == nil && (live == nil || !ours(live)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	strangers, err := i.strangers(ctx)
	if err != nil || strangers != "" {
		return nil, err
	}
	return live, nil
}

// strangers names one of the things in the operator's namespace that are not Brazier's, if there is any.
func (i *Installer) strangers(ctx context.Context) (string, error) {
	known := func(object client.Object) bool {
		labels := object.GetLabels()
		return labels["app.kubernetes.io/name"] == "brazier" || labels["owner"] == "helm" && labels["name"] == releaseName ||
			object.GetName() == "kube-root-ca.crt"
	}
	for _, list := range []client.ObjectList{
		new(corev1.PodList), new(corev1.ConfigMapList), new(corev1.SecretList), new(corev1.ServiceList), new(corev1.PersistentVolumeClaimList),
	} {
		if err := i.client.List(ctx, list, client.InNamespace(i.namespace)); err != nil {
			return "", fmt.Errorf("look at what is in the namespace %s: %w", i.namespace, err)
		}
		objects, err := apimeta.ExtractList(list)
		if err != nil {
			return "", fmt.Errorf("look at what is in the namespace %s: %w", i.namespace, err)
		}
		for _, object := range objects {
			if found, ok := object.(client.Object); ok && !known(found) {
				return found.GetName(), nil
			}
		}
	}
	return "", nil
}
