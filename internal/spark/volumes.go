package spark

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// onDemand is the name that Spark takes for a claim of its own to be made.
const onDemand = "OnDemand"

// mountSecrets follows MountSecretsFeatureStep: spark.kubernetes.<role>.secrets.<name>=<path>.
func (p *planner) mountSecrets(r role, pod *corev1.PodSpec, spark *corev1.Container) {
	secrets := p.conf.under("spark.kubernetes." + r.name + ".secrets.")
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		mountSecret(pod, spark, name, secrets[name])
	}
}

// secretEnv follows EnvSecretsFeatureStep: spark.kubernetes.<role>.secretKeyRef.<variable>=<secret>:<key>.
func (p *planner) secretEnv(r role, spark *corev1.Container) {
	prefix := "spark.kubernetes." + r.name + ".secretKeyRef."
	refs := p.conf.under(prefix)
	for _, variable := range slices.Sorted(maps.Keys(refs)) {
		name, key, ok := strings.Cut(refs[variable], ":")
		if !ok || name == "" || key == "" {
			p.conf.invalid(prefix+variable, "does not name a key of a Secret; write secret:key")
		}
		putEnv(spark, corev1.EnvVar{Name: variable, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key,
		}}})
	}
}

// hadoopConf follows HadoopConfDriverFeatureStep for a ConfigMap that exists already.
func (p *planner) hadoopConf(pod *corev1.PodSpec, spark *corev1.Container) {
	name := p.conf.get("spark.kubernetes.hadoop.configMapName")
	if name == "" {
		return
	}
	addVolume(pod, corev1.Volume{Name: hadoopVolume, VolumeSource: configMapSource(name)})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: hadoopVolume, MountPath: hadoopDir})
	setEnv(spark, "HADOOP_CONF_DIR", hadoopDir)
}

// localDirs follows LocalDirsFeatureStep: volumes called spark-local-dir-* hold what Spark spills and shuffles,
// otherwise directories that live as long as the pod do.
func (p *planner) localDirs(pod *corev1.PodSpec, spark *corev1.Container) {
	var dirs []string
	for _, mount := range spark.VolumeMounts {
		if strings.HasPrefix(mount.Name, localDirsName) {
			dirs = append(dirs, mount.MountPath)
		}
	}
	if len(dirs) == 0 {
		dirs = p.conf.list("spark.local.dir")
		if len(dirs) == 0 {
			dirs = []string{p.names.localDir}
		}
		medium := corev1.StorageMediumDefault
		if p.conf.boolean("spark.kubernetes.local.dirs.tmpfs") {
			medium = corev1.StorageMediumMemory
		}
		for i, dir := range dirs {
			name := localDirsName + strconv.Itoa(i+1)
			addVolume(pod, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: medium}}})
			spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: dir})
		}
	}
	setEnv(spark, "SPARK_LOCAL_DIRS", strings.Join(dirs, ","))
}

// volumeConf is a volume of a role that properties describe.
type volumeConf struct {
	kind, name string
	key        string // what its properties begin with
	index      int    // its place among the role's, which is part of a claim's name
}

// volumeConfs lists the volumes of spark.kubernetes.<role>.volumes.<kind>.<name>.
func (p *planner) volumeConfs(r role) []volumeConf {
	prefix := "spark.kubernetes." + r.name + ".volumes."
	found := map[string]volumeConf{}
	for key := range p.conf.under(prefix) {
		parts := strings.SplitN(key, ".", 3)
		if len(parts) < 3 {
			p.conf.invalid(prefix+key, "is not of the form kind.name.mount.path, kind.name.options.… or the like")
			continue
		}
		id := parts[0] + "." + parts[1]
		found[id] = volumeConf{kind: parts[0], name: parts[1], key: prefix + id + "."}
	}
	volumes := make([]volumeConf, 0, len(found))
	for i, id := range slices.Sorted(maps.Keys(found)) {
		v := found[id]
		v.index = i
		volumes = append(volumes, v)
	}
	return volumes
}

// mountVolumes follows MountVolumesFeatureStep.
func (p *planner) mountVolumes(r role, pod *corev1.PodSpec, spark *corev1.Container) {
	for _, v := range p.volumeConfs(r) {
		addVolume(pod, corev1.Volume{Name: v.name, VolumeSource: p.volumeSource(r, v)})
		path := p.conf.get(v.key + "mount.path")
		if path == "" {
			p.conf.lacks(v.key+"mount.path", "say where the "+r.name+" sees the volume")
		}
		if p.conf.has(v.key+"mount.subPathExpr") && !p.release.subPathExpr {
			p.conf.invalid(v.key+"mount.subPathExpr", "is not known to Spark "+p.release.String()+"; use mount.subPath")
		}
		spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{
			Name:        v.name,
			MountPath:   path,
			SubPath:     p.conf.get(v.key + "mount.subPath"),
			SubPathExpr: p.conf.get(v.key + "mount.subPathExpr"),
			ReadOnly:    p.conf.boolean(v.key + "mount.readOnly"),
		})
	}
}

// volumeSource is what is mounted. Spark ends where an option is missing: KubernetesVolumeUtils.parseVolumeSpecificConf.
func (p *planner) volumeSource(r role, v volumeConf) corev1.VolumeSource {
	option := func(name string) string { return p.conf.get(v.key + "options." + name) }
	needed := func(name, why string) string {
		if option(name) == "" {
			p.conf.lacks(v.key+"options."+name, why)
		}
		return option(name)
	}
	switch v.kind {
	case "hostPath":
		kind := corev1.HostPathType(option("type"))
		if kind != "" && !p.release.hostPathType {
			p.warnings = append(p.warnings, "spec.sparkConf["+v.key+"options.type]: has no effect; Spark "+p.release.String()+" does not know it")
			kind = ""
		}
		return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: needed("path", "say which path of the node it is"), Type: &kind}}
	case "persistentVolumeClaim":
		needed("claimName", "name the claim, or write OnDemand to have one made")
		p.checkOnDemand(v)
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: p.claimName(r, v), ReadOnly: p.conf.boolean(v.key + "mount.readOnly"),
		}}
	case "emptyDir":
		source := &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMedium(option("medium"))}
		if limit, ok := p.conf.quantity(v.key + "options.sizeLimit"); ok {
			source.SizeLimit = &limit
		}
		return corev1.VolumeSource{EmptyDir: source}
	case "nfs":
		return corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{
			Server: needed("server", "name the NFS server"), Path: needed("path", "say which of the server's paths it is"),
		}}
	}
	p.conf.invalid(v.key+"mount.path", "is of a kind of volume that Spark does not know; use hostPath, persistentVolumeClaim, emptyDir or nfs")
	return corev1.VolumeSource{}
}

// checkOnDemand finds claims that the pod would wait for for ever: Spark makes only those whose class and size are said.
func (p *planner) checkOnDemand(v volumeConf) {
	if !strings.Contains(p.conf.get(v.key+"options.claimName"), onDemand) {
		return
	}
	for _, option := range []string{"storageClass", "sizeLimit"} {
		if key := v.key + "options." + option; p.conf.get(key) == "" {
			p.conf.lacks(key, "without it Spark makes no claim, and the pod waits for one for ever")
		}
	}
}

func (p *planner) claimName(r role, v volumeConf) string {
	own, name := p.names.prefix+"-driver", p.conf.get(v.key+"options.claimName")
	if r.name == "executor" {
		own = p.executorPrefix() + "-exec-" + sampleID
		name = strings.ReplaceAll(name, "SPARK_EXECUTOR_ID", sampleID)
	}
	return strings.ReplaceAll(name, onDemand, own+"-pvc-"+strconv.Itoa(v.index))
}

// claims are made for those volumes of the driver whose class and size are said.
func (p *planner) claims() []*corev1.PersistentVolumeClaim {
	var claims []*corev1.PersistentVolumeClaim
	for _, v := range p.volumeConfs(driverRole(p.app)) {
		class := p.conf.get(v.key + "options.storageClass")
		size, sized := p.conf.quantity(v.key + "options.sizeLimit")
		if v.kind != "persistentVolumeClaim" || class == "" || !sized {
			continue
		}
		claims = append(claims, p.claim(v, class, size))
	}
	return claims
}

func (p *planner) claim(v volumeConf, class string, size resource.Quantity) *corev1.PersistentVolumeClaim {
	meta := p.meta(p.claimName(driverRole(p.app), v))
	meta.Labels = merged(p.conf.under(v.key+"label."), meta.Labels, map[string]string{v1beta2.LabelSparkAppSelector: p.names.appID})
	meta.Annotations = p.conf.under(v.key + "annotation.")
	mode := p.release.claimMode
	if p.conf.boolean("spark.kubernetes.legacy.useReadWriteOnceAccessMode") {
		mode = corev1.ReadWriteOnce
	}
	return &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: meta,
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			AccessModes:      []corev1.PersistentVolumeAccessMode{mode},
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		},
	}
}
