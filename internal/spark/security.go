package spark

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// sparkUID is the user that Spark's own images run as: spark_uid in their Dockerfiles.
const sparkUID = int64(185)

// secure says what Spark's container may do where the application, in a field or its template, has not. What it says
// must not keep a program from working that works with spark-submit, so that it depends on whose image it is: the
// platform's is known to run as Spark's user without any privilege, an application's own may have a user of its own, or
// be root. That gets what Spark itself would write (docs/spark-image.md, "Which user it runs as").
func (p *planner) secure(r role, pod *corev1.PodSpec, spark *corev1.Container) {
	own := spark.SecurityContext
	if own == nil && !p.namesImage(r) {
		spark.SecurityContext = p.restricted(pod)
	}
	may := p.escalation(r, own)
	if may == nil {
		return
	}
	if spark.SecurityContext == nil {
		spark.SecurityContext = &corev1.SecurityContext{}
	}
	spark.SecurityContext.AllowPrivilegeEscalation = may
	// Of executors it is the driver that has the last word, and the driver goes by the property alone.
	if said, _ := p.mayEscalate(r); r.name == "executor" && p.release.forbidsEscalation && said != *may {
		p.conf.set(escalationKeys(r)[0], strconv.FormatBool(*may), r.path)
	}
}

// restricted is the context that the "restricted" Pod Security Standard asks for.
//
//   - It is the container's context and not the pod's, so that sidecars and init containers keep their own user: an
//     init container that prepares a volume as root is common.
//   - The user is given as a number because apache/spark's images name theirs, and kubelet cannot tell that a name is
//     not root. The group is not given: some images have uid 185 in group 0, some in group 185. Where the platform says
//     so the user is not given either: OpenShift refuses one that is not of the namespace's, and fills in one that is.
//   - The root file system stays writable: Spark's images work in /opt/spark/work-dir, and many keep their programs
//     there, so that an empty directory mounted over it would hide them.
func (p *planner) restricted(pod *corev1.PodSpec) *corev1.SecurityContext {
	no, yes, user := false, true, sparkUID
	context := &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no,
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		RunAsNonRoot:             &yes,
		RunAsUser:                &user,
	}
	if p.platform.AnyUser {
		context.RunAsUser = nil
	}
	// The container's context wins over the pod's, so that what the application says of the pod has to be left out.
	if own := pod.SecurityContext; own != nil {
		if own.RunAsUser != nil || own.RunAsNonRoot != nil {
			context.RunAsUser, context.RunAsNonRoot = nil, nil
		}
		if own.SeccompProfile != nil {
			context.SeccompProfile = nil
		}
	}
	return context
}

// escalation is whether Spark's container may gain privileges, or nil where neither the application nor its Spark says
// so. Spark 4.3 forbids it unless a property allows it, whatever the template says (BasicDriverFeatureStep,
// BasicExecutorFeatureStep). Here the template's word comes before that default, and so does the need of a container
// that has every privilege anyway: Kubernetes refuses one that may not gain what it has.
func (p *planner) escalation(r role, own *corev1.SecurityContext) *bool {
	if field := r.spec.SecurityContext; field != nil && field.AllowPrivilegeEscalation != nil {
		return new(*field.AllowPrivilegeEscalation)
	}
	may, said := p.mayEscalate(r)
	switch {
	case said && p.release.forbidsEscalation:
		return &may
	case own != nil && own.AllowPrivilegeEscalation != nil:
		return own.AllowPrivilegeEscalation
	case p.release.forbidsEscalation:
		return new(privileged(own))
	}
	return nil
}

// mayEscalate is what the properties say of a role, and whether they say anything.
func (p *planner) mayEscalate(r role) (may, said bool) {
	for _, key := range escalationKeys(r) {
		if p.conf.has(key) {
			return p.conf.boolean(key), true
		}
	}
	return false, false
}

// escalationProperty is the end of the properties that allow containers to gain privileges.
const escalationProperty = "securityContext.allowPrivilegeEscalation"

// escalationKeys are a role's, the first that is set winning.
func escalationKeys(r role) []string {
	return []string{"spark.kubernetes." + r.name + "." + escalationProperty, "spark.kubernetes." + escalationProperty}
}

// privileged reports whether a container has what there is to be gained.
func privileged(context *corev1.SecurityContext) bool {
	if context == nil {
		return false
	}
	if context.Privileged != nil && *context.Privileged {
		return true
	}
	return context.Capabilities != nil && slices.ContainsFunc(context.Capabilities.Add, func(c corev1.Capability) bool {
		return c == "SYS_ADMIN" || c == "CAP_SYS_ADMIN"
	})
}
