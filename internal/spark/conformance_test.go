package spark

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// submitted is the application of testdata/spark-submit.
func submitted(version string) *v1beta2.SparkApplication {
	return application(func(a *v1beta2.SparkApplication) {
		a.Name = "pi"
		a.Spec.SparkVersion = version
		a.Spec.Image = "img"
		a.Spec.ProxyUser = "alice"
		a.Spec.MainApplicationFile = "local:///pi.py"
		a.Spec.Arguments = []string{"10", "b c"}
		a.Spec.Deps = v1beta2.Dependencies{
			PyFiles: []string{"local:///x.py"}, Files: []string{"local:///f.txt"}, Archives: []string{"local:///a.tgz#env"},
		}
		claim := "spark.kubernetes.driver.volumes.persistentVolumeClaim.v2."
		a.Spec.SparkConf = map[string]string{
			"spark.driver.minMemoryOverhead": "500m", "spark.driver.cores": "2",
			"spark.kubernetes.driver.request.cores": "500m", "spark.kubernetes.driver.limit.cores": "2",
			claim + "mount.path": "/v2", claim + "options.claimName": "OnDemand",
			claim + "options.storageClass": "sc", claim + "options.sizeLimit": "1Gi",
			"spark.kubernetes.driverEnv.FOO": "bar", "spark.kubernetes.driver.secretKeyRef.SE": "sec:key",
			"spark.kubernetes.driver.secrets.mysec": "/etc/mysec",
			"spark.kubernetes.driver.label.l1":      "x{{APP_ID}}", "spark.kubernetes.driver.annotation.a1": "y",
			"spark.kubernetes.driver.service.label.sl": "1", "spark.kubernetes.driver.service.annotation.sa": "1",
			"spark.kubernetes.node.selector.n1": "v", "spark.kubernetes.driver.node.selector.n2": "v",
			"spark.kubernetes.authenticate.driver.serviceAccountName": "acc",
			"spark.driver.extraJavaOptions":                           `-Dx=y -Dé="a b"`,
			"spark.kubernetes.driver.scheduler.name":                  "sched",
			"spark.kubernetes.container.image.pullSecrets":            "p1,p2",
			"spark.kubernetes.hadoop.configMapName":                   "hcm",
			"spark.driver.resource.gpu.amount":                        "1", "spark.driver.resource.gpu.vendor": "nvidia.com",
			"spark.pyspark.python": "/opt/py", "spark.hadoop.x": "1",
		}
	})
}

// TestAsSparkSubmit compares plans with what the spark-submit of each release made. Differences that are meant are
// taken out by likeSparkSubmit, which is thereby the list of them.
func TestAsSparkSubmit(t *testing.T) {
	recorded, err := filepath.Glob("testdata/spark-submit/*.json")
	if err != nil || len(recorded) != len(releases()) {
		t.Fatalf("there is a recording for each release: %v, %v", recorded, err)
	}
	for _, path := range recorded {
		version := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(version, func(t *testing.T) {
			want := &Plan{}
			readRecording(t, anonymous(readFile(t, path)), want)

			plan := mustPlan(t, submitted(version), testRun(), Platform{})
			likeSparkSubmit(plan)
			text, err := json.Marshal(plan.Objects())
			if err != nil {
				t.Fatal(err)
			}
			got := &Plan{}
			readRecording(t, anonymous(text), got)

			if diff := cmp.Diff(recordedProperties(t, want), recordedProperties(t, got)); diff != "" {
				t.Errorf("the properties are not what Spark %s makes\n-spark-submit +plan:\n%s", version, diff)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the plan is not what Spark %s makes\n-spark-submit +plan:\n%s", version, diff)
			}
		})
	}
}

// readRecording reads a JSON list of objects into the parts of a plan, without what a submitter says in other words.
func readRecording(t *testing.T, text []byte, plan *Plan) {
	t.Helper()
	var objects []json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(object, &kind); err != nil {
			t.Fatal(err)
		}
		var into metav1.Object
		switch kind.Kind {
		case "Pod":
			plan.Driver = &corev1.Pod{}
			into = plan.Driver
		case "Service":
			plan.Services = append(plan.Services, &corev1.Service{})
			into = plan.Services[len(plan.Services)-1]
		case "NetworkPolicy":
			plan.NetworkPolicies = append(plan.NetworkPolicies, &networkingv1.NetworkPolicy{})
			into = plan.NetworkPolicies[len(plan.NetworkPolicies)-1]
		case "PersistentVolumeClaim":
			plan.Claims = append(plan.Claims, &corev1.PersistentVolumeClaim{})
			into = plan.Claims[len(plan.Claims)-1]
		case "ConfigMap":
			plan.ConfigMaps = append(plan.ConfigMaps, &corev1.ConfigMap{})
			into = plan.ConfigMaps[len(plan.ConfigMaps)-1]
		}
		if err := json.Unmarshal(object, into); err != nil {
			t.Fatal(err)
		}
		into.SetNamespace("")        // implied by the request's path in some
		into.SetOwnerReferences(nil) // of the driver's pod there, of the application here
	}
	plan.Driver.Spec.DeprecatedServiceAccount = ""
}

// anonymous replaces what no two runs share.
func anonymous(text []byte) []byte {
	for pattern, name := range map[string]string{
		`spark-[0-9a-f]{32}`: "APP-ID", `pi-[0-9a-f]{16}`: "PREFIX", `spark-drv-[0-9a-f]{16}`: "CONF",
		`/var/data/spark-[0-9a-f-]{36}`: "LOCAL-DIR", `pi-driver`: "PREFIX-driver",
	} {
		text = regexp.MustCompile(pattern).ReplaceAll(text, []byte(name))
	}
	return text
}

// likeSparkSubmit takes out of a plan what is in it on purpose and spark-submit does not make.
func likeSparkSubmit(plan *Plan) {
	ours := runLabels(submitted(""), testRun())
	for _, object := range plan.Objects() {
		labels := object.GetLabels()
		maps.DeleteFunc(labels, func(k, _ string) bool { return ours[k] != "" })
		object.SetLabels(labels)
	}
	plan.Services = plan.Services[:1] // no Service for the web interface
	maps.DeleteFunc(plan.Services[0].Spec.Selector, func(k, _ string) bool { return ours[k] != "" })
	plan.ConfigMaps = slices.DeleteFunc(plan.ConfigMaps, func(c *corev1.ConfigMap) bool { return c.Data[confFile] == "" })

	delete(plan.Driver.Annotations, keepAutoscaler)
	delete(plan.Driver.Annotations, keepKarpenter)
	pod := &plan.Driver.Spec
	pod.EnableServiceLinks = nil
	pod.Volumes = slices.DeleteFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == templateVolume })
	spark := &pod.Containers[0]
	spark.TerminationMessagePolicy = ""
	spark.VolumeMounts = slices.DeleteFunc(spark.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == templateVolume })
	for i := range spark.VolumeMounts {
		spark.VolumeMounts[i].ReadOnly = false // Secrets are mounted read-only, as they are anyway
	}
	// Ours is stricter than that of 4.3, and there for all.
	spark.SecurityContext = nil
	if plan.Services[0].Spec.Selector[labelVersion] == "4.3.0" {
		spark.SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: new(false)}
	}
}

// recordedProperties takes the properties out of the only ConfigMap, without those that differ on purpose.
// What is left of the ConfigMap can be compared as it is.
func recordedProperties(t *testing.T, plan *Plan) map[string]string {
	t.Helper()
	conf := properties(t, plan)
	delete(plan.ConfigMaps[0].Data, confFile)
	for _, key := range []string{
		"spark.app.submitTime", "spark.master", // of the run
		"spark.executor.instances", "spark.kubernetes.container.image.pullPolicy", // the API's defaults
		"spark.kubernetes.driver.container.image", "spark.kubernetes.executor.container.image", // spec.image, for each role
		"spark.kubernetes.executor.podNamePrefix", "spark.kubernetes.executor.podTemplateFile",
		"spark.kubernetes.executor.podTemplateContainerName",
	} {
		delete(conf, key)
	}
	for key := range runLabels(submitted(""), testRun()) {
		delete(conf, "spark.kubernetes.driver.label."+key)
		delete(conf, "spark.kubernetes.executor.label."+key)
	}
	return conf
}
