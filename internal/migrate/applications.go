package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/schedule"
	"brazier.sh/brazier/internal/spark"
)

func stateOf(app *unstructured.Unstructured) v1beta2.ApplicationStateType {
	state, _, err := unstructured.NestedString(app.Object, "status", "applicationState", "state")
	if err != nil {
		return v1beta2.ApplicationStateUnknown // it is no text
	}
	return v1beta2.ApplicationStateType(state)
}

func checkApplications(inv Inventory) []Finding {
	drivers := driversByApplication(inv)
	var findings []Finding
	for i := range inv.Applications {
		object := &inv.Applications[i]
		app, found := decode[v1beta2.SparkApplication](object)
		if app != nil {
			found = append(found, checkRun(app, drivers[client.ObjectKeyFromObject(object)])...)
			if !isScheduled(object) { // its schedule is looked at instead
				found = append(found, checkSpec(app, "spec")...)
			}
		}
		findings = append(findings, about(name("SparkApplication", object.GetNamespace(), object.GetName()), found)...)
	}
	return findings
}

func about(object string, findings []Finding) []Finding {
	for i := range findings {
		findings[i].Object = object
	}
	return findings
}

func isScheduled(object *unstructured.Unstructured) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(owner metav1.OwnerReference) bool {
		return owner.Kind == v1beta2.ScheduledSparkApplicationKind
	})
}

// decode reads object as Brazier knows its kind, and says what of it Brazier does not know.
func decode[T any](object *unstructured.Unstructured) (*T, []Finding) {
	into := new(T)
	err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, into, true)
	strict, unknown := runtime.AsStrictDecodingError(err)
	switch {
	case err == nil:
		return into, nil
	case !unknown:
		return nil, []Finding{{Severity: Lost, Means: "Brazier cannot read it: " + err.Error(), Do: "correct it"}}
	}
	var findings []Finding
	for _, err := range strict.Errors() {
		_, path, _ := strings.Cut(err.Error(), "unknown field ")
		path = strings.Trim(path, `"`)
		if !strings.HasPrefix(path, "spec.") {
			continue // what the other operator alone writes into status is not the user's
		}
		findings = append(findings, Finding{
			Severity: Lost, Field: path, Means: "Brazier does not know this field: it has no effect and is dropped when the object is next written",
			Do: "say by sparkConf or a pod template what it was for",
		})
	}
	return into, findings
}

// checkRun looks at the run under way.
func checkRun(app *v1beta2.SparkApplication, drivers []*corev1.Pod) []Finding {
	state := app.Status.AppState.State
	i := slices.IndexFunc(drivers, runs)
	if i < 0 {
		switch state {
		case v1beta2.ApplicationStateRunning, v1beta2.ApplicationStateSubmitted, v1beta2.ApplicationStateUnknown:
			if len(drivers) == 0 {
				return []Finding{{
					Severity: Changes, Field: "status.driverInfo.podName",
					Means: fmt.Sprintf("its driver's pod %s is gone: its run has failed, and its restart policy says whether there is another", app.Status.DriverInfo.PodName),
				}}
			}
		}
		return nil
	}
	driver := drivers[i]
	if state.Ended() {
		return []Finding{{
			Severity: Blocks, Field: "status.applicationState.state",
			Means: fmt.Sprintf("it is %s, but its driver's pod %s still runs; Brazier stops what runs of an application that has ended", state, driver.Name),
			Do:    "wait for the driver, or delete the application, or let it be stopped with --force",
		}}
	}
	if app.Spec.Suspend || state == v1beta2.ApplicationStateInvalidating || state == v1beta2.ApplicationStateSuspending {
		return nil // its run is being called off
	}
	findings := []Finding{{Severity: Kept, Means: fmt.Sprintf("its driver's pod %s goes on and is followed to its end", driver.Name)}}
	if len(driver.OwnerReferences) == 0 {
		findings = append(findings, Finding{
			Severity: Changes, Field: "metadata.ownerReferences",
			Means: fmt.Sprintf("its driver's pod %s has no owner and would outlive it; \"brazier migrate apply\" makes the application its owner", driver.Name),
		})
	}
	if fields := byWebhook(app); len(fields) > 0 {
		findings = append(findings, Finding{
			Severity: Changes, Field: strings.Join(fields, ", "),
			Means: "the other operator's webhook puts this into executors as they are made, and its driver may make more: the webhook stays for the pods of such runs, and for no others",
			Do:    "when these runs have ended, \"brazier migrate apply\" once more removes the webhook too",
		})
	}
	return findings
}

// byWebhook are the fields of an application that the other operator's webhook, and not Spark, puts into executors. A pod
// template goes through Spark, and with one the webhook is not asked.
func byWebhook(app *v1beta2.SparkApplication) []string {
	executor := &app.Spec.Executor
	if executor.Template != nil {
		return nil
	}
	scratch := func(mount corev1.VolumeMount) bool { return strings.HasPrefix(mount.Name, "spark-local-dir-") }
	mounts := slices.DeleteFunc(slices.Clone(executor.VolumeMounts), scratch)
	var fields []string
	for _, said := range []struct {
		field string
		is    bool
	}{
		{"spec.sparkConfigMap", app.Spec.SparkConfigMap != ""},
		{"spec.hadoopConfigMap", app.Spec.HadoopConfigMap != ""},
		{"spec.batchScheduler", app.Spec.BatchScheduler != ""},
		{"spec.monitoring", app.Spec.Monitoring != nil && app.Spec.Monitoring.ExposeExecutorMetrics && app.Spec.Monitoring.Prometheus != nil},
		{"spec.executor.affinity", executor.Affinity != nil},
		{"spec.executor.configMaps", len(executor.ConfigMaps) > 0},
		{"spec.executor.dnsConfig", executor.DNSConfig != nil},
		{"spec.executor.env", len(executor.Env) > 0},
		{"spec.executor.envFrom", len(executor.EnvFrom) > 0},
		{"spec.executor.gpu", executor.GPU != nil},
		{"spec.executor.hostAliases", len(executor.HostAliases) > 0},
		{"spec.executor.hostNetwork", executor.HostNetwork != nil},
		{"spec.executor.initContainers", len(executor.InitContainers) > 0},
		{"spec.executor.lifecycle", executor.Lifecycle != nil},
		{"spec.executor.nodeSelector", len(executor.NodeSelector) > 0},
		{"spec.executor.podSecurityContext", executor.PodSecurityContext != nil},
		{"spec.executor.ports", len(executor.Ports) > 0},
		{"spec.executor.priorityClassName", executor.PriorityClassName != ""},
		{"spec.executor.schedulerName", executor.SchedulerName != ""},
		{"spec.executor.securityContext", executor.SecurityContext != nil},
		{"spec.executor.shareProcessNamespace", executor.ShareProcessNamespace != nil},
		{"spec.executor.sidecars", len(executor.Sidecars) > 0},
		{"spec.executor.terminationGracePeriodSeconds", executor.TerminationGracePeriodSeconds != nil},
		{"spec.executor.tolerations", len(executor.Tolerations) > 0},
		{"spec.executor.volumeMounts", len(mounts) > 0},
	} {
		if said.is {
			fields = append(fields, said.field)
		}
	}
	return fields
}

// checkSpec says what of a specification Brazier refuses. at is where the specification is.
func checkSpec(app *v1beta2.SparkApplication, at string) []Finding {
	// Planned for any time and any platform: what is wrong with it depends on neither.
	plan, err := spark.New(app, spark.Run{Number: 1, SubmittedAt: time.Unix(0, 0)}, spark.Platform{Image: "spark:{{SPARK_VERSION}}"})
	if err != nil {
		return refusals(err, at, "its next run is refused: ")
	}
	var findings []Finding
	for _, warning := range plan.Warnings {
		findings = append(findings, Finding{Severity: Changes, Field: at, Means: warning})
	}
	return findings
}

// refusals are the reasons of err, each with its field in the specification that is at at, and what is refused said before.
func refusals(err error, at, what string) []Finding {
	errs := []error{err}
	if all, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		errs = all.Errors()
	}
	var findings []Finding
	for _, err := range errs {
		finding := Finding{Severity: Lost, Means: what + err.Error(), Do: "change it before that"}
		if invalid, ok := errors.AsType[*field.Error](err); ok {
			if below, ok := strings.CutPrefix(invalid.Field, "spec"); ok {
				invalid.Field = at + below
			}
			finding.Field = invalid.Field
			finding.Means = what + invalid.ErrorBody()
		}
		findings = append(findings, finding)
	}
	return findings
}

func checkSchedules(inv Inventory) []Finding {
	var findings []Finding
	for i := range inv.Schedules {
		object := &inv.Schedules[i]
		s, found := decode[v1beta2.ScheduledSparkApplication](object)
		if s != nil {
			found = append(found, checkSchedule(s)...)
		}
		findings = append(findings, about(name("ScheduledSparkApplication", object.GetNamespace(), object.GetName()), found)...)
	}
	return findings
}

func checkSchedule(s *v1beta2.ScheduledSparkApplication) []Finding {
	var findings []Finding
	_, invalid := schedule.Parse(s.Spec.Schedule, s.Spec.TimeZone)
	if invalid != nil {
		findings = append(findings, Finding{Severity: Lost, Field: "spec.schedule", Means: "no run is started: " + invalid.Error(), Do: "correct it"})
	}
	if len(s.Name) > validation.LabelValueMaxLength {
		findings = append(findings, Finding{
			Severity: Lost, Field: "metadata.name", Means: "is longer than the 63 characters of a label, by which its applications are found",
			Do: "create it anew under a shorter name",
		})
	}
	switch {
	case invalid != nil:
	case s.Spec.Suspend:
		findings = append(findings, Finding{Severity: Kept, Means: "it stays suspended"})
	case s.Status.LastRun.IsZero():
		findings = append(findings, Finding{Severity: Changes, Means: "it has never run: the last of its times since it was created, if there was one, is made up"})
	default:
		findings = append(findings, Finding{
			Severity: Kept, Means: fmt.Sprintf("its times go on after its last run, at %s; its runs are called by their time in seconds", s.Status.LastRun.UTC().Format(time.RFC3339)),
		})
	}
	app := &v1beta2.SparkApplication{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: "run", UID: s.UID}, Spec: *s.Spec.Template.DeepCopy()}
	return append(findings, checkSpec(app, "spec.template")...)
}
