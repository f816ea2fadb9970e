package spark

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
)

// executorOf reads the executors' pod from a plan.
func executorOf(t *testing.T, plan *Plan) corev1.Pod {
	t.Helper()
	for _, c := range plan.ConfigMaps {
		if text, ok := c.Data[templateKey]; ok {
			var pod corev1.Pod
			if err := yaml.UnmarshalStrict([]byte(text), &pod); err != nil {
				t.Fatal(err)
			}
			return pod
		}
	}
	t.Fatal("no ConfigMap with the executors' template")
	return corev1.Pod{}
}

func TestSecurityContext(t *testing.T) {
	const general, ofDriver, ofExecutor = "spark.kubernetes.securityContext.allowPrivilegeEscalation",
		"spark.kubernetes.driver.securityContext.allowPrivilegeEscalation", "spark.kubernetes.executor.securityContext.allowPrivilegeEscalation"
	user := &corev1.SecurityContext{RunAsUser: new(int64(1000))}
	privileged := &corev1.SecurityContext{Privileged: new(true)}
	templates := func(context *corev1.SecurityContext) *corev1.PodTemplateSpec {
		return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "any", SecurityContext: context}}}}
	}
	both := func(context *corev1.SecurityContext) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) {
			a.Spec.Driver.SecurityContext, a.Spec.Executor.SecurityContext = context, context
		}
	}
	conf := func(conf map[string]string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = conf }
	}
	// What is compared: of each role the user and whether it may gain privileges, and what the driver is told of the latter.
	type got struct {
		DriverUser, ExecutorUser *int64
		Driver, Executor         *bool
		Property                 string
	}
	uid, yes, no := new(sparkUID), new(true), new(false)
	tests := map[string]struct {
		reason   string
		version  string
		ownImage bool
		app      func(*v1beta2.SparkApplication)
		want     got
	}{
		"PlatformsImage": {
			reason: "The platform's image is known to run as Spark's user.",
			want:   got{DriverUser: uid, ExecutorUser: uid, Driver: no, Executor: no},
		},
		"OwnImage": {
			reason: "An image of the application's own may have another user; it gets what Spark writes.", ownImage: true,
			want: got{Driver: no, Executor: no},
		},
		"OwnImageBefore43": {
			reason: "Before 4.3 Spark writes nothing.", ownImage: true, version: "4.2.0",
			want: got{},
		},
		"ImageOfOneRole": {
			reason: "Each role goes by its own image.",
			app:    conf(map[string]string{"spark.kubernetes.executor.container.image": "mine"}),
			want:   got{DriverUser: uid, Driver: no, Executor: no},
		},
		"OwnUser": {
			reason: "Spark 4.3 adds to a context that says nothing of privileges.", app: both(user),
			want: got{DriverUser: user.RunAsUser, ExecutorUser: user.RunAsUser, Driver: no, Executor: no},
		},
		"OwnUserBefore43": {
			reason: "Older ones do not.", app: both(user), version: "4.2.0",
			want: got{DriverUser: user.RunAsUser, ExecutorUser: user.RunAsUser},
		},
		"DriversProperty": {
			reason: "The driver's property is the driver's alone.", app: conf(map[string]string{ofDriver: "true"}),
			want: got{DriverUser: uid, ExecutorUser: uid, Driver: yes, Executor: no},
		},
		"ExecutorsProperty": {
			reason: "The executors' is theirs.", app: conf(map[string]string{ofExecutor: "true"}),
			want: got{DriverUser: uid, ExecutorUser: uid, Driver: no, Executor: yes, Property: "true"},
		},
		"GeneralProperty": {
			reason: "Without either, the general one counts; the driver knows it without help.", app: conf(map[string]string{general: "true"}),
			want: got{DriverUser: uid, ExecutorUser: uid, Driver: yes, Executor: yes},
		},
		"PropertyBefore43": {
			reason: "Older ones do not know it.", app: conf(map[string]string{general: "true"}), version: "4.2.0",
			want: got{DriverUser: uid, ExecutorUser: uid, Driver: no, Executor: no},
		},
		"FieldOverProperty": {
			reason: "Fields win over properties, and the driver has to be told.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{general: "true"}
				both(&corev1.SecurityContext{AllowPrivilegeEscalation: no})(a)
			},
			want: got{Driver: no, Executor: no, Property: "false"},
		},
		"TemplatesWord": {
			reason: "A template that allows it means it, though Spark's driver would overwrite it.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Template = templates(&corev1.SecurityContext{AllowPrivilegeEscalation: yes})
			},
			want: got{DriverUser: uid, Driver: no, Executor: yes, Property: "true"},
		},
		"Privileged": {
			reason: "Kubernetes refuses a privileged container that may not gain privileges.", app: both(privileged),
			want: got{Driver: yes, Executor: yes, Property: "true"},
		},
		"PrivilegedTemplate": {
			reason: "So it does one of a template.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Executor.Template = templates(privileged) },
			want:   got{DriverUser: uid, Driver: no, Executor: yes, Property: "true"},
		},
		"SysAdmin": {
			reason: "And one with the capability that is as good as all.",
			app:    both(&corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: []corev1.Capability{"CAP_SYS_ADMIN"}}}),
			want:   got{Driver: yes, Executor: yes, Property: "true"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := application(tt.app)
			if tt.version != "" {
				app.Spec.SparkVersion = tt.version
			}
			if tt.ownImage {
				app.Spec.Image = "mine"
			}
			plan := mustPlan(t, app, testRun(), testPlatform())
			got := got{Property: driverProperties(t, plan)[ofExecutor]}
			if context := plan.Driver.Spec.Containers[0].SecurityContext; context != nil {
				got.DriverUser, got.Driver = context.RunAsUser, context.AllowPrivilegeEscalation
			}
			if context := executorOf(t, plan).Spec.Containers[0].SecurityContext; context != nil {
				got.ExecutorUser, got.Executor = context.RunAsUser, context.AllowPrivilegeEscalation
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
