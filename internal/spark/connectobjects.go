package spark

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// connectPod is the driver's pod with what clients and the operator know a server's by. It is ready when it listens to
// clients: before that Spark's context is being made.
func (p *planner) connectPod(connect *v1alpha1.SparkConnect) *corev1.Pod {
	pod := p.driver()
	pod.Labels[v1beta2.LabelSparkRole] = v1alpha1.SparkRoleConnectServer
	pod.Annotations[v1alpha1.AnnotationSpecHash] = ConnectHash(&connect.Spec)
	spark := &pod.Spec.Containers[len(pod.Spec.Containers)-1]
	if template := p.app.Spec.Driver.Template; template != nil {
		at := sparkContainerAt(&template.Spec, p.conf.get("spark.kubernetes.driver.podTemplateContainerName"), v1beta2.DriverContainerName)
		if at >= 0 && template.Spec.Containers[at].ImagePullPolicy != "" {
			spark.ImagePullPolicy = template.Spec.Containers[at].ImagePullPolicy
		}
	}
	if spark.ReadinessProbe == nil {
		spark.ReadinessProbe = &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{
				Port: intstr.FromInt32(p.conf.port("spark.connect.grpc.binding.port", defaultConnect)),
			}},
			PeriodSeconds: 2,
		}
	}
	return pod
}

// connectService is what the specification says of the Service, with Spark's ports before its own.
func (p *planner) connectService(said *corev1.Service) *corev1.Service {
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: p.meta(p.names.service),
	}
	delete(service.Labels, v1beta2.LabelRun)
	if said != nil {
		service.Labels = merged(said.Labels, service.Labels)
		service.Annotations = maps.Clone(said.Annotations)
		service.Spec = *said.Spec.DeepCopy()
	}
	service.Spec.Selector = map[string]string{
		v1alpha1.LabelConnectName: p.app.Name,
		v1beta2.LabelSparkRole:    v1alpha1.SparkRoleConnectServer,
	}
	// Executors call the server before it is ready: it makes them first.
	service.Spec.PublishNotReadyAddresses = true
	var ports []corev1.ServicePort
	for _, port := range p.driverPorts() {
		own := servicePort(port)
		own.Protocol = corev1.ProtocolTCP
		// The node's port is all that can be said of one of Spark's.
		at := slices.IndexFunc(service.Spec.Ports, func(theirs corev1.ServicePort) bool { return theirs.Port == own.Port })
		if at >= 0 {
			own.NodePort = service.Spec.Ports[at].NodePort
			service.Spec.Ports = slices.Delete(service.Spec.Ports, at, at+1)
		}
		ports = append(ports, own)
	}
	service.Spec.Ports = append(ports, service.Spec.Ports...)
	return service
}

// connectPolicies let only the server's own pods connect to its executors, as networkPolicies does for an application's.
func (p *planner) connectPolicies() []*networkingv1.NetworkPolicy {
	policies := p.networkPolicies()
	for _, policy := range policies {
		delete(policy.Labels, v1beta2.LabelRun)
		delete(policy.Labels, v1beta2.LabelSparkAppSelector)
		own := map[string]string{v1alpha1.LabelConnectName: p.app.Name}
		policy.Spec.PodSelector.MatchLabels = merged(own, map[string]string{v1beta2.LabelSparkRole: v1beta2.SparkRoleExecutor})
		policy.Spec.Ingress[0].From[0].PodSelector.MatchLabels = own
	}
	return policies
}
