package spark

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// exception is a difference from spark-submit that is meant. It takes the difference out of both sides, and reports
// whether there was one.
type exception struct {
	reason string
	apply  func(app *v1beta2.SparkApplication, want, got *submission) bool
}

// exceptions are all differences that are meant.
func exceptions() []exception {
	return []exception{
		{"the run's labels are on every object, and among the properties for the executors", withoutRunLabels},
		{"there is a Service for the web interface, under the name that clients of the API expect", withoutUIService},
		{"the executors' template is always there, since it carries what the API says of executors", withoutTemplate},
		{"autoscalers are told to keep the driver", withoutKeepAnnotations},
		{"the driver's environment does not list the namespace's Services", func(_ *v1beta2.SparkApplication, _, got *submission) bool {
			return unset(&got.Driver.Spec.EnableServiceLinks)
		}},
		{"the last lines of the log tell of a failure", func(_ *v1beta2.SparkApplication, _, got *submission) bool {
			return unset(&got.container().TerminationMessagePolicy)
		}},
		{"Secrets are mounted read-only, as they are anyway", withoutReadOnly},
		{"drivers that name no account have the platform's, which may make executors", withoutAccount},
		{"Spark's container is called as Spark calls it whatever a template says, since clients read its log by that", withContainerName},
		{"objects of an application with a long name have it cut, so that executors' hostnames have room", withCutName},
		{"the driver's pod is called after the application, where Spark adds a random part", withoutDriverName},
		{"a driver's template is given as such, and not as a file of the submitter's", withoutTemplateFile},
		{"variables and volumes are in the order of their names, where Spark's order is that of a hash table", inOrder},
		{"the container's port for blocks is the one that the driver listens on, where spark-submit names the executors'", withRightPort},
		{"SPARK_USER is the user of Spark's images, or the proxy user, where spark-submit before 4.3 names who runs it", withoutUser},
		{"properties of the API, with its defaults", withoutOwnProperties},
	}
}

func (s *submission) container() *corev1.Container {
	return &s.Driver.Spec.Containers[len(s.Driver.Spec.Containers)-1]
}

// unset sets what p points at to its zero value and reports whether it was another.
func unset[T any](p *T) bool {
	was := !reflect.ValueOf(p).Elem().IsZero()
	*p = *new(T)
	return was
}

// drop removes a key and reports whether it was there.
func drop[V any](m map[string]V, key string) bool {
	_, there := m[key]
	delete(m, key)
	return there
}

func withoutRunLabels(app *v1beta2.SparkApplication, _, got *submission) bool {
	applied := false
	for key := range runLabels(app, testRun()) {
		for _, labels := range got.labels() {
			applied = drop(labels, key) || applied
		}
		for _, role := range []string{"driver", "executor"} {
			applied = drop(got.Properties, "spark.kubernetes."+role+".label."+key) || applied
		}
	}
	return applied
}

// labels are those of all objects, and what the Services select.
func (s *submission) labels() []map[string]string {
	all := []map[string]string{s.Driver.Labels}
	for _, o := range s.Services {
		all = append(all, o.Labels, o.Spec.Selector)
	}
	for _, o := range s.NetworkPolicies {
		all = append(all, o.Labels)
	}
	for _, o := range s.Claims {
		all = append(all, o.Labels)
	}
	for _, o := range s.ConfigMaps {
		all = append(all, o.Labels)
	}
	return all
}

func withoutUIService(app *v1beta2.SparkApplication, _, got *submission) bool {
	before := len(got.Services)
	got.Services = slices.DeleteFunc(got.Services, func(s *corev1.Service) bool {
		return s.Name == serviceName(app.Name, "-ui-svc", app.UID)
	})
	return len(got.Services) < before
}

func withoutTemplate(_ *v1beta2.SparkApplication, want, got *submission) bool {
	for _, s := range []*submission{want, got} {
		s.ConfigMaps = slices.DeleteFunc(s.ConfigMaps, func(c *corev1.ConfigMap) bool { return c.Data[templateKey] != "" })
		s.Driver.Spec.Volumes = slices.DeleteFunc(s.Driver.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == templateVolume })
		spark := s.container()
		spark.VolumeMounts = slices.DeleteFunc(spark.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == templateVolume })
	}
	applied := false
	for _, key := range []string{"spark.kubernetes.executor.podTemplateFile", "spark.kubernetes.executor.podTemplateContainerName"} {
		applied = drop(got.Properties, key) || applied
	}
	return applied
}

func withoutKeepAnnotations(_ *v1beta2.SparkApplication, _, got *submission) bool {
	a, b := drop(got.Driver.Annotations, keepAutoscaler), drop(got.Driver.Annotations, keepKarpenter)
	return a || b
}

func withoutReadOnly(_ *v1beta2.SparkApplication, want, got *submission) bool {
	applied := false
	for i, mount := range got.container().VolumeMounts {
		secret := slices.ContainsFunc(got.Driver.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name && v.Secret != nil })
		if secret && mount.ReadOnly {
			got.container().VolumeMounts[i].ReadOnly = false
			applied = true
		}
	}
	return applied
}

func withoutAccount(_ *v1beta2.SparkApplication, want, got *submission) bool {
	const key = "spark.kubernetes.authenticate.driver.serviceAccountName"
	if _, said := want.Properties[key]; said || got.Properties[key] != DefaultServiceAccount {
		return false
	}
	delete(got.Properties, key)
	return unset(&got.Driver.Spec.ServiceAccountName)
}

func withContainerName(_ *v1beta2.SparkApplication, want, got *submission) bool {
	if want.container().Name == v1beta2.DriverContainerName {
		return false
	}
	want.container().Name = v1beta2.DriverContainerName
	return true
}

// withCutName puts PREFIX in the place of a prefix that is cut, as it was put in the place of one that is not.
func withCutName(app *v1beta2.SparkApplication, _, got *submission) bool {
	prefix := newNames(app.Name, app.UID, testRun().Number, "").prefix
	text, err := json.Marshal(got)
	if err != nil || !bytes.Contains(text, []byte(prefix)) {
		return false
	}
	*got = submission{}
	return json.Unmarshal(bytes.ReplaceAll(text, []byte(prefix), []byte("PREFIX")), got) == nil
}

func withoutDriverName(app *v1beta2.SparkApplication, want, got *submission) bool {
	if app.Spec.Driver.PodName != "" {
		return false
	}
	for _, s := range []*submission{want, got} {
		s.Driver.Name = ""
		delete(s.Properties, "spark.kubernetes.driver.pod.name")
	}
	return true
}

func withoutTemplateFile(_ *v1beta2.SparkApplication, want, _ *submission) bool {
	return drop(want.Properties, "spark.kubernetes.driver.podTemplateFile")
}

// inOrder sorts what comes from properties, and reports whether spark-submit had it in another order.
func inOrder(_ *v1beta2.SparkApplication, want, got *submission) bool {
	applied := !slices.EqualFunc(want.container().Env, got.container().Env, func(a, b corev1.EnvVar) bool { return a.Name == b.Name }) ||
		!slices.EqualFunc(want.Driver.Spec.Volumes, got.Driver.Spec.Volumes, func(a, b corev1.Volume) bool { return a.Name == b.Name })
	for _, s := range []*submission{want, got} {
		slices.SortStableFunc(s.container().Env, func(a, b corev1.EnvVar) int { return strings.Compare(a.Name, b.Name) })
		slices.SortStableFunc(s.Driver.Spec.Volumes, func(a, b corev1.Volume) int { return strings.Compare(a.Name, b.Name) })
		slices.SortStableFunc(s.container().VolumeMounts, func(a, b corev1.VolumeMount) int { return strings.Compare(a.Name, b.Name) })
	}
	return applied
}

func withRightPort(_ *v1beta2.SparkApplication, want, got *submission) bool {
	for i, port := range want.container().Ports {
		if port.Name == portBlocks && want.Properties["spark.blockManager.port"] == strconv.Itoa(int(port.ContainerPort)) {
			want.container().Ports[i].ContainerPort = got.container().Ports[i].ContainerPort
			return true
		}
	}
	return false
}

func withoutUser(_ *v1beta2.SparkApplication, want, got *submission) bool {
	applied := false
	for i, env := range got.container().Env {
		if env.Name == "SPARK_USER" && want.container().Env[i].Name == env.Name && want.container().Env[i].Value == "root" {
			want.container().Env[i].Value = env.Value
			applied = true
		}
	}
	return applied
}

// withoutOwnProperties takes out what the API sets where spark-submit leaves it to Spark, and what each names anew.
func withoutOwnProperties(app *v1beta2.SparkApplication, want, got *submission) bool {
	applied := false
	for _, s := range []*submission{want, got} {
		for _, key := range []string{"spark.app.submitTime", "spark.master", "spark.kubernetes.namespace"} { // of the run
			delete(s.Properties, key)
		}
	}
	for _, key := range []string{
		"spark.executor.instances", "spark.kubernetes.container.image.pullPolicy", // the API's defaults
		"spark.kubernetes.driver.container.image", "spark.kubernetes.executor.container.image", // spec.image, for each role
		"spark.kubernetes.executor.podNamePrefix", // of our own names
	} {
		if _, said := want.Properties[key]; !said {
			applied = drop(got.Properties, key) || applied
		}
	}
	return applied
}
