package sparksubmit

import (
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/program"
)

// template puts the pod template of a local file into the application, for the operator has no such file.
func (r *reader) template(key string, pod *v1beta2.SparkPodSpec) {
	said, ok := r.settings.take(key)
	if !ok {
		return
	}
	file, onDisk := program.OnDisk(said.value)
	if !onDisk {
		r.fail("%s: %q is not a file on this machine; download it, and name the copy", said.said, said.value)
		return
	}
	content, err := r.env.ReadFile(file)
	if err != nil {
		r.fail("%s: %w", said.said, err)
		return
	}
	var template corev1.Pod
	if err := yaml.UnmarshalStrict(content, &template); err != nil {
		r.fail("%s: %s is not a pod: %w", said.said, said.value, err)
		return
	}
	pod.Template = &corev1.PodTemplateSpec{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Template.Name, pod.Template.Namespace = "", "" // Spark gives pods names of its own, in the application's namespace.
}

// volume is one that properties describe: spark.kubernetes.<role>.volumes.<kind>.<name>.<rest>.
type volume struct {
	role, kind, name string
	said             settings // what follows the name
}

func (v volume) get(key string) string { return v.said[key].value }

// volumes moves volumes to their fields where those can say all that the properties do. Those that Spark makes a claim for,
// or that are one for each executor, stay properties.
func (r *reader) volumes() {
	sources := map[string]corev1.VolumeSource{}
	var found []volume
	for _, role := range []string{"driver", "executor"} {
		for _, v := range r.described(role) {
			source, ok := v.source()
			known, there := sources[v.name]
			if !ok || there && !reflect.DeepEqual(known, source) {
				r.putBack(v)
				continue
			}
			sources[v.name] = source
			found = append(found, v)
		}
	}
	spec := &r.app.Spec
	for _, v := range found {
		mount := corev1.VolumeMount{
			Name: v.name, MountPath: v.get("mount.path"), SubPath: v.get("mount.subPath"), SubPathExpr: v.get("mount.subPathExpr"),
			ReadOnly: strings.EqualFold(v.get("mount.readOnly"), "true"),
		}
		pod := r.roles()[v.role]
		pod.VolumeMounts = append(pod.VolumeMounts, mount)
		if !slices.ContainsFunc(spec.Volumes, func(have corev1.Volume) bool { return have.Name == v.name }) {
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: v.name, VolumeSource: sources[v.name]})
		}
	}
}

// described takes the volumes of a role out of the settings, in the order of their names.
func (r *reader) described(role string) []volume {
	byID := map[string]*volume{}
	all := r.settings.under(onKubernetes + role + ".volumes.")
	var order []string
	for _, key := range all.keys() {
		parts := strings.SplitN(key, ".", 3)
		if len(parts) < 3 {
			r.fail("%s: it is not of the form %s%s.volumes.KIND.NAME.mount.path, .options.… or the like", all[key].said, onKubernetes, role)
			continue
		}
		id := parts[0] + "." + parts[1]
		if byID[id] == nil {
			byID[id] = &volume{role: role, kind: parts[0], name: parts[1], said: settings{}}
			order = append(order, id)
		}
		byID[id].said[parts[2]] = all[key]
	}
	volumes := make([]volume, len(order))
	for i, id := range order {
		volumes[i] = *byID[id]
	}
	return volumes
}

func (r *reader) putBack(v volume) {
	for key, said := range v.said {
		r.settings[onKubernetes+v.role+".volumes."+v.kind+"."+v.name+"."+key] = said
	}
}

// source is what is mounted, and whether fields can say it.
func (v volume) source() (corev1.VolumeSource, bool) {
	known := []string{"mount.path", "mount.subPath", "mount.subPathExpr", "mount.readOnly"}
	source := corev1.VolumeSource{}
	switch v.kind {
	case "emptyDir":
		known = append(known, "options.medium", "options.sizeLimit")
		source.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMedium(v.get("options.medium"))}
		if size := v.get("options.sizeLimit"); size != "" {
			limit, err := resource.ParseQuantity(size)
			if err != nil {
				return source, false // The operator says what is wrong with it.
			}
			source.EmptyDir.SizeLimit = &limit
		}
	case "hostPath":
		known = append(known, "options.path", "options.type")
		source.HostPath = &corev1.HostPathVolumeSource{Path: v.get("options.path")}
		if kind := v.get("options.type"); kind != "" {
			source.HostPath.Type = new(corev1.HostPathType(kind))
		}
	case "nfs":
		known = append(known, "options.server", "options.path")
		source.NFS = &corev1.NFSVolumeSource{Server: v.get("options.server"), Path: v.get("options.path")}
	case "persistentVolumeClaim":
		known = append(known, "options.claimName")
		claim := v.get("options.claimName")
		if claim == "" || strings.Contains(claim, "OnDemand") || strings.Contains(claim, "SPARK_EXECUTOR_ID") {
			return source, false
		}
		source.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim, ReadOnly: strings.EqualFold(v.get("mount.readOnly"), "true")}
	default:
		return source, false
	}
	for key := range v.said {
		if !slices.Contains(known, key) {
			return source, false
		}
	}
	return source, v.get("mount.path") != ""
}
