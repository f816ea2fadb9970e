package spark

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// connectServer is the class that serves Spark Connect: sbin/start-connect-server.sh.
const connectServer = "org.apache.spark.sql.connect.service.SparkConnectServer"

// ConnectPlan is everything that a Spark Connect server consists of, before it adds its executors.
type ConnectPlan struct {
	// Warnings are what the server's owner should know though it does not stop the server.
	Warnings []string
	// Port is the one that clients connect to.
	Port int32

	// Service is how server, clients and executors find each other. It stays while servers come and go, and so do the
	// NetworkPolicies.
	Service         *corev1.Service
	NetworkPolicies []*networkingv1.NetworkPolicy
	// ConfigMaps are read by the server when it starts.
	ConfigMaps []*corev1.ConfigMap
	Server     *corev1.Pod
}

// NewConnect plans a run of a Connect server. To Spark it is a driver whose program is in its own jars and never ends, so
// it is planned as an application with that program is, and differs in what its objects are called, in how they are found
// and in being reached from outside. Errors are those of New.
func NewConnect(connect *v1alpha1.SparkConnect, run Run, platform Platform) (*ConnectPlan, error) {
	plan, err := newConnect(connect, run, platform)
	return plan, ofServer(err)
}

func newConnect(connect *v1alpha1.SparkConnect, run Run, platform Platform) (*ConnectPlan, error) {
	of, warning := releaseOf(connect.Spec.SparkVersion)
	of.connectPort, of.connectGRPC = true, true // whichever Spark it is, clients are to reach it
	app := asApplication(connect)
	errs := validate(app)
	errs = append(errs, refusals(app.Spec.SparkConf, field.NewPath("spec", "sparkConf"))...)
	errs = append(errs, refusals(platform.SparkConf, field.NewPath("operator", "sparkConf"))...)
	if len(errs) > 0 {
		return nil, aggregate(errs)
	}
	self := identity{
		owner:  *metav1.NewControllerRef(connect, v1alpha1.GroupVersion.WithKind(v1alpha1.SparkConnectKind)),
		labels: connectLabels(connect, run),
	}
	p := &planner{
		identity: self,
		app:      app,
		platform: platform,
		release:  of,
		conf:     assemble(app, run, self.labels, platform, of),
		names:    connectNames(connect, run),
	}
	if warning != "" {
		p.warnings = append(p.warnings, warning)
	}
	return p.connect(connect)
}

// connect is plan for a Connect server.
func (p *planner) connect(connect *v1alpha1.SparkConnect) (*ConnectPlan, error) {
	p.conf.errs = append(p.conf.errs, contradictions(p.app, p.conf)...)
	p.checkConnect()
	checkMetadata(p.conf, p.release)
	checkExecutors(p.conf)
	p.warnings = append(p.warnings, p.idle()...)
	p.warnings = append(p.warnings, idleConnect(connect, p.conf, p.release)...)

	trust, err := p.trust()
	if err != nil {
		return nil, err
	}
	executor := p.executorPod()
	template, err := p.executorTemplate(executor)
	if err != nil {
		return nil, err
	}
	plan := &ConnectPlan{
		Port:            p.conf.port("spark.connect.grpc.binding.port", defaultConnect),
		Service:         p.connectService(connect.Spec.Server.Service),
		NetworkPolicies: p.connectPolicies(),
		Server:          p.connectPod(connect),
	}
	conf := p.confMap()
	maps.Copy(conf.Data, template.Data)
	plan.ConfigMaps = slices.Concat(trust, p.platformConf(), []*corev1.ConfigMap{conf})
	for _, configMap := range plan.ConfigMaps {
		configMap.Immutable = nil // the next run's has the same name
		delete(configMap.Labels, v1beta2.LabelRun)
	}
	p.checkPod(driverRole(p.app), &plan.Server.Spec)
	p.checkPod(executorRole(p.app), &p.sampleExecutor(executor).Spec)
	if len(p.conf.errs) > 0 {
		return nil, aggregate(p.conf.errs)
	}
	plan.Warnings = p.warnings
	return plan, nil
}

// asApplication is the application that a Connect server is to Spark.
func asApplication(connect *v1alpha1.SparkConnect) *v1beta2.SparkApplication {
	spec := &connect.Spec
	app := &v1beta2.SparkApplication{
		ObjectMeta: metav1.ObjectMeta{Name: connect.Name, Namespace: connect.Namespace, UID: connect.UID, Labels: connect.Labels},
	}
	app.Spec = v1beta2.SparkApplicationSpec{
		Type: v1beta2.SparkApplicationTypeScala, MainClass: connectServer, MainApplicationFile: noResource,
		SparkVersion: spec.SparkVersion, SparkConf: spec.SparkConf, HadoopConf: spec.HadoopConf, DynamicAllocation: spec.DynamicAllocation,
	}
	if spec.Image != nil {
		app.Spec.Image = *spec.Image
	}
	app.Spec.Driver.SparkPodSpec = asPod(spec.Server.SparkPodSpec, spec.SparkConf, driverRole(app))
	app.Spec.Executor.SparkPodSpec = asPod(spec.Executor.SparkPodSpec, spec.SparkConf, executorRole(app))
	app.Spec.Executor.Instances = spec.Executor.Instances
	return app
}

// asPod is what the specification says of a role. This API has no fields for a role's image and its CPU beside cores, so
// that its users say both in the template, where Spark looks for neither.
func asPod(said v1alpha1.SparkPodSpec, conf map[string]string, r role) v1beta2.SparkPodSpec {
	pod := v1beta2.SparkPodSpec{Template: said.Template.DeepCopy(), Cores: said.Cores}
	if said.Memory != nil {
		pod.Memory = *said.Memory
	}
	if pod.Template == nil {
		return pod
	}
	if account := pod.Template.Spec.DeprecatedServiceAccount; pod.Template.Spec.ServiceAccountName == "" {
		pod.Template.Spec.ServiceAccountName = account
	}
	at := sparkContainerAt(&pod.Template.Spec, conf["spark.kubernetes."+r.name+".podTemplateContainerName"], r.container)
	if at < 0 {
		return pod
	}
	spark := &pod.Template.Spec.Containers[at]
	pod.Image = spark.Image
	if cpu, ok := spark.Resources.Requests[corev1.ResourceCPU]; ok && conf["spark.kubernetes."+r.name+".request.cores"] == "" {
		pod.CoreRequest = cpu.String()
	}
	if cpu, ok := spark.Resources.Limits[corev1.ResourceCPU]; ok && conf["spark.kubernetes."+r.name+".limit.cores"] == "" {
		pod.CoreLimit = cpu.String()
	}
	return pod
}

// connectNames are those of newNames for what Spark makes, and those of the API for what it is found by. A server's objects
// have the names of the one before.
func connectNames(connect *v1alpha1.SparkConnect, run Run) names {
	n := newNames(connect.Name, connect.UID, run.Number, connect.Name+"-server")
	n.service = connect.Name + "-server"
	if service := connect.Spec.Server.Service; service != nil && service.Name != "" {
		n.service = service.Name
	}
	n.conf, n.template = connect.Name+"-conf", connect.Name+"-conf"
	n.trust, n.policy = connect.Name+"-trust", connect.Name+"-executors"
	n.ivy, n.env = connect.Name+"-ivy", connect.Name
	return n
}

// connectLabels are on every object of a run, executors included. The label by which pods of applications are found is not
// among them: nothing of a server's is an application's.
func connectLabels(connect *v1alpha1.SparkConnect, run Run) map[string]string {
	return map[string]string{
		v1alpha1.LabelConnectName: connect.Name,
		v1beta2.LabelRun:          fmt.Sprint(run.Number),
	}
}

// ConnectHash is a digest of what a server is made from. The Service can change while the server runs, but for its name,
// which is in the server's configuration.
func ConnectHash(spec *v1alpha1.SparkConnectSpec) string {
	spec = spec.DeepCopy()
	if service := spec.Server.Service; service != nil {
		spec.Server.Service = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: service.Name}}
		if service.Name == "" {
			spec.Server.Service = nil
		}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		panic(fmt.Sprintf("a specification that came as JSON cannot be written as JSON: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

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

// checkConnect finds what a driver can be told and a Connect server cannot.
func (p *planner) checkConnect() {
	if key := "spark.kubernetes.driver.pod.name"; p.conf.has(key) {
		p.conf.invalid(key, "is the name of a pod that clients look for by another, "+p.names.driverPod+"; leave it out")
	}
	if allocator := p.conf.get(allocatorProperty); allocator != "" && allocator != string(DirectAllocator) {
		p.conf.invalid(allocatorProperty, "makes executors that outlive the server they belong to; write direct, or leave it out")
	}
}

// idleConnect are things said that change nothing, and what may be missing.
func idleConnect(connect *v1alpha1.SparkConnect, conf *settings, of release) []string {
	var warnings []string
	roles := map[string]*corev1.PodTemplateSpec{"server": connect.Spec.Server.Template, "executor": connect.Spec.Executor.Template}
	for _, role := range slices.Sorted(maps.Keys(roles)) {
		template := roles[role]
		if template == nil || len(template.Spec.Containers) == 0 {
			continue
		}
		at := max(0, sparkContainerAt(&template.Spec, v1beta2.DriverContainerName, v1beta2.ExecutorContainerName))
		resources := template.Spec.Containers[at].Resources
		_, requested := resources.Requests[corev1.ResourceMemory]
		if _, limited := resources.Limits[corev1.ResourceMemory]; requested || limited {
			warnings = append(warnings, "spec."+role+".template: the memory of Spark's container has no effect; it follows from spec."+role+".memory")
		}
	}
	if of.major < 4 && !strings.Contains(conf.get("spark.jars.packages")+conf.get("spark.jars"), "spark-connect_") {
		warnings = append(warnings, fmt.Sprintf("spec.sparkVersion: Spark %s has Connect in a jar of its own; unless the image has it, write "+
			"spark.jars.packages: org.apache.spark:spark-connect_2.12:%s into spec.sparkConf", of, connect.Spec.SparkVersion))
	}
	return warnings
}

// ofServer names the fields of err as this API does.
func ofServer(err error) error {
	all, ok := errors.AsType[utilerrors.Aggregate](err)
	if !ok {
		return err
	}
	names := strings.NewReplacer(
		"by spec.driver.secrets", "in spec.server.template", "spec.driver.", "spec.server.",
		"use spec.batchScheduler and spec.batchSchedulerOptions", "leave it out",
		"lower coreRequest", "lower the CPU that its template requests",
	)
	var errs field.ErrorList
	for _, each := range all.Errors() {
		fault, ok := errors.AsType[*field.Error](each)
		if !ok {
			return err
		}
		renamed := *fault
		renamed.Field, renamed.Detail = names.Replace(fault.Field), names.Replace(fault.Detail)
		errs = append(errs, &renamed)
	}
	return errs.ToAggregate()
}
