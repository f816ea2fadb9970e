package spark

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	p.checkQueueLabel()
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
