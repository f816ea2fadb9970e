package spark

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkPod finds what the API server would refuse about a role's pod and what it would not name a field of the application
// for. Of executors nobody would be told at all: Spark's driver tries to make them for ever. This is what can be
// told for certain and at no cost; of the rest the API server itself is asked (Plan.Executor).
func (p *planner) checkPod(r role, pod *corev1.PodSpec) {
	p.checkContainers(r, pod)
	p.checkVolumes(r, pod)
	p.checkReferences(r, pod)
	for i, port := range r.spec.Ports {
		for _, why := range validation.IsValidPortName(port.Name) {
			p.conf.errs = append(p.conf.errs, field.Invalid(r.path.Child("ports").Index(i).Child("name"), port.Name, why))
		}
	}
	for i, c := range r.spec.ConfigMaps {
		if c.Path == "" {
			p.conf.errs = append(p.conf.errs, field.Required(r.path.Child("configMaps").Index(i).Child("path"), "say where its files are to appear"))
		}
	}
	for i, s := range r.spec.Secrets {
		if s.Path == "" {
			p.conf.errs = append(p.conf.errs, field.Required(r.path.Child("secrets").Index(i).Child("path"), "say where its files are to appear"))
		}
	}
}

// checkContainers finds containers that have the same name, the most likely being that of Spark's own.
func (p *planner) checkContainers(r role, pod *corev1.PodSpec) {
	count := map[string]int{}
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		count[c.Name]++
	}
	report := func(name string, path *field.Path) {
		p.conf.errs = append(p.conf.errs, field.Invalid(path, name, "is the name of another container of the pod; rename this one"))
		delete(count, name)
	}
	said := func(containers []corev1.Container, path *field.Path) {
		for i, c := range containers {
			if count[c.Name] > 1 {
				report(c.Name, path.Index(i).Child("name"))
			}
		}
	}
	said(r.spec.Sidecars, r.path.Child("sidecars"))
	said(r.spec.InitContainers, r.path.Child("initContainers"))
	for name, n := range count {
		if n > 1 {
			report(name, r.path.Child("template", "spec", "containers"))
		}
	}
}

// checkVolumes finds volumes of one name for different things, and reports each where the application's author can
// rename it: names of volumes for Secrets, ConfigMaps and the like are given by Spark and by this API.
func (p *planner) checkVolumes(r role, pod *corev1.PodSpec) {
	count := map[string]int{}
	for _, v := range pod.Volumes {
		count[v.Name]++
	}
	for name, n := range count {
		if n > 1 {
			p.conf.errs = append(p.conf.errs, field.Invalid(p.volumePath(r, name), name,
				"is the name of a volume for something else in the "+r.name+"'s pod; rename this one"))
		}
	}
}

// volumePath is where the application says a volume.
func (p *planner) volumePath(r role, name string) *field.Path {
	named := func(v corev1.Volume) bool { return v.Name == name }
	if i := slices.IndexFunc(p.app.Spec.Volumes, named); i >= 0 {
		return field.NewPath("spec", "volumes").Index(i).Child("name")
	}
	if template := r.spec.Template; template != nil {
		if i := slices.IndexFunc(template.Spec.Volumes, named); i >= 0 {
			return r.path.Child("template", "spec", "volumes").Index(i).Child("name")
		}
	}
	return field.NewPath("spec", "sparkConf") // two of properties
}
