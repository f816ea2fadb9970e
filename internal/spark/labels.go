package spark

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// Labels that Spark itself sets and finds its pods by. Setting one is an error, in Spark and here
// (KubernetesDriverConf.labels, KubernetesExecutorConf.labels).
const (
	labelVersion = "spark-version"
	labelAppName = "spark-app-name"
)

func reservedLabels() []string {
	return []string{
		labelVersion, labelAppName, v1beta2.LabelSparkProfileID,
		v1beta2.LabelSparkAppSelector, v1beta2.LabelSparkRole, v1beta2.LabelSparkExecutorID,
	}
}

// Labels of Kueue say which queue an object waits in. A pod that had them would wait once more, by itself.
const kueueLabels = "kueue.x-k8s.io/"

// ownLabel reports whether a label says of an application what does not hold of its pods by that alone: which queue it is
// in. Of ours the plan tells them where the run is in it.
func ownLabel(name string) bool {
	return strings.HasPrefix(name, kueueLabels) || name == brazierv1alpha1.LabelQueue
}

// runLabels are on every object of a run, executors included.
func runLabels(app *v1beta2.SparkApplication, run Run) map[string]string {
	return map[string]string{
		v1beta2.LabelAppName:            app.Name,
		v1beta2.LabelSubmissionID:       uuid(digest("submission", app.UID, run.Number)),
		v1beta2.LabelLaunchedByOperator: "true",
		v1beta2.LabelRun:                strconv.FormatInt(run.Number, 10),
	}
}

// setLabels sets the labels of driver and executors as properties: the application's own, then the role's, then those
// of the run, which nothing overrides.
func setLabels(s *settings, app *v1beta2.SparkApplication, run map[string]string) {
	roles := map[string]map[string]string{"driver": app.Spec.Driver.Labels, "executor": app.Spec.Executor.Labels}
	for role, labels := range roles {
		prefix := "spark.kubernetes." + role + ".label."
		for k, v := range app.Labels {
			if !ownLabel(k) {
				s.set(prefix+k, v, field.NewPath("metadata", "labels").Key(k))
			}
		}
		s.setAll(prefix, labels, field.NewPath("spec", role, "labels"))
		s.setAll(prefix, run, nil)
	}
}

// driverLabels are those of the driver's pod, and what its Service selects.
func (p *planner) driverLabels() map[string]string {
	labels := p.conf.under("spark.kubernetes.driver.label.")
	for k, v := range labels {
		if p.release.filledLabels {
			labels[k] = p.substitute(v)
		}
	}
	maps.Copy(labels, map[string]string{
		labelVersion:                  labelValue(p.app.Spec.SparkVersion),
		labelAppName:                  appNameLabel(p.app.Name),
		v1beta2.LabelSparkAppSelector: p.names.appID,
		v1beta2.LabelSparkRole:        v1beta2.SparkRoleDriver,
	})
	return labels
}

// substitute puts the application's ID in the place of what stands for it: Utils.substituteAppNExecIds.
func (p *planner) substitute(text string) string {
	return strings.ReplaceAll(text, "{{APP_ID}}", p.names.appID)
}

// checkMetadata looks at the labels and annotations of driver and executors, wherever they were said. What is wrong with
// those of executors nobody would be told: Spark's driver tries to make them for ever.
func checkMetadata(conf *settings, of release) {
	reported := map[string]bool{}
	report := func(errs ...*field.Error) {
		for _, err := range errs {
			if !reported[err.Error()] { // a label of the application is one of both roles
				reported[err.Error()] = true
				conf.errs = append(conf.errs, err)
			}
		}
	}
	ids := strings.NewReplacer("{{APP_ID}}", "spark", "{{EXECUTOR_ID}}", "1")
	for _, role := range []string{"driver", "executor"} {
		labels, annotations := "spark.kubernetes."+role+".label.", "spark.kubernetes."+role+".annotation."
		for name, value := range conf.under(labels) {
			said := conf.said[labels+name]
			if slices.Contains(reservedLabels(), name) {
				report(field.Forbidden(said, "Spark keeps its own books by this label; rename yours"))
			}
			if of.filledLabels {
				value = ids.Replace(value)
			}
			report(metavalidation.ValidateLabels(map[string]string{name: value}, said)...)
		}
		for name := range conf.under(annotations) {
			report(apivalidation.ValidateAnnotations(map[string]string{name: ""}, conf.said[annotations+name])...)
		}
	}
}
