package migrate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// rule says what becomes of one value of the other chart: it has a place in Brazier's chart (to), or none, and why.
type rule struct {
	// value is the path of the value; one that ends with a dot stands for all below it.
	value string
	// to is its place in Brazier's chart.
	to string
	// why says why it has none, or what is different there.
	why string
	// severity is Kept for what has a place or no meaning, unless said otherwise.
	severity Severity
	// do says what to do.
	do string
}

// rules are the values of the other chart's versions 2.0 to 2.5. The first that fits decides.
func rules() []rule {
	const (
		noWebhook = "has no meaning: Brazier has no webhook"
		itsOwn    = "has no meaning: it is about an object of the other chart"
		noSubmit  = "nothing reads it: Brazier runs no spark-submit in its own pod"
	)
	return []rule{
		{value: "nameOverride", why: itsOwn},
		{value: "fullnameOverride", why: itsOwn},
		{value: "commonLabels.", why: itsOwn},
		{value: "image.", why: "has no meaning: it is the other operator's image"},
		{value: "hook.", why: "has no meaning: Brazier's chart upgrades the definitions of its kinds itself"},
		{value: "certManager.", why: noWebhook},

		{value: "controller.replicas", to: "replicas"},
		{value: "controller.workers", to: "workers"},
		{value: "controller.logLevel", to: "logLevel"},
		{value: "controller.logEncoder", why: "logs are always JSON", severity: Changes},
		{value: "controller.leaderElection.", why: "has no meaning: one of several replicas leads in any case"},
		{value: "controller.revisionHistoryLimit", why: itsOwn},
		{value: "controller.driverPodCreationGracePeriod", why: "has no meaning: a driver is made by the operator itself, and not found late"},
		{value: "controller.maxTrackedExecutorPerApp", why: "status keeps the latest 1000 executors", severity: Changes},
		{value: "controller.scheduledSparkApplicationTimestampPrecision", why: "has no meaning: the time in a run's name is in seconds, and no two are alike"},
		{value: "controller.featureGates", why: "there are no feature gates; Spark's defaults for all are said in config.sparkConf", severity: Changes, do: "write the properties of LoadSparkDefaults into config.sparkConf"},
		{value: "controller.uiService.enable", to: "config.uiService"},
		{value: "controller.uiIngress.enable", why: "has no meaning: there is an Ingress where config.ingress.urlFormat is said"},
		{value: "controller.uiIngress.urlFormat", to: "config.ingress.urlFormat"},
		{value: "controller.uiIngress.ingressClassName", to: "config.ingress.class"},
		{value: "controller.uiIngress.tls", to: "config.ingress.tls"},
		{value: "controller.uiIngress.annotations.", to: "config.ingress.annotations"},
		{value: "controller.batchScheduler.enable", why: "has no meaning: every application may name a batch scheduler"},
		{value: "controller.batchScheduler.default", why: "there is no batch scheduler for those that name none", severity: Lost, do: "have applications say spec.batchScheduler"},
		{
			value: "controller.batchScheduler.kubeSchedulerNames", why: "a scheduler of one's own is not a batch scheduler here", severity: Lost,
			do: "write batchScheduler: kube-scheduler and the scheduler's name into schedulerName of driver and executor",
		},
		{value: "controller.serviceAccount.annotations.", to: "serviceAccount.annotations"},
		{value: "controller.serviceAccount.", why: itsOwn},
		{value: "controller.rbac.", why: itsOwn},
		{value: "controller.labels.", to: "podLabels"},
		{value: "controller.annotations.", to: "podAnnotations"},
		{value: "controller.nodeSelector.", to: "nodeSelector"},
		{value: "controller.affinity.", to: "affinity"},
		{value: "controller.tolerations", to: "tolerations"},
		{value: "controller.topologySpreadConstraints", to: "topologySpreadConstraints"},
		{value: "controller.priorityClassName", to: "priorityClassName"},
		{value: "controller.resources.", why: "is not taken over: it was measured for a JVM at each submission", severity: Changes, do: "begin with the chart's own, and look at its use"},
		{value: "controller.podDisruptionBudget.enable", to: "podDisruptionBudget.enabled"},
		{value: "controller.podDisruptionBudget.minAvailable", why: "one replica is away at a time", severity: Changes},
		{value: "controller.podSecurityContext.", why: "has no meaning: Brazier's pods keep to the standard restricted"},
		{value: "controller.securityContext.", why: "has no meaning: Brazier's pods keep to the standard restricted"},
		{value: "controller.hostUsers", why: "cannot be said", severity: Lost},
		{value: "controller.dnsConfig.", why: "cannot be said", severity: Lost},
		{value: "controller.volumes", why: noSubmit, severity: Lost, do: "say Spark's properties in config.sparkConf, Ivy's settings in config.ivySettings, certificates in config.trustBundle"},
		{value: "controller.volumeMounts", why: noSubmit, severity: Lost, do: "as for controller.volumes"},
		{value: "controller.env", why: noSubmit, severity: Lost, do: "say proxies in config.proxy, Spark's properties in config.sparkConf"},
		{value: "controller.envFrom", why: noSubmit, severity: Lost, do: "as for controller.env"},
		{value: "controller.sidecars", why: "Brazier's pods have no sidecars", severity: Lost},
		{value: "controller.pprof.", why: "there is no profile to be read", severity: Lost},
		{value: "controller.workqueueRateLimiter.", why: "has no meaning: each application waits for itself alone"},

		{value: "webhook.resourceQuotaEnforcement.enable", why: "an application beyond its namespace's ResourceQuota is accepted, and its pods wait or are refused", severity: Changes},
		{value: "webhook.", why: noWebhook},

		{value: "spark.jobNamespaces"},        // translateNamespaces
		{value: "spark.jobNamespaceSelector"}, // the same
		{value: "spark.serviceAccount.annotations.", to: "drivers.serviceAccount.annotations"},
		{value: "spark.serviceAccount.name", why: "applications that name this account keep it as long as it is there; those that name none run as Brazier's, spark", severity: Changes},
		{value: "spark.serviceAccount.", why: "Brazier makes an account of its own in each namespace of the list, spark", severity: Changes},
		{value: "spark.rbac.", why: "Brazier makes the rights of its own account, spark", severity: Changes},

		{value: "prometheus.metrics.enable", to: "metrics.service.enabled"},
		{value: "prometheus.metrics.port", why: "metrics are on port 8443, over TLS", severity: Changes, do: "have Prometheus read them with a token; metrics.readers says whose"},
		{value: "prometheus.metrics.portName", why: "the port is called metrics", severity: Changes},
		{value: "prometheus.metrics.endpoint", why: "the path is /metrics", severity: Changes},
		{value: "prometheus.metrics.prefix", why: "names have no other prefix than their own", severity: Lost, do: "add it when they are read, by metricRelabelings"},
		{value: "prometheus.metrics.labels", why: "no label takes values that an application could make up", severity: Lost},
		{value: "prometheus.metrics.jobStartLatencyBuckets", why: "the buckets are fixed", severity: Lost},
		{value: "prometheus.podMonitor.create", to: "serviceMonitor.enabled"},
		{value: "prometheus.podMonitor.labels.", to: "serviceMonitor.labels"},
		{value: "prometheus.podMonitor.podMetricsEndpoint.interval", to: "serviceMonitor.interval"},
		{value: "prometheus.podMonitor.", why: "the ServiceMonitor of Brazier's chart has its own"},
	}
}

func ruleFor(value string) (rule, bool) {
	for _, r := range rules() {
		if value == r.value || strings.HasSuffix(r.value, ".") && strings.HasPrefix(value+".", r.value) {
			return r, true
		}
	}
	return rule{}, false
}

// translateAll gives the values of Brazier's chart for the releases of the other's. Of several releases only the first has
// its values taken over: one Brazier looks after all namespaces.
func translateAll(inv Inventory) (map[string]any, []Finding) {
	values := map[string]any{}
	var findings []Finding
	for i, release := range inv.Releases {
		if i > 0 {
			findings = append(findings, Finding{
				Severity: Changes, Object: release.object(),
				Means: "there is another release already whose values are taken over; one Brazier looks after all namespaces",
				Do:    "put into the values file what differs",
			})
			continue
		}
		translated, found := translate(release)
		values, findings = translated, append(findings, found...)
	}
	if len(inv.Releases) == 0 && len(inv.Controllers) > 0 {
		findings = append(findings, Finding{
			Severity: Changes, Object: name("Deployment", inv.Controllers[0].Namespace, inv.Controllers[0].Name),
			Means: "Helm did not install it, so that there are no values to take over: Brazier looks after all namespaces",
			Do:    "write Brazier's values yourself, and give them with --values",
		})
	}
	return values, findings
}

func (r Release) object() string { return name("Helm release", r.Namespace, r.Name) }

// translate gives the values of Brazier's chart for those that were given to the other's, and says what became of each.
func translate(release Release) (map[string]any, []Finding) {
	values, findings := translateNamespaces(release)
	said := flatten("", release.Config)
	for _, value := range slices.Sorted(maps.Keys(said)) {
		r, known := ruleFor(value)
		finding := Finding{Severity: cmp.Or(r.severity, Kept), Object: release.object(), Field: value, Means: r.why, Do: r.do}
		switch {
		case !known:
			finding.Severity, finding.Means = Lost, "is not a value that is known"
			finding.Do = "look whether Brazier's chart has a place for it"
		case isEmpty(said[value]) || reflect.DeepEqual(said[value], lookup(release.Chart.Values, value)):
			continue // says what goes without saying
		case strings.HasPrefix(value, "spark.jobNamespace"):
			continue
		case value != "controller.uiIngress.enable" && strings.HasPrefix(value, "controller.uiIngress.") && lookup(release.Config, "controller.uiIngress.enable") != true:
			finding.Means = "has no meaning: controller.uiIngress.enable is not true"
		case r.to != "":
			finding.Means = "becomes " + r.to
			put(values, strings.Split(r.to, "."), lookup(release.Config, strings.TrimSuffix(r.value, ".")))
		}
		findings = append(findings, finding)
	}
	return values, findings
}

// translateNamespaces says by Brazier's values which applications the other operator looks after.
func translateNamespaces(release Release) (map[string]any, []Finding) {
	const field = "spark.jobNamespaces"
	effective := func(value string) any {
		if said := lookup(release.Config, value); said != nil {
			return said
		}
		return lookup(release.Chart.Values, value)
	}
	var names []any
	all := true
	if list, ok := effective(field).([]any); ok && len(list) > 0 {
		all = slices.Contains(list, any(""))
		for _, namespace := range list {
			if namespace != "" {
				names = append(names, map[string]any{"name": namespace})
			}
		}
	}
	values := map[string]any{"namespaces": names}
	if names == nil {
		values["namespaces"] = []any{}
	}
	finding := Finding{Severity: Kept, Object: release.object(), Field: field, Means: "becomes namespaces, and rbac.scope: namespaces"}
	selector, _ := effective("spark.jobNamespaceSelector").(string)
	switch {
	case all:
		finding.Means = "is all namespaces, as without a list; drivers get an account only in those that namespaces has"
		finding.Severity, finding.Do = Changes, "list in namespaces those in which drivers are to have the account spark"
	case selector != "":
		parsed, err := metav1.ParseToLabelSelector(selector)
		if err != nil {
			return values, []Finding{{Severity: Lost, Object: release.object(), Field: "spark.jobNamespaceSelector", Means: err.Error(), Do: "write namespaceSelector yourself"}}
		}
		plain, err := runtime.DefaultUnstructuredConverter.ToUnstructured(parsed)
		if err != nil {
			return values, []Finding{{Severity: Lost, Object: release.object(), Field: "spark.jobNamespaceSelector", Means: err.Error(), Do: "write namespaceSelector yourself"}}
		}
		values["namespaceSelector"] = plain
		finding.Severity, finding.Field = Changes, "spark.jobNamespaceSelector"
		finding.Means = "becomes namespaceSelector, which is then all there is: the list of spark.jobNamespaces does not add to it"
		finding.Do = "give the label to the namespaces of the list too"
	default:
		values["rbac"] = map[string]any{"scope": "namespaces"}
	}
	return values, []Finding{finding}
}

// flatten returns the values by their paths. A list is one value; so is a map that is empty.
func flatten(path string, values map[string]any) map[string]any {
	flat := map[string]any{}
	for key, value := range values {
		at := strings.TrimPrefix(path+"."+key, ".")
		if below, ok := value.(map[string]any); ok && len(below) > 0 {
			maps.Copy(flat, flatten(at, below))
			continue
		}
		flat[at] = value
	}
	return flat
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// lookup returns the value at a path, nil where there is none.
func lookup(values map[string]any, path string) any {
	value, _, err := unstructured.NestedFieldNoCopy(values, strings.Split(path, ".")...)
	if err != nil {
		return nil // something on the way is no map
	}
	return value
}

// put sets the value at a path, with all maps on the way to it.
func put(values map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		below, ok := values[key].(map[string]any)
		if !ok {
			below = map[string]any{}
			values[key] = below
		}
		values = below
	}
	values[path[len(path)-1]] = value
}
