package v1alpha1

import "brazier.sh/brazier/api/v1beta2"

// LabelConnectName on a pod or a Service is the name of the SparkConnect that it belongs to.
const LabelConnectName = v1beta2.GroupName + "/connect-name"

// SparkRoleConnectServer is the value of v1beta2.LabelSparkRole on the server's pod.
const SparkRoleConnectServer = "connect-server"

// AnnotationSpecHash on the server's pod is a digest of the specification that it was made from.
const AnnotationSpecHash = "brazier.sh/spec-hash"
