package install

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/crds"
)

// Namespace is where the operator lives.
const Namespace = "brazier-system"

const (
	operatorName = "brazier-operator"
	configKey    = "config.yaml"
	configFolder = "/etc/brazier"
	// configAnnotation changes with the configuration, so that the operator is restarted with it.
	configAnnotation = "brazier.sh/config-hash"

	operatorUser = 65532
	healthPort   = 8081
	metricsPort  = 8443

	memoryLimit = 512 << 20
	// goMemory is what of it the Go runtime aims to stay below; the rest is for what it does not count.
	goMemory = memoryLimit * 9 / 10
)

// labels are those of every object that is installed.
func labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "brazier", "app.kubernetes.io/managed-by": "brazier"}
}

func selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "brazier", "app.kubernetes.io/component": "operator"}
}

func operatorLabels() map[string]string {
	all := labels()
	all["app.kubernetes.io/component"] = "operator"
	return all
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels()}
}

// definitions returns the definitions of Brazier's kinds.
func definitions() ([]*unstructured.Unstructured, error) {
	files, err := fs.Glob(crds.FS, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list definitions: %w", err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		text, err := crds.FS.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read definition: %w", err)
		}
		definition := new(unstructured.Unstructured)
		if err := yaml.Unmarshal(text, &definition.Object); err != nil {
			return nil, fmt.Errorf("parse definition %s: %w", file, err)
		}
		all = append(all, definition)
	}
	return all, nil
}

// systemNamespace is the operator's. Nothing else runs in it, so that it can be held to the strictest standard.
func systemNamespace() *corev1.Namespace {
	namespace := &corev1.Namespace{ObjectMeta: meta("", Namespace)}
	namespace.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	return namespace
}

// operatorObjects returns the operator's objects in the order in which they are applied.
func operatorObjects(opts Options) ([]runtime.Object, error) {
	config, err := yaml.Marshal(opts.Config)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	objects := []runtime.Object{
		&corev1.ServiceAccount{ObjectMeta: meta(Namespace, operatorName)},
		&corev1.ConfigMap{ObjectMeta: meta(Namespace, operatorName), Data: map[string]string{configKey: string(config)}},
	}
	objects = append(objects, operatorRBAC()...)
	objects = append(objects, userRoles()...)
	return append(objects, deployment(opts.Image, config)), nil
}

func deployment(image string, config []byte) *appsv1.Deployment {
	sum := sha256.Sum256(config)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: operatorName, Labels: operatorLabels()},
		Spec: appsv1.DeploymentSpec{
			// The one replica leads until it has ended, so that two of different configurations never both decide.
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: selector()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{
					Labels:      operatorLabels(),
					Annotations: map[string]string{configAnnotation: hex.EncodeToString(sum[:8])},
				},
				Spec: corev1.PodSpec{
					ServiceAccountName:            operatorName,
					TerminationGracePeriodSeconds: new(int64(10)),
					EnableServiceLinks:            new(false),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot:   new(true),
						RunAsUser:      new(int64(operatorUser)),
						RunAsGroup:     new(int64(operatorUser)),
						SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
					},
					Containers: []corev1.Container{container(image)},
					Volumes: []corev1.Volume{{
						Name: "config",
						VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
							LocalObjectReference: corev1.LocalObjectReference{Name: operatorName},
						}},
					}},
				},
			},
		},
	}
}

func container(image string) corev1.Container {
	return corev1.Container{
		Name:  "operator",
		Image: image,
		Args:  []string{"operator", "--config", configFolder + "/" + configKey},
		Env:   []corev1.EnvVar{{Name: "GOMEMLIMIT", Value: fmt.Sprint(int64(goMemory))}},
		Ports: []corev1.ContainerPort{
			{Name: "metrics", ContainerPort: metricsPort, Protocol: corev1.ProtocolTCP},
			{Name: "health", ContainerPort: healthPort, Protocol: corev1.ProtocolTCP},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("50m"),
				corev1.ResourceMemory: resource.MustParse("64Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(memoryLimit, resource.BinarySI)},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false),
			ReadOnlyRootFilesystem:   new(true),
			Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		LivenessProbe:            probe("/healthz", 10),
		ReadinessProbe:           probe("/readyz", 2),
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		VolumeMounts:             []corev1.VolumeMount{{Name: "config", MountPath: configFolder, ReadOnly: true}},
	}
}

func probe(path string, period int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString("health"), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds: period,
	}
}

// clean returns the object as server-side apply wants it: only what is meant, without what encoding adds.
func clean(object runtime.Object) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(object, clientgoscheme.Scheme)
	if err != nil {
		return nil, fmt.Errorf("find the kind of %T: %w", object, err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", gvk.Kind, err)
	}
	plain := &unstructured.Unstructured{Object: fields}
	plain.SetGroupVersionKind(gvk)
	for _, path := range []string{
		"status", "metadata.creationTimestamp",
		"spec.strategy", "spec.template.metadata.creationTimestamp", // a Deployment's
	} {
		removeEmpty(plain.Object, strings.Split(path, "."))
	}
	return plain, nil
}

// removeEmpty removes the field at path if there is nothing in it.
func removeEmpty(fields map[string]any, path []string) {
	value, found, err := unstructured.NestedFieldNoCopy(fields, path...)
	if err != nil || !found {
		return // there is no such field in this kind
	}
	if object, isObject := value.(map[string]any); value == nil || isObject && len(object) == 0 {
		unstructured.RemoveNestedField(fields, path...)
	}
}

// sortedNamespaces returns the namespaces that applications run in, each once.
func sortedNamespaces(opts Options) []string {
	return slices.Compact(slices.Sorted(slices.Values(opts.Namespaces)))
}
