package spark

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Ingress is how the web interfaces of drivers are reached from outside the cluster.
type Ingress struct {
	// URLFormat is the URL of an application's web interface, in which {{$appName}}, {{$appNamespace}} and {{$appId}}
	// stand for its name, its namespace and Spark's ID of it. Without a scheme it is https where TLS is set, http
	// otherwise. Default: no Ingress is made.
	URLFormat string `json:"urlFormat,omitempty"`
	// Class is the IngressClass. Default: the cluster's.
	Class string `json:"class,omitempty"`
	// Annotations are on every Ingress; an application's own win over them.
	Annotations map[string]string `json:"annotations,omitempty"`
	// TLS are the hosts served with TLS, where an application does not say so itself.
	TLS []networkingv1.IngressTLS `json:"tls,omitempty"`
	// Rewrite is who takes a path of URLFormat away before a request reaches the driver, which serves its pages at /:
	// RewriteNGINX, the default, writes the path and the annotation that ingress-nginx and those compatible with it do it
	// by; RewriteNone writes the path as it is, for controllers that are told by Annotations.
	Rewrite Rewrite `json:"rewrite,omitempty"`
}

// Rewrite says how an Ingress has a path taken away.
type Rewrite string

// The ways to have a path taken away.
const (
	RewriteNGINX Rewrite = "nginx"
	RewriteNone  Rewrite = "none"
)

// Validate finds what is wrong with the platform's part, at path.
func (i Ingress) Validate(path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if i.URLFormat != "" {
		if _, err := i.address(i.URLFormat, i.TLS, strings.NewReplacer("appNamespace", "team", "appName", "app", "appId", "spark-0")); err != nil {
			errs = append(errs, field.Invalid(path.Child("urlFormat"), i.URLFormat, err.Error()))
		}
	}
	switch i.Rewrite {
	case "", RewriteNGINX, RewriteNone:
	default:
		errs = append(errs, field.NotSupported(path.Child("rewrite"), i.Rewrite, []Rewrite{RewriteNGINX, RewriteNone}))
	}
	return errs
}

var placeholder = regexp.MustCompile(`\{\{\s*\$(appName|appNamespace|appId)\s*\}\}`)

// address is the URL that format comes to, with values for the names of what it can hold.
func (i Ingress) address(format string, tls []networkingv1.IngressTLS, values *strings.Replacer) (*url.URL, error) {
	text := placeholder.ReplaceAllStringFunc(format, func(found string) string {
		return values.Replace(placeholder.FindStringSubmatch(found)[1])
	})
	if strings.Contains(text, "{{") {
		return nil, errors.New("has a placeholder that is not known; there are {{$appName}}, {{$appNamespace}} and {{$appId}}")
	}
	if !strings.Contains(text, "://") {
		scheme := "http://"
		if len(tls) > 0 {
			scheme = "https://"
		}
		text = scheme + text
	}
	address, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("is not a URL: %w", err)
	}
	host := strings.TrimPrefix(address.Host, "*.")
	if why := validation.IsDNS1123Subdomain(host); len(why) > 0 {
		return nil, fmt.Errorf("gives the host %q, which an Ingress cannot have; write a name without a port, for example spark.example.com/{{$appNamespace}}/{{$appName}}", address.Host)
	}
	if address.RawQuery != "" || address.Fragment != "" {
		return nil, errors.New("has a query or a fragment, which an Ingress does not know; leave it out")
	}
	address.Path = strings.TrimSuffix(address.Path, "/")
	return address, nil
}

// exposure is one Service of the driver and what leads to it from outside.
type exposure struct {
	service, ingress string // names
	missing          string // what an Ingress lacks that the application asks for, if it lacks it
	path             *field.Path
	port             corev1.ServicePort
	options          v1beta2.DriverIngressConfiguration
}

func (p *planner) servesUI() bool { return !strings.EqualFold(p.conf.get("spark.ui.enabled"), "false") }

// uiExposure is that of the web interface, which has options of its own. It is nil where the interface is turned off, or
// the platform gives it no Service and the application does not ask for one.
func (p *planner) uiExposure() *exposure {
	off := p.platform.UIService != nil && !*p.platform.UIService && p.app.Spec.SparkUIOptions == nil
	if off || !p.servesUI() {
		return nil
	}
	said := v1beta2.SparkUIConfiguration{}
	if p.app.Spec.SparkUIOptions != nil {
		said = *p.app.Spec.SparkUIOptions
	}
	e := &exposure{
		service: p.names.uiService,
		ingress: p.app.Name + "-ui-ingress",
		path:    field.NewPath("spec", "sparkUIOptions"),
		port:    corev1.ServicePort{Name: v1beta2.DefaultUIPortName, Port: p.uiPort(), TargetPort: intstr.FromInt32(p.uiPort())},
		options: v1beta2.DriverIngressConfiguration{
			ServiceType: said.ServiceType, ServiceAnnotations: said.ServiceAnnotations, ServiceLabels: said.ServiceLabels,
			IngressURLFormat: p.platform.Ingress.URLFormat, IngressAnnotations: said.IngressAnnotations, IngressTLS: said.IngressTLS,
		},
	}
	if len(said.IngressAnnotations) > 0 || len(said.IngressTLS) > 0 {
		e.missing = "the operator is configured without ingress.urlFormat"
	}
	if said.ServicePort != nil {
		e.port.Port = *said.ServicePort
	}
	if said.ServicePortName != "" {
		e.port.Name = said.ServicePortName
	}
	return e
}

// driverExposures are those of spec.driverIngressOptions. Without a URL format of its own a port has a Service alone: the
// platform's leads to the web interface.
func (p *planner) driverExposures() []exposure {
	var found []exposure
	for i, options := range p.app.Spec.DriverIngressOptions {
		path := field.NewPath("spec", "driverIngressOptions").Index(i)
		for _, earlier := range found {
			if earlier.options.ServicePort == options.ServicePort {
				p.conf.errs = append(p.conf.errs, field.Duplicate(path.Child("servicePort"), options.ServicePort))
			}
		}
		port, missing := options.ServicePort, ""
		if len(options.IngressAnnotations) > 0 || len(options.IngressTLS) > 0 {
			missing = "it needs an ingressURLFormat"
		}
		found = append(found, exposure{
			service: serviceName(p.app.Name, fmt.Sprintf("-driver-%d", port), p.app.UID),
			ingress: fmt.Sprintf("%s-ing-%d", p.app.Name, port),
			missing: missing,
			path:    path,
			port:    corev1.ServicePort{Name: options.ServicePortName, Port: port, TargetPort: intstr.FromInt32(port)},
			options: options,
		})
	}
	return found
}

// expose adds the Services and Ingresses by which people and dashboards find the driver. Their names are the
// application's, whatever the run, and so is what the Services select.
func (p *planner) expose(plan *Plan) {
	exposures := p.driverExposures()
	ui := p.uiExposure()
	if p.servesUI() {
		plan.UIPort = p.uiPort()
	}
	if ui != nil {
		plan.UIService, plan.UIPort = ui.service, ui.port.Port
		exposures = append([]exposure{*ui}, exposures...)
	}
	taken := map[string]exposure{}
	for i, e := range exposures {
		plan.Services = append(plan.Services, p.exposedService(e))
		address := p.addressOf(e)
		if address == nil {
			continue
		}
		place := address.Host + address.Path
		if other, ok := taken[place]; ok {
			p.conf.errs = append(p.conf.errs, field.Invalid(e.path.Child("ingressURLFormat"), e.options.IngressURLFormat,
				"leads to "+place+", as that of "+other.path.String()+" does; give each a host or a path of its own"))
		}
		taken[place] = e
		plan.Ingresses = append(plan.Ingresses, p.ingress(e, address))
		if ui != nil && i == 0 {
			plan.UIIngress, plan.UIAddress = e.ingress, address.String()
			p.servePath(address.Path)
		}
	}
}

func (p *planner) exposedService(e exposure) *corev1.Service {
	e.port.Protocol = corev1.ProtocolTCP
	kind := corev1.ServiceTypeClusterIP
	if e.options.ServiceType != "" {
		kind = e.options.ServiceType
	}
	meta := p.meta(e.service)
	meta.Annotations = maps.Clone(e.options.ServiceAnnotations)
	meta.Labels = merged(e.options.ServiceLabels, meta.Labels)
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			Type:  kind,
			Ports: []corev1.ServicePort{e.port},
			Selector: map[string]string{
				v1beta2.LabelAppName:   p.app.Name,
				v1beta2.LabelSparkRole: v1beta2.SparkRoleDriver,
			},
		},
	}
}

// addressOf is where e is found from outside, or nil if it is not to be.
func (p *planner) addressOf(e exposure) *url.URL {
	if e.options.IngressURLFormat == "" {
		if e.missing != "" {
			p.warnings = append(p.warnings, e.path.String()+": there is no Ingress; "+e.missing)
		}
		return nil
	}
	values := strings.NewReplacer("appNamespace", p.app.Namespace, "appName", p.app.Name, "appId", p.names.appID)
	address, err := p.platform.Ingress.address(e.options.IngressURLFormat, p.ingressTLS(e), values)
	if err != nil {
		p.conf.errs = append(p.conf.errs, field.Invalid(e.path.Child("ingressURLFormat"), e.options.IngressURLFormat, err.Error()))
		return nil
	}
	return address
}

func (p *planner) ingressTLS(e exposure) []networkingv1.IngressTLS {
	if len(e.options.IngressTLS) > 0 {
		return e.options.IngressTLS
	}
	return p.platform.Ingress.TLS
}

func (p *planner) ingress(e exposure, address *url.URL) *networkingv1.Ingress {
	meta := p.meta(e.ingress)
	meta.Annotations = merged(p.platform.Ingress.Annotations, e.options.IngressAnnotations)
	kind, path := networkingv1.PathTypePrefix, address.Path
	switch {
	case path == "":
		path = "/"
	case p.platform.Ingress.Rewrite != RewriteNone:
		const rewrite = "nginx.ingress.kubernetes.io/rewrite-target"
		meta.Annotations = merged(map[string]string{rewrite: "/$2"}, meta.Annotations)
		kind, path = networkingv1.PathTypeImplementationSpecific, path+"(/|$)(.*)"
	}
	ingress := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: meta,
		Spec: networkingv1.IngressSpec{
			TLS: p.ingressTLS(e),
			Rules: []networkingv1.IngressRule{{
				Host: address.Host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: networkingv1.IngressBackend{
						Service: &networkingv1.IngressServiceBackend{Name: e.service, Port: networkingv1.ServiceBackendPort{Number: e.port.Port}},
					}}},
				}},
			}},
		},
	}
	if class := p.platform.Ingress.Class; class != "" {
		ingress.Spec.IngressClassName = &class
	}
	return ingress
}

// servePath makes Spark's web interface write links that lead through the Ingress, where that has it under a path.
func (p *planner) servePath(path string) {
	if path == "" {
		return
	}
	p.conf.fill("spark.ui.proxyBase", path, nil)
	p.conf.fill("spark.ui.proxyRedirectUri", "/", nil)
}
