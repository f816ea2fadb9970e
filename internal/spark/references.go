package spark

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkReferences finds Secrets and ConfigMaps in a role's pod whose names Kubernetes knows none by, above all those of
// another namespace. The API server takes any name here, and kubelet would look for it for ever.
func (p *planner) checkReferences(r role, pod *corev1.PodSpec) {
	check := func(kind, name string) {
		if name == "" || len(validation.IsDNS1123Subdomain(name)) == 0 {
			return
		}
		p.conf.errs = append(p.conf.errs, field.Invalid(r.path, name,
			fmt.Sprintf("is not the name of a %s; an application reaches those of its own namespace, by their names alone", kind)))
	}
	const secret, configMap = "Secret", "ConfigMap"
	for _, v := range pod.Volumes {
		if v.Secret != nil {
			check(secret, v.Secret.SecretName)
		}
		if v.ConfigMap != nil {
			check(configMap, v.ConfigMap.Name)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.Secret != nil {
				check(secret, source.Secret.Name)
			}
			if source.ConfigMap != nil {
				check(configMap, source.ConfigMap.Name)
			}
		}
	}
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		for _, env := range c.Env {
			if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
				check(secret, env.ValueFrom.SecretKeyRef.Name)
			}
			if env.ValueFrom != nil && env.ValueFrom.ConfigMapKeyRef != nil {
				check(configMap, env.ValueFrom.ConfigMapKeyRef.Name)
			}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				check(secret, from.SecretRef.Name)
			}
			if from.ConfigMapRef != nil {
				check(configMap, from.ConfigMapRef.Name)
			}
		}
	}
}
