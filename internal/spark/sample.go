package spark

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"brazier.sh/brazier/api/v1beta2"
)

// sampleID is the ID of the executor that stands for all. Spark begins with 1, so that no executor ever has its name.
const sampleID = "0"

// sampleExecutor is an executor as Spark's driver will make it of template: KubernetesExecutorBuilder. It never runs; it
// is there to be looked at. What the API server cannot find fault with is left out: Spark's own variables, ports and
// hostname, and the owner, which does not exist yet.
func (p *planner) sampleExecutor(template *corev1.Pod) *corev1.Pod {
	r := executorRole(p.app)
	pod := template.DeepCopy()
	pod.Name, pod.Namespace = p.names.prefix+"-exec-"+sampleID, p.app.Namespace
	spark := &pod.Spec.Containers[0]
	p.basicExecutor(pod, spark)
	p.executorConf(&pod.Spec, spark)
	p.mountSecrets(r, &pod.Spec, spark)
	p.secretEnv(r, spark)
	p.mountVolumes(r, &pod.Spec, spark)
	p.hadoopConf(&pod.Spec, spark)
	p.localDirs(&pod.Spec, spark)
	return pod
}

// basicExecutor follows BasicExecutorFeatureStep and ExecutorKubernetesCredentialsFeatureStep.
func (p *planner) basicExecutor(pod *corev1.Pod, spark *corev1.Container) {
	ids := strings.NewReplacer("{{APP_ID}}", p.names.appID, "{{EXECUTOR_ID}}", sampleID)
	pod.Labels = merged(pod.Labels, p.conf.under("spark.kubernetes.executor.label."), map[string]string{
		v1beta2.LabelSparkAppSelector: p.names.appID,
		v1beta2.LabelSparkRole:        v1beta2.SparkRoleExecutor,
		v1beta2.LabelSparkExecutorID:  sampleID,
	})
	pod.Annotations = merged(pod.Annotations, p.conf.under("spark.kubernetes.executor.annotation."))
	for _, marks := range []map[string]string{pod.Labels, pod.Annotations} {
		for k, v := range marks {
			marks[k] = ids.Replace(v)
		}
	}
	spark.Image = p.image("executor")
	spark.ImagePullPolicy = corev1.PullPolicy(p.conf.get("spark.kubernetes.container.image.pullPolicy"))
	spark.Args = append(spark.Args, "executor")
	env := p.conf.under("spark.executorEnv.")
	for _, name := range slices.Sorted(maps.Keys(env)) {
		setEnv(spark, name, env[name])
	}
	p.executorResources(&spark.Resources)

	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	pod.Spec.NodeSelector = merged(pod.Spec.NodeSelector,
		p.conf.under("spark.kubernetes.node.selector."), p.conf.under("spark.kubernetes.executor.node.selector."))
	for _, name := range p.conf.list("spark.kubernetes.container.image.pullSecrets") {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	if name := p.conf.get("spark.kubernetes.executor.scheduler.name", "spark.kubernetes.scheduler.name"); name != "" {
		pod.Spec.SchedulerName = name
	}
	if name := p.conf.get(executorAccount); name != "" {
		pod.Spec.ServiceAccountName = name
	} else if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = p.conf.get("spark.kubernetes.authenticate.driver.serviceAccountName")
	}
}

func (p *planner) executorResources(r *corev1.ResourceRequirements) {
	share := p.executorShare()
	if r.Requests == nil {
		r.Requests = corev1.ResourceList{}
	}
	if r.Limits == nil {
		r.Limits = corev1.ResourceList{}
	}
	maps.Copy(r.Requests, share)
	r.Limits[corev1.ResourceMemory] = share[corev1.ResourceMemory]
	if limit, ok := p.conf.quantity("spark.kubernetes.executor.limit.cores"); ok {
		r.Limits[corev1.ResourceCPU] = limit
	}
	maps.Copy(r.Limits, p.devices("spark.executor.resource."))
}

// executorConf is the volume with the files of the driver's configuration directory. The driver makes its ConfigMap.
func (p *planner) executorConf(pod *corev1.PodSpec, spark *corev1.Container) {
	if p.conf.boolean("spark.kubernetes.executor.disableConfigMap") {
		return
	}
	const name = "spark-conf-volume-exec"
	addVolume(pod, corev1.Volume{Name: name, VolumeSource: configMapSource("spark-exec-conf-map")})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: confDir})
}

// questionable reports whether the application says something of its executors that only the API server can judge: more
// than sizes, counts, an image, labels and options, which are checked here. Classes of the driver's that change executors
// could put right what is wrong, so that there is nothing to be told beforehand.
func (p *planner) questionable() bool {
	if p.conf.get("spark.kubernetes.executor.pod.featureSteps") != "" {
		return false
	}
	for _, prefix := range []string{"volumes.", "secrets.", "secretKeyRef."} {
		if len(p.conf.under("spark.kubernetes.executor."+prefix)) > 0 {
			return true
		}
	}
	said := p.app.Spec.Executor.SparkPodSpec
	said.Cores, said.CoreLimit, said.CoreRequest = nil, "", ""
	said.Memory, said.MemoryLimit, said.MemoryOverhead, said.Image = "", "", "", ""
	said.Labels, said.Annotations, said.JavaOptions = nil, nil, ""
	return p.conf.has(executorAccount) || !apiequality.Semantic.DeepEqual(said, v1beta2.SparkPodSpec{})
}
