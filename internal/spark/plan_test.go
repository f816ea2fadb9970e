package spark

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/properties"
)

// application is the least that can be planned, changed by change.
func application(change func(*v1beta2.SparkApplication)) *v1beta2.SparkApplication {
	app := &v1beta2.SparkApplication{}
	app.Name, app.Namespace, app.UID = "app", "team", "0d6d7a6e"
	app.Spec.Type = v1beta2.SparkApplicationTypePython
	app.Spec.SparkVersion = "4.3.0"
	app.Spec.MainApplicationFile = "local:///job.py"
	if change != nil {
		change(app)
	}
	return app
}

func mustPlan(t *testing.T, app *v1beta2.SparkApplication, run Run, platform Platform) *Plan {
	t.Helper()
	plan, err := New(app, run, platform)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestNewIsPure(t *testing.T) {
	app := readApplication(t, "testdata/java.in.yaml")
	before := app.DeepCopy()
	platform := testPlatform()
	platform.TrustBundle = readFile(t, "testdata/ca.crt")

	first := mustPlan(t, app, testRun(), platform)
	for _, object := range first.Objects() {
		object.SetLabels(map[string]string{"changed": "by the caller"})
		object.SetAnnotations(nil)
	}
	first.Driver.Spec.Containers[0].Env[0].Value = "changed by the caller"
	if diff := cmp.Diff(before, app); diff != "" {
		t.Errorf("Planning, or changing a plan, must leave the application alone: it may be an informer's.\n-before +after:\n%s", diff)
	}
	again := mustPlan(t, app, testRun(), platform)
	if diff := cmp.Diff(mustPlan(t, before, testRun(), platform), again); diff != "" {
		t.Errorf("The same application, run and platform have to give the same objects.\n-first +again:\n%s", diff)
	}
}

func TestObjectsOrder(t *testing.T) {
	app := readApplication(t, "testdata/java.in.yaml")
	var kinds []string
	for _, object := range mustPlan(t, app, testRun(), testPlatform()).Objects() {
		kinds = append(kinds, object.GetObjectKind().GroupVersionKind().Kind)
	}
	want := []string{"ConfigMap", "ConfigMap", "Service", "Service", "NetworkPolicy", "PersistentVolumeClaim", "Pod"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("The pod comes last, so that it finds everything that it mounts.\n-want +got:\n%s", diff)
	}
}

func TestRunsShareNoNames(t *testing.T) {
	app := application(nil)
	first := mustPlan(t, app, Run{Number: 1}, testPlatform())
	second := mustPlan(t, app, Run{Number: 2}, testPlatform())
	seen := map[string]bool{}
	for _, object := range first.Objects() {
		seen[object.GetName()] = true
	}
	fixed := map[string]bool{"app-driver": true, "app-ui-svc": true} // which clients of the API look for
	for _, object := range second.Objects() {
		if seen[object.GetName()] && !fixed[object.GetName()] {
			t.Errorf("%s has the name of another run's: an immutable ConfigMap would be found stale", object.GetName())
		}
	}
	if first.AppID == second.AppID || first.SubmissionID == second.SubmissionID {
		t.Error("runs need IDs of their own: event logs and labels go by them")
	}
}

func TestPrecedence(t *testing.T) {
	tests := map[string]struct {
		reason   string
		app      func(*v1beta2.SparkApplication)
		platform map[string]string
		key      string
		want     string
	}{
		"PlatformIsADefault": {
			reason:   "What the platform sets holds where the application says nothing.",
			platform: map[string]string{"spark.sql.shuffle.partitions": "8"},
			key:      "spark.sql.shuffle.partitions", want: "8",
		},
		"SparkConfOverPlatform": {
			reason:   "The application's properties win over the platform's.",
			platform: map[string]string{"spark.sql.shuffle.partitions": "8"},
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.sql.shuffle.partitions": "9"}
			},
			key: "spark.sql.shuffle.partitions", want: "9",
		},
		"FieldOverSparkConf": {
			reason: "Fields of driver and executor are passed after sparkConf.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.executor.memory": "1g"}
				a.Spec.Executor.Memory = "2g"
			},
			key: "spark.executor.memory", want: "2g",
		},
		"SparkConfOverPullPolicy": {
			reason: "The pull policy is passed before sparkConf.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.kubernetes.container.image.pullPolicy": "Never"}
				a.Spec.ImagePullPolicy = corev1.PullAlways
			},
			key: "spark.kubernetes.container.image.pullPolicy", want: "Never",
		},
		"DepsReplaceSparkConf": {
			reason: "An option of spark-submit replaces the property.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.jars": "local:///a.jar"}
				a.Spec.Deps.Jars = []string{"local:///b.jar"}
			},
			key: "spark.jars", want: "local:///b.jar",
		},
		"InstancesDefault": {
			reason: "The API's default is one executor, Spark's two.",
			key:    "spark.executor.instances", want: "1",
		},
		"InstancesOfSparkConf": {
			reason: "A default does not win over what was said.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.executor.instances": "7"}
			},
			key: "spark.executor.instances", want: "7",
		},
		"HeapThatTheJVMDoesNotRead": {
			reason: "spark-submit passes the text on as -Xmx, where a bare number is bytes.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Driver.Memory = "2048" },
			key:    "spark.driver.memory", want: "2048m",
		},
		"IvyIsWritable": {
			reason: "Spark's images have no home to put Ivy's cache into.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Deps.Packages = []string{"a:b:1"} },
			key:    "spark.jars.ivy", want: "/tmp/.ivy2",
		},
		"DriverPodOfSparkConf": {
			reason: "The driver's pod can be named by its property as well.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.kubernetes.driver.pod.name": "mine"}
			},
			key: "spark.kubernetes.driver.pod.name", want: "mine",
		},
		"APIServer": {
			reason: "The driver finds the API server where its application says.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Driver.KubernetesMaster = "https://other:6443" },
			key:    "spark.master", want: "k8s://https://other:6443",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			platform := testPlatform()
			platform.SparkConf = tt.platform
			got := driverProperties(t, mustPlan(t, application(tt.app), testRun(), platform))[tt.key]
			if got != tt.want {
				t.Errorf("%s\n%s is %q, want %q", tt.reason, tt.key, got, tt.want)
			}
		})
	}
}

// driverProperties reads those of a plan's driver.
func driverProperties(t *testing.T, plan *Plan) map[string]string {
	t.Helper()
	for _, c := range plan.ConfigMaps {
		if text, ok := c.Data[confFile]; ok {
			conf, err := properties.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return conf
		}
	}
	t.Fatal("no ConfigMap with properties")
	return nil
}

func TestDriverMemory(t *testing.T) {
	tests := map[string]struct {
		reason  string
		app     func(*v1beta2.SparkApplication)
		want    string
		version string
	}{
		"Python": {reason: "0.4 of 1g is more than the floor.", want: "1433Mi"},
		"JVM": {
			reason: "0.1 of 1g is less than the floor.", want: "1408Mi",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Type, a.Spec.MainClass = v1beta2.SparkApplicationTypeJava, "Main"
			},
		},
		"Factor": {
			reason: "The driver's factor wins over that of both roles.", want: "3Gi",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Memory, a.Spec.MemoryOverheadFactor = "2g", "0.3"
				a.Spec.SparkConf = map[string]string{"spark.driver.memoryOverheadFactor": "0.5"}
			},
		},
		"Overhead": {
			reason: "What is said outright is not raised to the floor.", want: "2060Mi",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Memory, a.Spec.Driver.MemoryOverhead = "2g", "12"
			},
		},
		"Floor": {
			reason: "The floor can be set.", want: "2Gi",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.driver.minMemoryOverhead": "1g"}
			},
		},
		"FloorBefore40": {
			reason: "Spark 3.5 does not read that setting.", want: "1433Mi",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkVersion = "3.5.1"
				a.Spec.SparkConf = map[string]string{"spark.driver.minMemoryOverhead": "1g"}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := mustPlan(t, application(tt.app), testRun(), testPlatform())
			containers := plan.Driver.Spec.Containers
			resources := containers[len(containers)-1].Resources
			if got := resources.Requests.Memory().String(); got != tt.want {
				t.Errorf("%s\nrequests %s, want %s", tt.reason, got, tt.want)
			}
			if !resources.Limits.Memory().Equal(*resources.Requests.Memory()) {
				t.Errorf("limit %s, want what is requested", resources.Limits.Memory())
			}
		})
	}
}

func TestTrustStore(t *testing.T) {
	tests := map[string]struct {
		reason string
		bundle string
		want   string
	}{
		"Key":     {reason: "A key has no business in a ConfigMap.", bundle: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", want: "only certificates"},
		"Garbled": {reason: "What is not a certificate is not trusted.", bundle: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", want: "read certificate 1"},
		"Text":    {reason: "A bundle without certificates is a mistake.", bundle: "hello", want: "no certificate"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(application(nil), testRun(), Platform{Image: "i", TrustBundle: []byte(tt.bundle)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s\ngot %v, want an error with %q", tt.reason, err, tt.want)
			}
		})
	}
}

func TestTrustLeavesTheApplicationsOwn(t *testing.T) {
	own := "-Djavax.net.ssl.trustStore=/mine -Xss1m"
	app := application(func(a *v1beta2.SparkApplication) {
		a.Spec.Driver.JavaOptions = own
		a.Spec.Driver.Env = []corev1.EnvVar{{Name: "SSL_CERT_FILE", Value: "/mine"}}
	})
	plan := mustPlan(t, app, testRun(), Platform{Image: "i", TrustBundle: readFile(t, "testdata/ca.crt")})
	if got := driverProperties(t, plan)["spark.driver.extraJavaOptions"]; got != own {
		t.Errorf("a truststore of the application's own stays: got %q", got)
	}
	for _, env := range plan.Driver.Spec.Containers[0].Env {
		if env.Name == "SSL_CERT_FILE" && env.Value != "/mine" {
			t.Errorf("a variable of the application's own stays: got %q", env.Value)
		}
	}
}
