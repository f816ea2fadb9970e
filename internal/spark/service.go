package spark

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"brazier.sh/brazier/api/v1beta2"
)

// Spark's ports, their names and defaults: Constants.scala of its Kubernetes module, SparkUI, Connect.
const (
	portRPC, defaultRPC         = "driver-rpc-port", 7078
	portBlocks, defaultBlocks   = "blockmanager", 7079
	portUI, defaultUI           = "spark-ui", 4040
	portConnect, defaultConnect = "spark-connect", 15002
)

// port is a port that Spark's driver listens on.
type port struct {
	name     string
	number   int32
	protocol string // the protocol above TCP, where Spark names it
}

// driverPorts are the driver's ports in Spark's order.
func (p *planner) driverPorts() []port {
	ports := []port{
		{name: portRPC, number: p.conf.port("spark.driver.port", defaultRPC)},
		{name: portBlocks, number: p.conf.port("spark.driver.blockManager.port", defaultBlocks)},
		{name: portUI, number: p.uiPort()},
	}
	if p.release.connectPort {
		connect := port{name: portConnect, number: p.conf.port("spark.connect.grpc.binding.port", defaultConnect)}
		if p.release.connectGRPC {
			connect.protocol = "grpc"
		}
		ports = append(ports, connect)
	}
	return ports
}

func (p *planner) uiPort() int32 { return p.conf.port("spark.ui.port", defaultUI) }

// driverService gives the driver the name by which executors reach it: DriverServiceFeatureStep.
func (p *planner) driverService() *corev1.Service {
	meta := p.meta(p.names.service)
	maps.Copy(meta.Labels, p.conf.under("spark.kubernetes.driver.service.label."))
	maps.Copy(meta.Labels, p.labels)
	meta.Labels[v1beta2.LabelSparkAppSelector] = p.names.appID
	meta.Annotations = p.conf.under("spark.kubernetes.driver.service.annotation.")

	policy := corev1.IPFamilyPolicySingleStack
	if asked := p.conf.get("spark.kubernetes.driver.service.ipFamilyPolicy"); asked != "" {
		policy = corev1.IPFamilyPolicy(asked)
	}
	families := []corev1.IPFamily{corev1.IPv4Protocol}
	if asked := p.conf.list("spark.kubernetes.driver.service.ipFamilies"); len(asked) > 0 {
		families = nil
		for _, family := range asked {
			families = append(families, corev1.IPFamily(family))
		}
	}
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			ClusterIP:      corev1.ClusterIPNone,
			IPFamilyPolicy: &policy,
			IPFamilies:     families,
			Selector:       p.driverLabels(),
		},
	}
	if p.release.publishNotReady {
		service.Spec.PublishNotReadyAddresses = p.conf.boolean("spark.kubernetes.driver.service.publishNotReadyAddresses")
	}
	for _, port := range p.driverPorts() {
		service.Spec.Ports = append(service.Spec.Ports, servicePort(port))
	}
	return service
}

func servicePort(port port) corev1.ServicePort {
	p := corev1.ServicePort{Name: port.name, Port: port.number, TargetPort: intstr.FromInt32(port.number)}
	if port.protocol != "" {
		p.AppProtocol = &port.protocol
	}
	return p
}

// host is the driver's name in the cluster's DNS.
func (p *planner) host() string {
	host := p.names.service + "." + p.app.Namespace + ".svc"
	if p.platform.ClusterDomain != "" {
		host += "." + p.platform.ClusterDomain
	}
	return host
}

// The step that an application may leave out of those that make a driver, the only one that can be told from outside.
const networkPolicyStep = "org.apache.spark.deploy.k8s.features.NetworkPolicyFeatureStep"

// networkPolicies let only the application's own pods connect to its executors: NetworkPolicyFeatureStep.
func (p *planner) networkPolicies() []*networkingv1.NetworkPolicy {
	if !p.release.networkPolicy || p.conf.get("spark.kubernetes.driver.pod.excludedFeatureSteps") == networkPolicyStep {
		return nil
	}
	meta := p.meta(p.names.policy)
	meta.Labels[v1beta2.LabelSparkAppSelector] = p.names.appID
	own := map[string]string{v1beta2.LabelSparkAppSelector: p.names.appID}
	return []*networkingv1.NetworkPolicy{{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: meta,
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{
				v1beta2.LabelSparkAppSelector: p.names.appID,
				v1beta2.LabelSparkRole:        v1beta2.SparkRoleExecutor,
			}},
			Ingress: append([]networkingv1.NetworkPolicyIngressRule{{
				From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: own}}},
			}}, p.scrapers()...),
		},
	}}
}
