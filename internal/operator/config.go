package operator

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/controller/evidence"
	"brazier.sh/brazier/internal/diagnose"
	"brazier.sh/brazier/internal/spark"
)

// Config is what the operator's configuration file says. The zero value is a working operator that gives applications
// nothing of its own.
type Config struct {
	// Image is the container image of applications that name none; {{SPARK_VERSION}} in it is the application's version.
	Image string `json:"image,omitempty"`
	// SparkConf are properties of every application; the application's own win over them.
	SparkConf map[string]string `json:"sparkConf,omitempty"`
	// TrustBundle are the certificates, in PEM, of authorities that drivers and executors trust instead of those of
	// their image.
	TrustBundle string `json:"trustBundle,omitempty"`
	// ObjectStoreSecret names a Secret of an application's namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	ObjectStoreSecret string `json:"objectStoreSecret,omitempty"`
	// ServiceAccount is the account of drivers that name none. Default: spark.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// Ingress is how the web interfaces of drivers are reached from outside the cluster. Default: not at all.
	Ingress spark.Ingress `json:"ingress,omitzero"`
	// ClusterDomain is the cluster's DNS domain. Default: pods find names below svc without it.
	ClusterDomain string `json:"clusterDomain,omitempty"`
	// APIServer is the URL at which drivers find the API server. Default: https://kubernetes.default.svc.
	APIServer string `json:"apiServer,omitempty"`

	// TimeToLiveSeconds is how long an application that does not say so itself is kept after its end. Those that ended
	// before it was set are no exception. Default: for ever.
	TimeToLiveSeconds *int64 `json:"timeToLiveSeconds,omitempty"`
	// UIService says whether drivers get a Service for their web interface, <application>-ui-svc, and with it the Ingress of
	// ingress.urlFormat. Without it only those do whose application has sparkUIOptions. Default: true.
	UIService *bool `json:"uiService,omitempty"`
	// Proxy is how drivers and executors reach what is outside the cluster: it is in their environment and their JVM's
	// options, where the application does not say otherwise. Default: no proxy.
	Proxy spark.Proxy `json:"proxy,omitzero"`
	// PipIndexURL is where pip in drivers and executors finds packages (PIP_INDEX_URL). It cannot have credentials: an
	// application takes that variable from a Secret instead. Default: pip's own.
	PipIndexURL string `json:"pipIndexUrl,omitempty"`
	// IvySettings is the XML of the settings file by which drivers get spec.deps.packages (spark.jars.ivySettings).
	// Default: Maven Central and spec.deps.repositories.
	IvySettings string `json:"ivySettings,omitempty"`
	// AnyUser leaves it to the cluster which user drivers and executors of Image run as, as OpenShift's restricted security
	// context wants it. Default: false, which is user 185, that of Spark's images. Images of applications run as their own.
	AnyUser bool `json:"anyUser,omitempty"`

	// DriverStartTimeout is how long a driver may take to start, such as 10m, where its application does not say so by the
	// annotation brazier.sh/driver-start-timeout. Default: for ever.
	DriverStartTimeout metav1.Duration `json:"driverStartTimeout,omitzero"`

	// Evidence says for how long records of what was seen of runs are kept.
	Evidence Evidence `json:"evidence,omitzero"`
	// RetryDeterministicFailures says whether a run that failed of something that the next one would fail of as well is run
	// again where the restart policy allows it, and the application does not say by the annotation
	// brazier.sh/retry-deterministic-failures. Default: true.
	RetryDeterministicFailures *bool `json:"retryDeterministicFailures,omitempty"`

	// Queues says whether applications may be in queues: docs/queues.md. The operator has to be allowed to read Queues, and
	// nodes and pods of all namespaces where the queue root does not say what there is. Default: true, and false where
	// namespaces are listed.
	Queues *bool `json:"queues,omitempty"`

	// Namespaces are those whose applications the operator looks after. Default: all.
	Namespaces []string `json:"namespaces,omitempty"`
	// NamespaceSelector selects them by their labels instead; one that is labelled later is looked after from then on, and
	// one that loses its label no longer. The operator has to be allowed to read all namespaces. Default: all.
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`
	// Workers is how many applications are worked on at once. Default: 20.
	Workers int `json:"workers,omitempty"`
	// LeaderElectionNamespace is the namespace of the lease that one of several replicas holds. Empty turns the election
	// off, for an operator that is known to be the only one.
	LeaderElectionNamespace string `json:"leaderElectionNamespace,omitempty"`
	// MetricsAddress is where metrics are served, over TLS and to whom the API server lets read them. Default: ":8443";
	// "0" turns it off.
	MetricsAddress string `json:"metricsAddress,omitempty"`
	// HealthAddress is where /healthz and /readyz are served. Default: ":8081"; "0" turns it off.
	HealthAddress string `json:"healthAddress,omitempty"`
	// LogLevel is debug, info, warn or error. Default: info.
	LogLevel slog.Level `json:"logLevel,omitempty"`
}

// Evidence says for how long records of runs are kept: docs/evidence.md.
type Evidence struct {
	// KeepRuns is of how many runs of an application the records are kept while it is there. Default: 5.
	KeepRuns int `json:"keepRuns,omitempty"`
	// KeepFor is how long a record is kept whose application is gone, such as 24h. Default: 168h.
	KeepFor metav1.Duration `json:"keepFor,omitzero"`
	// MaxPerNamespace is how many records there are at most in a namespace; the oldest go. Default: 500.
	MaxPerNamespace int `json:"maxPerNamespace,omitempty"`
	// Rules is the text of a file of rules of the platform's own, by which causes are found beside the built-in ones:
	// docs/why-rules.md.
	Rules string `json:"rules,omitempty"`
}

const (
	defaultWorkers        = 20
	defaultMetricsAddress = ":8443"
	defaultHealthAddress  = ":8081"
)

// ReadConfig reads the configuration file. A field that it does not know is an error, as a typing error would otherwise
// go unnoticed.
func ReadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	config, err := ParseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return config, nil
}

// ParseConfig parses the YAML of a configuration file and fills in defaults.
func ParseConfig(text []byte) (Config, error) {
	config := Config{
		Workers:        defaultWorkers,
		MetricsAddress: defaultMetricsAddress,
		HealthAddress:  defaultHealthAddress,
	}
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return Config{}, fmt.Errorf("parse: %w", err)
	}
	return config, config.validate()
}

func (c Config) validate() error {
	var errs []error
	if c.Workers < 1 {
		errs = append(errs, fmt.Errorf("workers: %d is too few; write 1 or more, or leave it out for %d", c.Workers, defaultWorkers))
	}
	if c.DriverStartTimeout.Duration < 0 {
		errs = append(errs, fmt.Errorf("driverStartTimeout: %s is in the past; write for example 10m, or leave it out to wait for ever", c.DriverStartTimeout.Duration))
	}
	errs = append(errs, c.Evidence.validate()...)
	if err := checkCertificates(c.TrustBundle); err != nil {
		errs = append(errs, fmt.Errorf("trustBundle: %w; write one or more certificates in PEM", err))
	}
	if _, err := metav1.LabelSelectorAsSelector(c.NamespaceSelector); err != nil {
		errs = append(errs, fmt.Errorf("namespaceSelector: %w; write for example matchLabels: {spark: enabled}", err))
	}
	if c.NamespaceSelector != nil && len(c.Namespaces) > 0 {
		errs = append(errs, fmt.Errorf("namespaceSelector: namespaces has %q as well; keep one of them", c.Namespaces))
	}
	if err := c.platform().Validate().ToAggregate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// queues reports whether applications may be in queues.
func (c Config) queues() bool { return ptr.Deref(c.Queues, len(c.Namespaces) == 0) }

func (e Evidence) validate() []error {
	var errs []error
	if e.KeepRuns < 0 {
		errs = append(errs, fmt.Errorf("evidence.keepRuns: %d is too few; write 1 or more, or leave it out for %d", e.KeepRuns, evidence.DefaultRuns))
	}
	if e.KeepFor.Duration < 0 {
		errs = append(errs, fmt.Errorf("evidence.keepFor: %s is in the past; write for example 24h, or leave it out for %s", e.KeepFor.Duration, evidence.DefaultFor))
	}
	if e.MaxPerNamespace < 0 {
		errs = append(errs, fmt.Errorf("evidence.maxPerNamespace: %d is too few; write 1 or more, or leave it out for %d", e.MaxPerNamespace, evidence.DefaultPerNamespace))
	}
	if _, err := e.rules(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// rules are the platform's own rules.
func (e Evidence) rules() ([]diagnose.Rule, error) {
	if e.Rules == "" {
		return nil, nil
	}
	rules, err := diagnose.ParseRules([]byte(e.Rules))
	if err != nil {
		return nil, fmt.Errorf("evidence.rules: %w", err)
	}
	return rules, nil
}

func checkCertificates(bundle string) error {
	rest := []byte(bundle)
	for number := 1; ; number++ {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("block %d is not a certificate: %w", number, err)
		}
		bundle = ""
	}
	if bundle != "" {
		return errors.New("there is no certificate in it")
	}
	return nil
}

// platform is what the operator gives to every application.
func (c Config) platform() spark.Platform {
	return spark.Platform{
		Image:             c.Image,
		SparkConf:         c.SparkConf,
		TrustBundle:       []byte(c.TrustBundle),
		ObjectStoreSecret: c.ObjectStoreSecret,
		ServiceAccount:    c.ServiceAccount,
		Ingress:           c.Ingress,
		ClusterDomain:     c.ClusterDomain,
		APIServer:         c.APIServer,
		TimeToLiveSeconds: c.TimeToLiveSeconds,
		UIService:         c.UIService,
		Proxy:             c.Proxy,
		PipIndexURL:       c.PipIndexURL,
		IvySettings:       c.IvySettings,
		AnyUser:           c.AnyUser,
	}
}
