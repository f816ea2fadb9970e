package spark

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Places in the driver's container, and names of its volumes: Constants.scala of Spark's Kubernetes module.
const (
	confDir       = "/opt/spark/conf"
	confFile      = "spark.properties"
	confVolume    = "spark-conf-volume-driver"
	hadoopDir     = "/opt/hadoop/conf"
	hadoopVolume  = "hadoop-properties"
	localDirsName = "spark-local-dir-"
)

// The user that Spark says it is, towards Hadoop: the name of uid 185 in Spark's images.
const sparkUser = "spark"

// driver makes the driver's pod as the steps of Spark's KubernetesDriverBuilder do, in their order, on top of what the
// API adds to a pod. The order shows in the pod, and an environment variable can refer to those before it.
func (p *planner) driver() *corev1.Pod {
	role := driverRole(p.app)
	base, spark := p.base(role)
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: p.driverMeta(base.ObjectMeta),
		Spec:       base.Spec,
	}
	p.basicDriver(&pod.Spec, spark)
	p.serviceAccount(&pod.Spec)
	p.mountSecrets(role, &pod.Spec, spark)
	p.secretEnv(role, spark)
	p.mountVolumes(role, &pod.Spec, spark)
	p.command(spark)
	p.hadoopConf(&pod.Spec, spark)
	p.kerberos(&pod.Spec, spark)
	p.executorTemplateVolume(&pod.Spec, spark)
	p.localDirs(&pod.Spec, spark)
	p.sparkConf(&pod.Spec, spark)
	p.ivyVolume(&pod.Spec, spark)
	p.ownEnv(role, spark)
	p.secure(role, &pod.Spec, spark)
	p.admit(pod)

	// Sidecars come first and Spark's container last, as Client.run in KubernetesClientApplication has it.
	pod.Spec.Containers = append(pod.Spec.Containers, *spark)
	return pod
}

// Annotations by which node autoscalers are told not to move a pod: a driver that goes takes all its executors' work
// with it.
const (
	keepAutoscaler = "cluster-autoscaler.kubernetes.io/safe-to-evict"
	keepKarpenter  = "karpenter.sh/do-not-disrupt"
)

func (p *planner) driverMeta(template metav1.ObjectMeta) metav1.ObjectMeta {
	meta := p.meta(p.names.driverPod)
	meta.Labels = merged(template.Labels, p.driverLabels())
	meta.Annotations = merged(map[string]string{keepAutoscaler: "false", keepKarpenter: "true"}, template.Annotations)
	for k, v := range p.conf.under("spark.kubernetes.driver.annotation.") {
		meta.Annotations[k] = p.substitute(v)
	}
	meta.Finalizers = template.Finalizers
	return meta
}

// basicDriver follows BasicDriverFeatureStep.
func (p *planner) basicDriver(pod *corev1.PodSpec, spark *corev1.Container) {
	spark.Image = p.image("driver")
	spark.ImagePullPolicy = corev1.PullPolicy(p.conf.get("spark.kubernetes.container.image.pullPolicy"))
	for _, port := range p.driverPorts() {
		spark.Ports = append(spark.Ports, corev1.ContainerPort{Name: port.name, ContainerPort: port.number, Protocol: corev1.ProtocolTCP})
	}
	user := sparkUser
	if p.app.Spec.ProxyUser != "" {
		user = p.app.Spec.ProxyUser
	}
	setEnv(spark, "SPARK_USER", user)
	setEnv(spark, "SPARK_APPLICATION_ID", p.names.appID)
	env := p.conf.under("spark.kubernetes.driverEnv.")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		setEnv(spark, name, env[name])
	}
	putEnv(spark, corev1.EnvVar{Name: "SPARK_DRIVER_BIND_ADDRESS", ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
	}})
	p.driverResources(&spark.Resources)

	pod.RestartPolicy = corev1.RestartPolicyNever
	pod.NodeSelector = merged(pod.NodeSelector, p.conf.under("spark.kubernetes.node.selector."), p.conf.under("spark.kubernetes.driver.node.selector."))
	for _, name := range p.conf.list("spark.kubernetes.container.image.pullSecrets") {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	if name := p.conf.get("spark.kubernetes.driver.scheduler.name", "spark.kubernetes.scheduler.name"); name != "" {
		pod.SchedulerName = name
	}
}

// imageKeys are the properties that name the image of a role, the first that is set winning.
func imageKeys(role string) []string {
	return []string{"spark.kubernetes." + role + ".container.image", "spark.kubernetes.container.image"}
}

// namesImage reports whether the application itself names the image of a role, rather than the platform.
func (p *planner) namesImage(r role) bool {
	for _, key := range imageKeys(r.name) {
		if p.conf.has(key) {
			said := p.conf.said[key]
			return said != nil && said.Root().String() == "spec"
		}
	}
	return false
}

// image is the image of a role.
func (p *planner) image(role string) string {
	image := p.conf.get(imageKeys(role)...)
	if image == "" {
		p.conf.errs = append(p.conf.errs, field.Required(field.NewPath("spec", "image"),
			"the operator is configured without a default image, so name one, for example apache/spark:"+p.app.Spec.SparkVersion))
	}
	return image
}

// serviceAccount follows DriverKubernetesCredentialsFeatureStep, for what of it needs no file of the submitter's.
func (p *planner) serviceAccount(pod *corev1.PodSpec) {
	if name := p.conf.get("spark.kubernetes.authenticate.driver.serviceAccountName"); name != "" {
		pod.ServiceAccountName = name
	}
}

// command follows DriverCommandFeatureStep.
func (p *planner) command(spark *corev1.Container) {
	spark.Args = append(spark.Args, "driver")
	if p.app.Spec.ProxyUser != "" {
		spark.Args = append(spark.Args, "--proxy-user", p.app.Spec.ProxyUser)
	}
	spark.Args = append(spark.Args, "--properties-file", confDir+"/"+confFile, "--class", mainClass(p.app), p.app.Spec.MainApplicationFile)
	spark.Args = append(spark.Args, p.app.Spec.Arguments...)

	if p.app.Spec.Type != v1beta2.SparkApplicationTypePython {
		return
	}
	if python := p.conf.get("spark.pyspark.python"); python != "" {
		setEnv(spark, "PYSPARK_PYTHON", python)
	}
	if python := p.conf.get("spark.pyspark.driver.python", "spark.pyspark.python"); python != "" {
		setEnv(spark, "PYSPARK_DRIVER_PYTHON", python)
	}
}

// sparkConf mounts the driver's properties, and says where they are: Client.run in KubernetesClientApplication.
func (p *planner) sparkConf(pod *corev1.PodSpec, spark *corev1.Container) {
	setEnv(spark, "SPARK_CONF_DIR", confDir)
	mode := int32(0o644)
	addVolume(pod, corev1.Volume{Name: confVolume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: p.names.conf},
		Items:                []corev1.KeyToPath{{Key: confFile, Path: confFile, Mode: &mode}},
	}}})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: confVolume, MountPath: confDir})
}
