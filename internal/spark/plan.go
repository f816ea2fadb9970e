// Package spark turns the specification of a Spark application into a plan: the objects with which Spark's own
// spark-submit, of the version that the application names, would have started it in cluster mode.
//
// It is pure. The same application, run and platform give the same objects; nothing here reads a clock, a file or a
// cluster, or draws a random number. What the objects are for is known here; whether they exist is not: that, and
// creating them, is the application controller's work.
package spark

import (
	"cmp"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// Run is one submission of an application.
type Run struct {
	// Number counts an application's submissions and never goes back; names are made of it.
	Number int64
	// SubmittedAt is when the run was decided. It is part of immutable objects, so it has to be remembered with the
	// number rather than read from the clock again.
	SubmittedAt time.Time
	// Queue is the queue that it is in; nil where it is in none.
	Queue *Queue
}

// Platform is what the operator adds to every application that does not say otherwise itself.
type Platform struct {
	// Image is the container image of applications that name none; {{SPARK_VERSION}} in it is the application's.
	Image string
	// SparkConf are properties over which the application's own win.
	SparkConf map[string]string
	// TrustBundle are the certificates, in PEM, that driver and executors trust instead of those in their image. It is
	// empty where the image's own will do.
	TrustBundle []byte
	// ObjectStoreSecret names a Secret in the application's namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	// Applications start without it where it does not exist.
	ObjectStoreSecret string
	// ServiceAccount is the account of drivers that name none. Default: DefaultServiceAccount.
	ServiceAccount string
	// Ingress is how drivers' web interfaces are reached from outside the cluster.
	Ingress Ingress
	// ClusterDomain is the cluster's DNS domain. It is empty for clusters whose pods find names below svc without it.
	ClusterDomain string
	// APIServer is the URL at which drivers find the API server. Default: https://kubernetes.default.svc.
	APIServer string
	// TimeToLiveSeconds is how long an application that does not say so itself is kept after its end. Default: for ever.
	TimeToLiveSeconds *int64
	// UIService says whether the driver of an application without sparkUIOptions gets a Service for its web interface, and
	// with it an Ingress. Default: it does.
	UIService *bool
	// Proxy is how driver and executors reach what is outside the cluster. Default: by themselves.
	Proxy Proxy
	// PipIndexURL is where pip finds packages. Default: pip's own.
	PipIndexURL string
	// IvySettings is the text of the settings file by which drivers get Java packages. Default: Maven Central.
	IvySettings string
	// AnyUser leaves it to the cluster which user Spark's containers of Image run as, as OpenShift wants it. Default: 185, the
	// user of Spark's images. Images of applications run as their own user.
	AnyUser bool
}

// Validate finds what is wrong with the platform's defaults, by the names that the operator's configuration has for them.
func (p Platform) Validate() field.ErrorList {
	errs := p.Ingress.Validate(field.NewPath("ingress"))
	errs = append(errs, p.Proxy.validate(field.NewPath("proxy"))...)
	errs = append(errs, validateAddress(field.NewPath("pipIndexUrl"), p.PipIndexURL, "https", "http")...)
	if p.TimeToLiveSeconds != nil && *p.TimeToLiveSeconds < 0 {
		errs = append(errs, field.Invalid(field.NewPath("timeToLiveSeconds"), *p.TimeToLiveSeconds,
			"is in the past; write 0 or more, or leave it out to keep applications for ever"))
	}
	if p.IvySettings != "" {
		if err := checkIvySettings(p.IvySettings); err != nil {
			errs = append(errs, field.Invalid(field.NewPath("ivySettings"), "<its text>", err.Error()))
		}
	}
	return errs
}

// DefaultServiceAccount is the account that installing Brazier makes for drivers.
const DefaultServiceAccount = "spark"

func (p Platform) serviceAccount() string {
	if p.ServiceAccount != "" {
		return p.ServiceAccount
	}
	return DefaultServiceAccount
}

// Plan is everything that one run of an application consists of, before Spark's driver adds its executors.
type Plan struct {
	// AppID is spark.app.id, the ID under which Spark labels its pods and writes its event log.
	AppID string
	// SubmissionID identifies the run towards clients of the API.
	SubmissionID string
	// UIService is the name of the Service of the driver's web interface, and UIPort its port, or the driver's where there
	// is no Service. They are empty where the application has turned the interface off.
	UIService string
	UIPort    int32
	// UIIngress is the name of the Ingress of the web interface, and UIAddress its URL. They are empty where there is none.
	UIIngress, UIAddress string
	// Warnings are what the application's owner should know though it does not stop the application.
	Warnings []string
	// Demand is what the run asks of its cluster.
	Demand Demand

	ConfigMaps      []*corev1.ConfigMap
	Services        []*corev1.Service
	Ingresses       []*networkingv1.Ingress
	NetworkPolicies []*networkingv1.NetworkPolicy
	Claims          []*corev1.PersistentVolumeClaim
	// DisruptionBudget is nil unless the application asks for one.
	DisruptionBudget *policyv1.PodDisruptionBudget
	// PodGroup is nil unless the application names a batch scheduler that has such a kind.
	PodGroup *unstructured.Unstructured
	Driver   *corev1.Pod
	// Executor is how an executor's pod will look. It is not one of the plan's objects: it is there for the API server to be
	// asked whether it would take such a pod, and nil where there is nothing to ask.
	Executor *corev1.Pod
}

// Object is any object of a plan.
type Object interface {
	metav1.Object
	runtime.Object
}

// Objects returns the plan's objects in the order in which they are to be created. The driver's pod comes last: it
// finds its configuration mounted and its name in the DNS from its first moment, which a pod that Spark's own
// spark-submit creates first does not.
func (p *Plan) Objects() []Object {
	var objects []Object
	for _, o := range p.ConfigMaps {
		objects = append(objects, o)
	}
	for _, o := range p.Services {
		objects = append(objects, o)
	}
	for _, o := range p.Ingresses {
		objects = append(objects, o)
	}
	for _, o := range p.NetworkPolicies {
		objects = append(objects, o)
	}
	for _, o := range p.Claims {
		objects = append(objects, o)
	}
	if p.DisruptionBudget != nil {
		objects = append(objects, p.DisruptionBudget)
	}
	if p.PodGroup != nil {
		objects = append(objects, p.PodGroup)
	}
	return append(objects, p.Driver)
}

// New plans a run of app. An application that cannot be submitted, or that asks for something that Brazier does not
// do, gives an error that lists every reason, each with its field, its value and the way out.
func New(app *v1beta2.SparkApplication, run Run, platform Platform) (*Plan, error) {
	of, warning := releaseOf(app.Spec.SparkVersion)
	errs := validate(app)
	errs = append(errs, refusals(app.Spec.SparkConf, field.NewPath("spec", "sparkConf"))...)
	errs = append(errs, refusals(platform.SparkConf, field.NewPath("operator", "sparkConf"))...)
	if len(errs) > 0 {
		return nil, aggregate(errs)
	}
	self := identity{
		owner:  *metav1.NewControllerRef(app, v1beta2.GroupVersion.WithKind(v1beta2.SparkApplicationKind)),
		labels: runLabels(app, run),
	}
	conf := assemble(app, run, self.labels, platform, of)
	p := &planner{
		identity: self,
		app:      app,
		platform: platform,
		release:  of,
		conf:     conf,
		queue:    run.Queue,
		names:    newNames(app.Name, app.UID, run.Number, conf.get("spark.kubernetes.driver.pod.name")),
	}
	if warning != "" {
		p.warnings = append(p.warnings, warning)
	}
	return p.plan()
}

// aggregate makes one error of all, the same each time: some were found by looking through maps.
func aggregate(errs field.ErrorList) error {
	slices.SortStableFunc(errs, func(a, b *field.Error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errs.ToAggregate()
}

// identity is whom the objects of a run belong to, and the labels that all of them have.
type identity struct {
	owner  metav1.OwnerReference
	labels map[string]string
}

// planner holds what the makers of the single objects share.
type planner struct {
	identity
	app      *v1beta2.SparkApplication
	platform Platform
	release  release
	conf     *settings
	names    names
	// queue is nil for a run that is in none.
	queue    *Queue
	warnings []string
	// env are the ConfigMaps that containers take the platform's variables from.
	env []*corev1.ConfigMap
}

func (p *planner) plan() (*Plan, error) {
	p.conf.errs = append(p.conf.errs, contradictions(p.app, p.conf)...)
	p.conf.errs = append(p.conf.errs, validateMonitoring(p.app, p.conf)...)
	checkMetadata(p.conf, p.release)
	checkExecutors(p.conf)
	p.checkAllocator()
	p.checkQueueLabel()
	p.allowExecutorMemory()
	p.group()
	p.warnings = append(p.warnings, p.idle()...)

	trust, err := p.trust()
	if err != nil {
		return nil, err
	}
	executor := p.executorPod()
	p.enqueue(executor)
	executors, err := p.executorTemplate(executor)
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		AppID:            p.names.appID,
		SubmissionID:     p.names.submissionID,
		Services:         []*corev1.Service{p.driverService()},
		NetworkPolicies:  p.networkPolicies(),
		Claims:           p.claims(),
		DisruptionBudget: p.disruptionBudget(),
		Driver:           p.driver(),
	}
	plan.Demand = p.demand(plan.Driver, executor)
	if err := p.gang(plan, executor); err != nil {
		return nil, err
	}
	p.expose(plan)
	sample := p.sampleExecutor(executor)
	if p.questionable() {
		plan.Executor = sample
	}
	plan.ConfigMaps = append(plan.ConfigMaps, trust...)
	plan.ConfigMaps = append(plan.ConfigMaps, p.metricsConf()...)
	plan.ConfigMaps = append(plan.ConfigMaps, p.platformConf()...)
	plan.ConfigMaps = append(plan.ConfigMaps, executors, p.confMap())
	p.checkPod(driverRole(p.app), &plan.Driver.Spec)
	p.checkPod(executorRole(p.app), &sample.Spec)
	if len(p.conf.errs) > 0 {
		return nil, aggregate(p.conf.errs)
	}
	plan.Warnings = p.warnings
	return plan, nil
}

// platformConf is what pods take of the platform's beside certificates, once they are planned.
func (p *planner) platformConf() []*corev1.ConfigMap {
	return slices.Concat(p.ivySettings(), p.env)
}

// meta is what the objects of a run have in common. They are collected with their owner.
func (p *planner) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:            name,
		Namespace:       p.app.Namespace,
		Labels:          maps.Clone(p.labels),
		OwnerReferences: []metav1.OwnerReference{p.owner},
	}
}
