package spark

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	brazierv1alpha1 "brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

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
	if name := brazierv1alpha1.LabelQueue; connect.Labels[name] != "" {
		warnings = append(warnings, "metadata.labels["+name+"]: has no effect; Connect servers are in no queue")
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
