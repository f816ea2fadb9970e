package spark

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// idleProperty is a property that changes nothing, and why.
type idleProperty struct {
	key string // all properties that begin with it, if it ends with a dot
	why string
}

func idleProperties() []idleProperty {
	const sets, none = "the operator sets it", "it is about spark-submit, which does not run here"
	return []idleProperty{
		{"spark.app.name", sets},
		{"spark.kubernetes.authenticate.submission.oauthToken", "the operator submits with rights of its own; do not keep a token in a manifest"},
		{"spark.kubernetes.configMap.maxSize", "the driver's ConfigMap has its properties alone; for the executors' the driver follows it"},
		{"spark.kubernetes.context", "it is about a file of the submitter's, which neither operator nor driver has"},
		{"spark.kubernetes.file.upload.path", "files are uploaded by \"brazier run\", not by the operator"},
		{"spark.kubernetes.report.interval", none},
		{"spark.kubernetes.submission.", none},
		{"spark.master", sets},
		{"spark.submit.deployMode", sets},
	}
}

// idle are things said that change nothing, which is worth a word but no refusal.
func (p *planner) idle() []string {
	warnings := idleBatch(p.app)
	for key := range p.app.Spec.SparkConf {
		for _, property := range idleProperties() {
			if isKey(property.key, key) {
				warnings = append(warnings, idleConf(key, property.why))
			}
		}
		if strings.HasSuffix(key, "."+escalationProperty) && !p.release.forbidsEscalation {
			warnings = append(warnings, idleConf(key, "Spark "+p.release.String()+" does not know it"))
		}
	}
	for _, env := range p.app.Spec.Executor.Env {
		if slices.Contains(executorVariables(), env.Name) {
			warnings = append(warnings, "spec.executor.env["+env.Name+"]: has no effect; Spark sets it for each executor")
		}
	}
	warnings = append(warnings, p.idleFields()...)
	warnings = append(warnings, p.idleVolumes()...)
	slices.Sort(warnings)
	return warnings
}

func idleConf(key, why string) string { return "spec.sparkConf[" + key + "]: has no effect; " + why }

// idleFields are the fields that sparkConf wins over, where both are said and differ (assemble).
func (p *planner) idleFields() []string {
	spec := p.app.Spec
	fields := map[string][2]string{
		"imagePullPolicy":      {"spark.kubernetes.container.image.pullPolicy", string(spec.ImagePullPolicy)},
		"imagePullSecrets":     {"spark.kubernetes.container.image.pullSecrets", strings.Join(spec.ImagePullSecrets, ",")},
		"memoryOverheadFactor": {"spark.kubernetes.memoryOverheadFactor", spec.MemoryOverheadFactor},
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		key, value := fields[name][0], fields[name][1]
		if said, ok := spec.SparkConf[key]; ok && value != "" && said != value {
			warnings = append(warnings, "spec."+name+": has no effect; spec.sparkConf["+key+"] wins over it")
		}
	}
	return warnings
}

// idleVolumes are those that no container mounts, whoever's it is.
func (p *planner) idleVolumes() []string {
	mounted := map[string]bool{}
	for _, r := range []role{driverRole(p.app), executorRole(p.app)} {
		containers := append([]corev1.Container{{VolumeMounts: r.spec.VolumeMounts}}, slices.Concat(r.spec.Sidecars, r.spec.InitContainers)...)
		if r.spec.Template != nil {
			containers = slices.Concat(containers, r.spec.Template.Spec.Containers, r.spec.Template.Spec.InitContainers)
		}
		maps.Copy(mounted, mountedBy(containers...))
	}
	var warnings []string
	for _, volume := range p.app.Spec.Volumes {
		if !mounted[volume.Name] {
			warnings = append(warnings, "spec.volumes["+volume.Name+"]: neither driver nor executors mount it")
		}
	}
	return warnings
}

// executorVariables are those that Spark adds to an executor's environment behind what its template has, so that its
// own count: BasicExecutorFeatureStep, LocalDirsFeatureStep.
func executorVariables() []string {
	return []string{
		"SPARK_APPLICATION_ID", "SPARK_CONF_DIR", "SPARK_DRIVER_URL", "SPARK_EXECUTOR_CORES", "SPARK_EXECUTOR_ID",
		"SPARK_EXECUTOR_MEMORY", "SPARK_EXECUTOR_POD_IP", "SPARK_EXECUTOR_POD_NAME", "SPARK_LOCAL_DIRS",
		"SPARK_RESOURCE_PROFILE_ID", "SPARK_USER",
	}
}
