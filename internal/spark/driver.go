package spark

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
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
	p.mountSecrets(&pod.Spec, spark)
	p.secretEnv(spark)
	p.mountVolumes(&pod.Spec, spark)
	p.command(spark)
	p.hadoopConf(&pod.Spec, spark)
	p.executorTemplateVolume(&pod.Spec, spark)
	p.localDirs(&pod.Spec, spark)
	p.sparkConf(&pod.Spec, spark)
	p.ownEnv(role, spark)
	secure(&pod.Spec, spark)

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
	if p.release.proxySparkUser && p.app.Spec.ProxyUser != "" {
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

// image is the image of a role.
func (p *planner) image(role string) string {
	image := p.conf.get("spark.kubernetes."+role+".container.image", "spark.kubernetes.container.image")
	if image == "" {
		p.conf.errs = append(p.conf.errs, field.Required(field.NewPath("spec", "image"),
			"the operator is configured without a default image, so name one, for example apache/spark:"+p.app.Spec.SparkVersion))
	}
	return image
}

// driverResources sets what the driver's container requests and may use, over the template's.
func (p *planner) driverResources(r *corev1.ResourceRequirements) {
	heap := p.conf.miB("spark.driver.memory", 1024)
	memory := *resource.NewQuantity((heap+p.driverOverhead(heap))*bytesPerMiB, resource.BinarySI)
	cpu, ok := p.conf.quantity("spark.kubernetes.driver.request.cores")
	if !ok {
		cpu = *resource.NewQuantity(p.conf.integer("spark.driver.cores", 1), resource.DecimalSI)
	}
	if r.Requests == nil {
		r.Requests = corev1.ResourceList{}
	}
	if r.Limits == nil {
		r.Limits = corev1.ResourceList{}
	}
	r.Requests[corev1.ResourceCPU], r.Requests[corev1.ResourceMemory] = cpu, memory
	r.Limits[corev1.ResourceMemory] = memory
	if limit, ok := p.conf.quantity("spark.kubernetes.driver.limit.cores"); ok {
		if limit.Cmp(cpu) < 0 {
			p.conf.invalid("spark.kubernetes.driver.limit.cores", "is less than the "+cpu.String()+" that the driver requests; raise it or lower coreRequest")
		}
		r.Limits[corev1.ResourceCPU] = limit
	}
	if limit := p.app.Spec.Driver.MemoryLimit; limit != "" {
		r.Limits[corev1.ResourceMemory] = p.memoryLimit(limit, memory)
	}
	for _, name := range resourceNames(p.conf, "spark.driver.resource.") {
		key := "spark.driver.resource." + name
		vendor := p.conf.get(key + ".vendor")
		if vendor == "" {
			p.conf.invalid(key+".amount", "has no vendor beside it; set "+key+".vendor, for example to nvidia.com")
		}
		amount := p.conf.integer(key+".amount", 0)
		r.Limits[corev1.ResourceName(vendor+"/"+name)] = *resource.NewQuantity(amount, resource.DecimalSI)
	}
}

// driverOverhead is the driver's memory beside its heap, in MiB.
func (p *planner) driverOverhead(heap int64) int64 {
	floor := int64(overheadFloorMiB)
	if p.release.floorIsSetting {
		floor = p.conf.miB("spark.driver.minMemoryOverhead", floor)
	}
	factor := p.conf.number("spark.driver.memoryOverheadFactor", p.overheadFactor())
	return p.conf.miB("spark.driver.memoryOverhead", memoryOverhead(heap, factor, floor))
}

// overheadFactor is the share of both roles unless a role has one of its own.
func (p *planner) overheadFactor() float64 {
	if isJVM(p.app) {
		return p.conf.number("spark.kubernetes.memoryOverheadFactor", overheadFactorJVM)
	}
	return p.conf.number("spark.kubernetes.memoryOverheadFactor", overheadFactorOther)
}

// memoryLimit reads spec.driver.memoryLimit, which may be a size of Spark's or a quantity of Kubernetes'.
func (p *planner) memoryLimit(text string, request resource.Quantity) resource.Quantity {
	path := field.NewPath("spec", "driver", "memoryLimit")
	limit, err := resource.ParseQuantity(text)
	if miB, sizeErr := parseMiB(text); sizeErr == nil {
		limit, err = *resource.NewQuantity(miB*bytesPerMiB, resource.BinarySI), nil
	}
	switch {
	case err != nil:
		p.conf.errs = append(p.conf.errs, field.Invalid(path, text, "is not a size; write for example 2g or 2Gi"))
	case limit.Cmp(request) < 0:
		p.conf.errs = append(p.conf.errs, field.Invalid(path, text,
			"is less than memory with memoryOverhead, "+request.String()+"; raise it or leave it out"))
	}
	return limit
}

// resourceNames are the names of the resources, such as gpu, that a role asks for.
func resourceNames(conf *settings, prefix string) []string {
	var found []string
	for key := range conf.under(prefix) {
		if name, ok := strings.CutSuffix(key, ".amount"); ok {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
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

// properties are what the driver starts with: what the application has, and what the steps found out.
func (p *planner) properties() map[string]string {
	props := maps.Clone(p.conf.values)
	heap := p.conf.miB("spark.driver.memory", 1024)
	if size, ok := props["spark.driver.memory"]; ok {
		props["spark.driver.memory"] = heapSize(size, heap)
	}
	ports := p.driverPorts()
	maps.Copy(props, map[string]string{
		"spark.app.id":                            p.names.appID,
		"spark.driver.host":                       p.host(),
		"spark.driver.port":                       strconv.Itoa(int(ports[0].number)),
		"spark.driver.blockManager.port":          strconv.Itoa(int(ports[1].number)),
		"spark.kubernetes.driver.pod.name":        p.names.driverPod,
		"spark.kubernetes.executor.podNamePrefix": p.executorPrefix(),
		"spark.kubernetes.memoryOverheadFactor":   strconv.FormatFloat(p.overheadFactor(), 'g', -1, 64),
		"spark.kubernetes.resource.type":          resourceType(p.app),
		"spark.kubernetes.submitInDriver":         "true",
	})
	maps.Copy(props, p.executorTemplateProperties())
	maps.Copy(props, p.trustProperties())
	if name := p.conf.get("spark.kubernetes.hadoop.configMapName"); name != "" {
		props["spark.kubernetes.executor.hadoopConfigMapName"] = name
	}
	return props
}

func (p *planner) executorPrefix() string {
	if prefix := p.conf.get("spark.kubernetes.executor.podNamePrefix"); prefix != "" {
		return prefix
	}
	return p.names.prefix
}

// confMap is the driver's configuration directory: KubernetesClientUtils.buildConfigMap.
func (p *planner) confMap() *corev1.ConfigMap {
	return p.configMap(p.names.conf, map[string]string{
		confFile:                     formatProperties(p.properties()),
		"spark.kubernetes.namespace": p.app.Namespace,
	}, nil)
}

// The most that a ConfigMap may hold: the API server's limit, and spark.kubernetes.configMap.maxSize's default.
const maxConfigMap = 1 << 20

// configMap makes an immutable ConfigMap of the run.
func (p *planner) configMap(name string, text map[string]string, binary map[string][]byte) *corev1.ConfigMap {
	size := 0
	for k, v := range text {
		size += len(k) + len(v)
	}
	for k, v := range binary {
		size += len(k) + len(v)
	}
	if size > maxConfigMap {
		p.conf.errs = append(p.conf.errs, field.TooLong(field.NewPath("spec"), name, maxConfigMap))
	}
	immutable := true
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: p.meta(name),
		Immutable:  &immutable,
		Data:       text,
		BinaryData: binary,
	}
}
