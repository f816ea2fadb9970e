package v1beta2

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// SparkUIConfiguration shapes the Service and the Ingress of the driver's web interface.
type SparkUIConfiguration struct {
	// ServicePort is the Service's port. Default: the port that the interface listens on, 4040.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ServicePort *int32 `json:"servicePort,omitempty"`
	// ServicePortName is the name of the Service's port. Default: spark-driver-ui-port.
	// +optional
	ServicePortName string `json:"servicePortName,omitempty"`
	// ServiceType is the Service's type. Default: ClusterIP.
	// +optional
	// +kubebuilder:validation:Enum={ClusterIP,NodePort,LoadBalancer}
	ServiceType corev1.ServiceType `json:"serviceType,omitempty"`
	// ServiceAnnotations are added to the Service.
	// +optional
	ServiceAnnotations map[string]string `json:"serviceAnnotations,omitempty"`
	// ServiceLabels are added to the Service.
	// +optional
	ServiceLabels map[string]string `json:"serviceLabels,omitempty"`
	// IngressAnnotations are added to the Ingress.
	// +optional
	IngressAnnotations map[string]string `json:"ingressAnnotations,omitempty"`
	// IngressTLS are the hosts that the Ingress serves with TLS, and the Secrets with their certificates.
	// +optional
	IngressTLS []networkingv1.IngressTLS `json:"ingressTLS,omitempty"`
}

// DriverIngressConfiguration exposes one further port of the driver by a Service and an Ingress.
type DriverIngressConfiguration struct {
	// ServicePort is the driver's port, and the Service's.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	ServicePort int32 `json:"servicePort"`
	// ServicePortName is the name of the Service's port.
	ServicePortName string `json:"servicePortName"`
	// ServiceType is the Service's type. Default: ClusterIP.
	// +optional
	// +kubebuilder:validation:Enum={ClusterIP,NodePort,LoadBalancer}
	ServiceType corev1.ServiceType `json:"serviceType,omitempty"`
	// ServiceAnnotations are added to the Service.
	// +optional
	ServiceAnnotations map[string]string `json:"serviceAnnotations,omitempty"`
	// ServiceLabels are added to the Service.
	// +optional
	ServiceLabels map[string]string `json:"serviceLabels,omitempty"`
	// IngressURLFormat is the URL under which the port is found, in which {{$appName}}, {{$appNamespace}} and
	// {{$appId}} stand for the application's name, its namespace and Spark's ID of it. Default: no Ingress is made.
	// +optional
	IngressURLFormat string `json:"ingressURLFormat,omitempty"`
	// IngressAnnotations are added to the Ingress.
	// +optional
	IngressAnnotations map[string]string `json:"ingressAnnotations,omitempty"`
	// IngressTLS are the hosts that the Ingress serves with TLS, and the Secrets with their certificates.
	// +optional
	IngressTLS []networkingv1.IngressTLS `json:"ingressTLS,omitempty"`
}

// DefaultUIPortName is the name of the port of the web interface's Service.
const DefaultUIPortName = "spark-driver-ui-port"
