package spark

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// ownConfDir is where spec.sparkConfigMap is mounted. Spark's own configuration directory holds the run's properties.
const ownConfDir = "/etc/spark/conf"

// role is one of the two things that a pod of Spark can be, and what the specification says of it.
type role struct {
	name      string
	container string
	spec      *v1beta2.SparkPodSpec
	path      *field.Path
}

func driverRole(app *v1beta2.SparkApplication) role {
	return role{name: "driver", container: v1beta2.DriverContainerName, spec: &app.Spec.Driver.SparkPodSpec, path: field.NewPath("spec", "driver")}
}

func executorRole(app *v1beta2.SparkApplication) role {
	return role{name: "executor", container: v1beta2.ExecutorContainerName, spec: &app.Spec.Executor.SparkPodSpec, path: field.NewPath("spec", "executor")}
}

// base is the pod of a role before Spark's steps: the application's template, and what the API has fields for but
// spark-submit has no properties for. Spark's container is returned apart from the others.
func (p *planner) base(r role) (corev1.PodTemplateSpec, *corev1.Container) {
	template := corev1.PodTemplateSpec{}
	if r.spec.Template != nil {
		template = *r.spec.Template.DeepCopy()
	}
	spark := p.takeSparkContainer(r, &template.Spec)
	spec := r.spec.DeepCopy()

	if template.Spec.EnableServiceLinks == nil {
		// Kubernetes otherwise puts every Service of the namespace into the environment, and each application has one
		// for its web interface: with some thousand of them the container's command line is too long to start.
		no := false
		template.Spec.EnableServiceLinks = &no
	}
	placement(&template.Spec, spec)
	containers(&template.Spec, spec)
	sparkContainer(spark, spec)
	p.volumes(r, &template.Spec, spark)
	p.trustVolume(&template.Spec, spark)
	p.metrics(r, &template.Spec, spark)
	return template, spark
}

// takeSparkContainer removes from pod the container that Spark runs in: the one that a property names, the one with
// the name that Spark gives it, else the first (KubernetesUtils.selectSparkContainer). Spark would keep the template's
// name for it; here it always gets Spark's own, because clients read logs and results by that.
func (p *planner) takeSparkContainer(r role, pod *corev1.PodSpec) *corev1.Container {
	key := "spark.kubernetes." + r.name + ".podTemplateContainerName"
	named := p.conf.get(key)
	at := sparkContainerAt(pod, named, r.container)
	if p.conf.has(key) && (at < 0 || pod.Containers[at].Name != named) {
		p.warnings = append(p.warnings, p.conf.said[key].String()+": has no effect; "+r.path.Child("template").String()+" has no container of that name")
	}
	spark := &corev1.Container{}
	if at >= 0 {
		spark = pod.Containers[at].DeepCopy()
		pod.Containers = slices.Delete(pod.Containers, at, at+1)
	}
	spark.Name = r.container
	return spark
}

// sparkContainerAt returns the index of the container of pod that has the first of names that one has, else of the first;
// -1 if there is none.
func sparkContainerAt(pod *corev1.PodSpec, names ...string) int {
	for _, name := range names {
		if at := slices.IndexFunc(pod.Containers, func(c corev1.Container) bool { return c.Name == name }); at >= 0 {
			return at
		}
	}
	return min(len(pod.Containers), 1) - 1
}

// placement is where and how the pod runs.
func placement(pod *corev1.PodSpec, spec *v1beta2.SparkPodSpec) {
	pod.Tolerations = append(pod.Tolerations, spec.Tolerations...)
	pod.HostAliases = append(pod.HostAliases, spec.HostAliases...)
	pod.NodeSelector = merged(pod.NodeSelector, spec.NodeSelector)
	if spec.Affinity != nil {
		pod.Affinity = spec.Affinity
	}
	if spec.PriorityClassName != "" {
		pod.PriorityClassName = spec.PriorityClassName
	}
	if spec.RuntimeClassName != "" {
		pod.RuntimeClassName = &spec.RuntimeClassName
	}
	if spec.DNSConfig != nil {
		pod.DNSConfig = spec.DNSConfig
	}
	if spec.PodSecurityContext != nil {
		pod.SecurityContext = spec.PodSecurityContext
	}
	if spec.TerminationGracePeriodSeconds != nil {
		pod.TerminationGracePeriodSeconds = spec.TerminationGracePeriodSeconds
	}
	if spec.ShareProcessNamespace != nil {
		pod.ShareProcessNamespace = spec.ShareProcessNamespace
	}
	if spec.HostNetwork != nil {
		pod.HostNetwork = *spec.HostNetwork
		if pod.HostNetwork && pod.DNSPolicy == "" {
			pod.DNSPolicy = corev1.DNSClusterFirstWithHostNet // otherwise it would not find the driver's Service
		}
	}
}

// containers are those beside Spark's.
func containers(pod *corev1.PodSpec, spec *v1beta2.SparkPodSpec) {
	pod.InitContainers = append(pod.InitContainers, spec.InitContainers...)
	pod.Containers = append(pod.Containers, spec.Sidecars...)
}

// sparkContainer is Spark's own container.
func sparkContainer(spark *corev1.Container, spec *v1beta2.SparkPodSpec) {
	for _, port := range spec.Ports {
		spark.Ports = append(spark.Ports, corev1.ContainerPort{Name: port.Name, Protocol: corev1.Protocol(port.Protocol), ContainerPort: port.ContainerPort})
	}
	if spec.Lifecycle != nil {
		spark.Lifecycle = spec.Lifecycle
	}
	if spec.SecurityContext != nil {
		spark.SecurityContext = spec.SecurityContext
	}
	if gpu := spec.GPU; gpu != nil {
		if spark.Resources.Limits == nil {
			spark.Resources.Limits = corev1.ResourceList{}
		}
		spark.Resources.Limits[corev1.ResourceName(gpu.Name)] = *resource.NewQuantity(gpu.Quantity, resource.DecimalSI)
	}
	if spark.TerminationMessagePolicy == "" {
		// A driver that dies says why in its last lines; the status of its pod is what outlives it.
		spark.TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
	}
}

// volumes adds those volumes of the application that any container of the role mounts, and the ConfigMaps and Secrets
// that Spark's is to see.
func (p *planner) volumes(r role, pod *corev1.PodSpec, spark *corev1.Container) {
	spark.VolumeMounts = append(spark.VolumeMounts, r.spec.DeepCopy().VolumeMounts...)
	mounted := mountedBy(slices.Concat([]corev1.Container{*spark}, pod.Containers, pod.InitContainers)...)
	for _, volume := range p.app.Spec.Volumes {
		if mounted[volume.Name] {
			addVolume(pod, *volume.DeepCopy())
		}
	}
	for i, mount := range r.spec.VolumeMounts {
		if !hasVolume(pod, mount.Name) {
			p.conf.errs = append(p.conf.errs, field.NotFound(r.path.Child("volumeMounts").Index(i).Child("name"),
				mount.Name+"; add the volume to spec.volumes"))
		}
	}
	for _, c := range r.spec.ConfigMaps {
		name := volumeName(c.Name, "-vol")
		addVolume(pod, corev1.Volume{Name: name, VolumeSource: configMapSource(c.Name)})
		spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: c.Path, ReadOnly: true})
	}
	for _, s := range r.spec.Secrets {
		mountSecret(pod, spark, s.Name, s.Path)
	}
	if name := p.app.Spec.SparkConfigMap; name != "" {
		const volume = "spark-configmap-volume"
		addVolume(pod, corev1.Volume{Name: volume, VolumeSource: configMapSource(name)})
		spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: ownConfDir, ReadOnly: true})
	}
}

func mountSecret(pod *corev1.PodSpec, spark *corev1.Container, secret, path string) {
	name := volumeName(secret, "-volume")
	addVolume(pod, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: path, ReadOnly: true})
}

func configMapSource(name string) corev1.VolumeSource {
	return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
}

// mountedBy returns the names of the volumes that containers mount.
func mountedBy(containers ...corev1.Container) map[string]bool {
	names := map[string]bool{}
	for _, c := range containers {
		for _, mount := range c.VolumeMounts {
			names[mount.Name] = true
		}
		for _, device := range c.VolumeDevices {
			names[device.Name] = true
		}
	}
	return names
}

func hasVolume(pod *corev1.PodSpec, name string) bool {
	return slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == name })
}

// addVolume adds a volume that the pod does not have yet. Another of its name stays beside it, which checkPod reports.
func addVolume(pod *corev1.PodSpec, volume corev1.Volume) {
	same := func(v corev1.Volume) bool { return apiequality.Semantic.DeepEqual(v, volume) }
	if !slices.ContainsFunc(pod.Volumes, same) {
		pod.Volumes = append(pod.Volumes, volume)
	}
}

func hasEnv(c *corev1.Container, name string) bool {
	return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
}

// putEnv adds a variable behind the others, in place of one of that name, as the last of several counts anyway.
func putEnv(c *corev1.Container, env corev1.EnvVar) {
	c.Env = slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == env.Name })
	c.Env = append(c.Env, env)
}

func setEnv(c *corev1.Container, name, value string) {
	putEnv(c, corev1.EnvVar{Name: name, Value: value})
}

// merged is one map of several, the later winning, or nil if there is nothing in any.
func merged(from ...map[string]string) map[string]string {
	var all map[string]string
	for _, m := range from {
		if len(m) > 0 && all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, m)
	}
	return all
}
