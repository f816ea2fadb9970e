package spark

import corev1 "k8s.io/api/core/v1"

// sparkUID is the user that Spark's own images run as: spark_uid in their Dockerfiles.
const sparkUID = int64(185)

// secure gives Spark's container the security context that the "restricted" Pod Security Standard asks for, unless
// the application, in a field or its template, has said what it wants.
//
//   - It is the container's context and not the pod's, so that sidecars and init containers keep their own user: an
//     init container that prepares a volume as root is common.
//   - The user is given as a number because apache/spark's images name theirs, and kubelet cannot tell that a name is
//     not root. The group is not given: some images have uid 185 in group 0, some in group 185. Where the platform says
//     so the user is not given either: OpenShift refuses one that is not of the namespace's, and fills in one that is.
//   - The root file system stays writable: Spark's images work in /opt/spark/work-dir, and many keep their programs
//     there, so that an empty directory mounted over it would hide them.
func (p *planner) secure(pod *corev1.PodSpec, spark *corev1.Container) {
	if spark.SecurityContext != nil {
		return
	}
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
	spark.SecurityContext = context
}
