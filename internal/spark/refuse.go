package spark

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// refusal is a property that a submission without a JVM, or without its author's disk, cannot follow.
type refusal struct {
	key    string // all properties that begin with it, if it ends with a dot
	remedy string
}

func refusedProperties() []refusal {
	const (
		template   = "names a file that the operator does not have; write the template into "
		onDisk     = "names a file that the operator does not have; mount it from a Secret and use spark.kubernetes.authenticate.driver.mounted.*"
		submission = "names a file that the operator does not have, and submits with rights of its own; leave it out"
		managed    = "is the operator's to set; leave it out"
	)
	return []refusal{
		{"spark.app.id", managed},
		{"spark.app.submitTime", managed},
		{"spark.driver.bindAddress", "is the driver pod's own address in Kubernetes; leave it out"},
		{"spark.driver.host", "is the name of the driver's Service in Kubernetes; leave it out"},
		{"spark.kubernetes.authenticate.driver.caCertFile", onDisk},
		{"spark.kubernetes.authenticate.driver.clientCertFile", onDisk},
		{"spark.kubernetes.authenticate.driver.clientKeyFile", onDisk},
		{"spark.kubernetes.authenticate.driver.oauthToken", onDisk},
		{"spark.kubernetes.authenticate.driver.oauthTokenFile", onDisk},
		{"spark.kubernetes.authenticate.submission.caCertFile", submission},
		{"spark.kubernetes.authenticate.submission.clientCertFile", submission},
		{"spark.kubernetes.authenticate.submission.clientKeyFile", submission},
		{"spark.kubernetes.authenticate.submission.oauthTokenFile", submission},
		{"spark.kubernetes.driver.pod.featureSteps", "names classes that only a JVM can run; write what they do into spec.driver.template"},
		{"spark.kubernetes.driver.podTemplateFile", template + "spec.driver.template"},
		{"spark.kubernetes.driver.resourceNamePrefix", managed},
		{"spark.kubernetes.executor.podTemplateFile", template + "spec.executor.template"},
		{"spark.kubernetes.resource.type", managed},
		{"spark.kubernetes.kerberos.krb5.path", "names a file that the operator does not have; put it into a ConfigMap, under the key krb5.conf, and name that in " + krb5Property},
		{"spark.kubernetes.scheduler.volcano.", "names a file that the operator does not have; use spec.batchScheduler and spec.batchSchedulerOptions"},
		{"spark.kubernetes.submitInDriver", managed},
	}
}

// refusals finds the properties that cannot be followed among those said at one place.
func refusals(said map[string]string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(said)) {
		for _, r := range refusedProperties() {
			if isKey(r.key, key) {
				errs = append(errs, field.Invalid(at.Key(key), said[key], r.remedy))
			}
		}
	}
	return errs
}

// isKey reports whether key is the one that is meant, or begins with it where that ends with a dot.
func isKey(meant, key string) bool {
	return key == meant || strings.HasSuffix(meant, ".") && strings.HasPrefix(key, meant)
}

// contradictions are values that Spark would take, but that cannot be meant together with the rest.
func contradictions(app *v1beta2.SparkApplication, conf *settings) field.ErrorList {
	var errs field.ErrorList
	const excluded, namespace = "spark.kubernetes.driver.pod.excludedFeatureSteps", "spark.kubernetes.namespace"
	if steps := conf.get(excluded); steps != "" && steps != networkPolicyStep {
		errs = append(errs, field.Invalid(conf.said[excluded], steps, "only "+networkPolicyStep+" can be left out without a JVM"))
	}
	if said, ok := app.Spec.SparkConf[namespace]; ok && said != app.Namespace {
		errs = append(errs, field.Invalid(field.NewPath("spec", "sparkConf").Key(namespace), said,
			"is not the application's own namespace, "+app.Namespace+"; create the application there instead"))
	}
	if app.Spec.Executor.Lifecycle != nil && conf.boolean("spark.decommission.enabled") {
		errs = append(errs, field.Forbidden(field.NewPath("spec", "executor", "lifecycle"),
			"spark.decommission.enabled makes Spark put a hook of its own in this place; keep one of them"))
	}
	checkJavaOptions(conf)
	checkKerberos(conf)
	checkPackages(app, conf)
	return errs
}

// checkJavaOptions finds the options that Spark refuses when it starts a JVM: SparkConf.validateSettings, and
// checkJavaOptions in its launcher.
func checkJavaOptions(conf *settings) {
	for _, role := range []string{"driver", "executor"} {
		key := "spark." + role + ".extraJavaOptions"
		if strings.Contains(conf.get(key), "-Xmx") {
			conf.invalid(key, "sets the heap, which Spark does itself; use spec."+role+".memory")
		}
	}
	if key := "spark.executor.extraJavaOptions"; strings.Contains(conf.get(key), "-Dspark") {
		conf.invalid(key, "sets properties of Spark, which executors get from their driver; use spec.sparkConf")
	}
}

// checkExecutors reads what Spark's driver will read of the executors, so that a mistake shows before a driver is
// started for nothing.
func checkExecutors(conf *settings) {
	conf.miB("spark.executor.memory", 1024)
	conf.miB("spark.executor.memoryOverhead", 0)
	conf.number("spark.executor.memoryOverheadFactor", overheadFactorJVM)
	conf.integer("spark.executor.cores", 1)
	conf.integer("spark.executor.instances", 1)
	request, asked := conf.quantity("spark.kubernetes.executor.request.cores")
	limit, limited := conf.quantity("spark.kubernetes.executor.limit.cores")
	if !asked {
		request = *resource.NewQuantity(conf.integer("spark.executor.cores", 1), resource.DecimalSI)
	}
	if limited && limit.Cmp(request) < 0 {
		conf.invalid("spark.kubernetes.executor.limit.cores", "is less than the "+request.String()+" that an executor requests; raise it or lower coreRequest")
	}
	if !conf.boolean("spark.dynamicAllocation.enabled") {
		return
	}
	least := conf.integer("spark.dynamicAllocation.minExecutors", 0)
	most := conf.integer("spark.dynamicAllocation.maxExecutors", math.MaxInt32)
	first := conf.integer("spark.dynamicAllocation.initialExecutors", least)
	if least > most {
		conf.invalid("spark.dynamicAllocation.minExecutors", fmt.Sprintf("is more than maxExecutors, %d", most))
	}
	if first > most {
		conf.invalid("spark.dynamicAllocation.initialExecutors", fmt.Sprintf("is more than maxExecutors, %d", most))
	}
}
