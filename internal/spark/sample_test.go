package spark

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// TestVolumesOfOtherContainers has volumes that Spark's container does not mount.
func TestVolumesOfOtherContainers(t *testing.T) {
	other := []corev1.Container{{Name: "other", VolumeMounts: []corev1.VolumeMount{{Name: "logs", MountPath: "/logs"}}}}
	tests := map[string]struct {
		reason           string
		app              func(*v1beta2.SparkApplication)
		driver, executor bool
	}{
		"ExecutorSidecar": {
			reason: "A sidecar that ships logs mounts what it reads.", executor: true,
			app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.Sidecars = other },
		},
		"ExecutorInitContainer": {
			reason: "Init containers prepare volumes.", executor: true,
			app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.InitContainers = other },
		},
		"DriverSidecar": {
			reason: "The driver's are its own.", driver: true,
			app: func(a *v1beta2.SparkApplication) { a.Spec.Driver.Sidecars = other },
		},
		"DriverTemplate": {
			reason: "A template's container may mount a volume of the application.", driver: true,
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: slices.Concat([]corev1.Container{{Name: "spark"}}, other)}}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := application(tt.app)
			app.Spec.Volumes = []corev1.Volume{{Name: "logs", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			plan := mustPlan(t, app, testRun(), testPlatform())
			executor := executorOf(t, plan)
			driver, inExecutor := hasVolume(&plan.Driver.Spec, "logs"), hasVolume(&executor.Spec, "logs")
			if driver != tt.driver || inExecutor != tt.executor {
				t.Errorf("%s\nthe driver has it: %v, executors have it: %v", tt.reason, driver, inExecutor)
			}
			if len(plan.Warnings) > 0 {
				t.Errorf("%s\nwarnings %q", tt.reason, plan.Warnings)
			}
		})
	}
}

// TestExecutorsAccount looks at whether executors get a token of the API server.
func TestExecutorsAccount(t *testing.T) {
	no := new(false)
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		want   *bool
	}{
		"Drivers":  {reason: "Executors with their driver's account would have its rights, and no use for them.", want: no},
		"Field":    {reason: "Who names an account means its executors to use it.", app: func(a *v1beta2.SparkApplication) { a.Spec.Executor.ServiceAccount = "mine" }},
		"Property": {reason: "By whichever way.", app: func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{executorAccount: "mine"} }},
		"Template": {reason: "Or in the template.", app: func(a *v1beta2.SparkApplication) {
			a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{ServiceAccountName: "mine"}}
		}},
		"TemplatesWord": {reason: "What a template says of it counts.", want: no, app: func(a *v1beta2.SparkApplication) {
			a.Spec.Executor.ServiceAccount = "mine"
			a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{AutomountServiceAccountToken: no}}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			executor := executorOf(t, mustPlan(t, application(tt.app), testRun(), testPlatform()))
			if diff := cmp.Diff(tt.want, executor.Spec.AutomountServiceAccountToken); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

// TestPlanExecutor says which applications have executors that the API server is to be asked about.
func TestPlanExecutor(t *testing.T) {
	conf := func(key, value string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{key: value} }
	}
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		want   bool
	}{
		"Nothing": {reason: "There is nothing to be wrong with."},
		"Plain": {reason: "Sizes, counts, labels and options are checked without the API server.", app: func(a *v1beta2.SparkApplication) {
			e := &a.Spec.Executor
			e.Instances, e.Cores, e.CoreLimit, e.Memory, e.Labels, e.JavaOptions = new(int32(3)), new(int32(2)), "3", "2g", map[string]string{"a": "b"}, "-Da=b"
			a.Spec.SparkConf = map[string]string{"spark.sql.shuffle.partitions": "7"}
		}},
		"Tolerations": {reason: "What Kubernetes takes here it alone knows.", want: true, app: func(a *v1beta2.SparkApplication) {
			a.Spec.Executor.Tolerations = []corev1.Toleration{{Operator: "nonsense"}}
		}},
		"Account": {reason: "Whether an account is there it alone knows.", want: true, app: conf(executorAccount, "mine")},
		"Volume":  {reason: "Properties make volumes as well.", want: true, app: conf("spark.kubernetes.executor.volumes.emptyDir.x.mount.path", "/x")},
		"Secret":  {reason: "And mount Secrets.", want: true, app: conf("spark.kubernetes.executor.secrets.x", "/x")},
		"OwnClasses": {reason: "A class of the driver's may put right what is wrong.", app: func(a *v1beta2.SparkApplication) {
			conf("spark.kubernetes.executor.pod.featureSteps", "com.example.Step")(a)
			a.Spec.Executor.ServiceAccount = "mine"
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := mustPlan(t, application(tt.app), testRun(), testPlatform())
			if (plan.Executor != nil) != tt.want {
				t.Errorf("%s\nasked: %v", tt.reason, plan.Executor != nil)
			}
			for _, object := range plan.Objects() {
				if object == Object(plan.Executor) {
					t.Error("the sample is among what is created")
				}
			}
		})
	}
}

// TestSampleExecutor compares the pod that the API server is asked about with its golden file.
func TestSampleExecutor(t *testing.T) {
	app := readApplication(t, "testdata/sample.in.yaml")
	got, err := yaml.Marshal(mustPlan(t, app, testRun(), testPlatform()).Executor)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/sample.executor.yaml", got)
	if !strings.Contains(string(got), "-exec-0") {
		t.Error("an executor can have the sample's name")
	}
}
