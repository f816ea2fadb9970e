package spark

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// Where the driver finds the template of its executors: Constants.scala of Spark's Kubernetes module.
const (
	templateVolume = "pod-template-volume"
	templateDir    = "/opt/spark/pod-template"
	templateFile   = "pod-spec-template.yml"
	templateKey    = "podspec-configmap-key"
)

// executorAccount is the service account of executors, which is their driver's where it is not said.
const executorAccount = "spark.kubernetes.authenticate.executor.serviceAccountName"

// executorPod is the pod that Spark's driver writes each executor into. It carries what the API says of executors but
// Spark has no property for: there is no webhook to add it later. What the driver itself sets, it sets over this
// (BasicExecutorFeatureStep): name, image, CPU, memory, restart policy, hostname. Spark's container is the first.
func (p *planner) executorPod() *corev1.Pod {
	role := executorRole(p.app)
	base, spark := p.base(role)
	p.ownEnv(role, spark)
	p.secure(role, &base.Spec, spark)
	if base.Spec.AutomountServiceAccountToken == nil && base.Spec.ServiceAccountName == "" && !p.conf.has(executorAccount) {
		no := false // an executor talks to its driver; one with an account of its own may mean to do more
		base.Spec.AutomountServiceAccountToken = &no
	}
	base.Spec.Containers = append([]corev1.Container{*spark}, base.Spec.Containers...)
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Labels: base.Labels, Annotations: base.Annotations, Finalizers: base.Finalizers},
		Spec:       base.Spec,
	}
}

// executorTemplate is the ConfigMap with the executors' pod.
func (p *planner) executorTemplate(pod *corev1.Pod) (*corev1.ConfigMap, error) {
	text, err := yaml.Marshal(pod)
	if err != nil {
		return nil, fmt.Errorf("write the executors' pod template: %w", err)
	}
	return p.configMap(p.names.template, map[string]string{templateKey: string(text)}, nil), nil
}

// executorTemplateVolume follows PodTemplateConfigMapStep.
func (p *planner) executorTemplateVolume(pod *corev1.PodSpec, spark *corev1.Container) {
	addVolume(pod, corev1.Volume{Name: templateVolume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: p.names.template},
		Items:                []corev1.KeyToPath{{Key: templateKey, Path: templateFile}},
	}}})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: templateVolume, MountPath: templateDir})
}

// executorTemplateProperties tell the driver where the template is. Its container is named, because Spark otherwise
// takes the first, which may be a sidecar.
func (p *planner) executorTemplateProperties() map[string]string {
	return map[string]string{
		"spark.kubernetes.executor.podTemplateFile":          templateDir + "/" + templateFile,
		"spark.kubernetes.executor.podTemplateContainerName": v1beta2.ExecutorContainerName,
	}
}
