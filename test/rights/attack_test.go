package rights_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/test/apiserver"
)

type option = func(*v1beta2.SparkApplication)

func conf(key, value string) option {
	return func(app *v1beta2.SparkApplication) { app.Spec.SparkConf = map[string]string{key: value} }
}

// TestOperatorIsNoLadder has somebody with all rights in one namespace try to reach another by way of the operator, which
// has rights in all.
func TestOperatorIsNoLadder(t *testing.T) {
	w := newWorld(t, operated())
	victim := makeWorld(t, nil)
	w.Create(&corev1.Secret{ObjectMeta: victim.Meta("token"), StringData: map[string]string{"token": "secret"}})
	w.Create(&corev1.Pod{ObjectMeta: w.Meta("database"), Spec: corev1.PodSpec{
		ServiceAccountName: driverAccount, Containers: []corev1.Container{{Name: "c", Image: "i"}},
	}})
	mallory := w.user("mallory")
	w.grant(mallory, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"}, "create", v1beta2.GroupName, "sparkapplications")
	c := apiserver.NewClient(t, as(mallory))

	tests := map[string]struct {
		reason string
		app    option
		want   string // in the message of the submission that was refused
	}{
		"namespace": {
			reason: "Pods would be made with rights that the operator has there.",
			app:    conf("spark.kubernetes.namespace", victim.Namespace), want: "is not the application's own namespace",
		},
		"secret": {
			reason: "Another namespace's Secret.",
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.Secrets = []v1beta2.SecretInfo{{Name: victim.Namespace + "/token", Path: "/t", Type: v1beta2.SecretTypeGeneric}}
			},
			want: "is not the name of a Secret",
		},
		"configmap": {
			reason: "Another namespace's ConfigMap.",
			app:    func(app *v1beta2.SparkApplication) { app.Spec.HadoopConfigMap = victim.Namespace + "/kube-root-ca.crt" },
			want:   "is not the name of a ConfigMap",
		},
		"account": {
			reason: "The operator's account is none of this namespace.",
			app:    func(app *v1beta2.SparkApplication) { app.Spec.Driver.ServiceAccount = operatorAccount },
			want:   `serviceaccount "` + operatorAccount + `" not found`,
		},
		"accountelsewhere": {
			reason: "Nor does a namespace in front make it one.",
			app:    conf("spark.kubernetes.authenticate.driver.serviceAccountName", operatorNamespace+"/"+operatorAccount),
			want:   "may not contain '/'",
		},
		"podname": {
			reason: "A pod of somebody else is not taken over.",
			app:    func(app *v1beta2.SparkApplication) { app.Spec.Driver.PodName = "database" },
			want:   "Pod database exists already and does not belong to this application",
		},
		"token": {
			reason: "The operator's own files are nobody else's.",
			app:    conf("spark.kubernetes.authenticate.driver.oauthTokenFile", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
			want:   "names a file that the operator does not have",
		},
		"template": {
			reason: "Nor are its templates.",
			app:    conf("spark.kubernetes.driver.podTemplateFile", "/etc/brazier/config.yaml"), want: "names a file that the operator does not have",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := w.application(name, tt.app)
			w.createAs(c, app)
			w.Eventually(name+" is refused", func(ctx context.Context) (bool, error) {
				err := w.Client.Get(ctx, client.ObjectKeyFromObject(app), app)
				return app.Status.AppState.State == v1beta2.ApplicationStateFailed, err
			})
			if message := app.Status.AppState.ErrorMessage; !strings.Contains(message, tt.want) {
				t.Errorf("%s\nwant a message with %q, got %q", tt.reason, tt.want, message)
			}
		})
	}
	var pods corev1.PodList
	if err := w.Client.List(t.Context(), &pods, client.InNamespace(victim.Namespace)); err != nil || len(pods.Items) > 0 {
		t.Errorf("%d pods were made in the other namespace: %v", len(pods.Items), err)
	}
}

// author returns the connection of somebody who may write applications and schedules, and nothing else.
func (w *world) author(more ...rbacv1.PolicyRule) (user string, c client.Client) {
	w.T.Helper()
	user = w.user("author")
	rules := append([]rbacv1.PolicyRule{{
		APIGroups: []string{v1beta2.GroupName}, Resources: []string{"sparkapplications", "scheduledsparkapplications"}, Verbs: []string{"create", "get", "update"},
	}}, more...)
	w.Create(&rbacv1.Role{ObjectMeta: w.Meta("author"), Rules: rules})
	w.grant(user, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "author"}, "create", v1beta2.GroupName, "sparkapplications")
	return user, apiserver.NewClient(w.T, as(user))
}

func podTemplate(change func(*corev1.PodSpec)) *corev1.PodTemplateSpec {
	template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c"}}}}
	change(&template.Spec)
	return template
}

// TestAuthorsWithoutPods holds those who may write applications but make no pods to what they may use themselves.
func TestAuthorsWithoutPods(t *testing.T) {
	w := newWorld(t, nil)
	_, c := w.author(rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: []string{"granted"}, Verbs: []string{"use"}})
	w.awaitPolicies(c)

	driver := func(change func(*v1beta2.DriverSpec)) option {
		return func(app *v1beta2.SparkApplication) { change(&app.Spec.Driver) }
	}
	secret := corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "token"}}
	projected := corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "token"}}}},
	}}
	env := []corev1.EnvVar{{Name: "T", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "token"}, Key: "token",
	}}}}
	const account, ofSecret, ofIngress = `service account "other"`, "takes something from a Secret", "how its Ingress looks"
	tests := map[string]struct {
		app  option
		want string // in the refusal; "" is none
	}{
		"plain":            {app: func(*v1beta2.SparkApplication) {}},
		"platformsaccount": {app: driver(func(d *v1beta2.DriverSpec) { d.ServiceAccount = driverAccount })},
		"grantedaccount":   {app: driver(func(d *v1beta2.DriverSpec) { d.ServiceAccount = "granted" })},
		"grantedtwice": {app: func(app *v1beta2.SparkApplication) {
			app.Spec.Driver.ServiceAccount, app.Spec.Executor.ServiceAccount = "granted", "granted"
		}},
		"pullsecret": {app: func(app *v1beta2.SparkApplication) { app.Spec.ImagePullSecrets = []string{"registry"} }},
		"variables":  {app: driver(func(d *v1beta2.DriverSpec) { d.Env = []corev1.EnvVar{{Name: "A", Value: "b"}} })},

		"account":         {app: driver(func(d *v1beta2.DriverSpec) { d.ServiceAccount = "other" }), want: account},
		"executoraccount": {app: func(app *v1beta2.SparkApplication) { app.Spec.Executor.ServiceAccount = "other" }, want: account},
		"accountproperty": {app: conf("spark.kubernetes.authenticate.driver.serviceAccountName", "other"), want: account},
		"accounttemplate": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.Executor.Template = podTemplate(func(pod *corev1.PodSpec) { pod.DeprecatedServiceAccount = "other" })
			}, want: account,
		},
		"behindgranted": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.Driver.ServiceAccount, app.Spec.Executor.ServiceAccount = "granted", "other"
			}, want: `service accounts "other"`,
		},
		"secret": {
			app: driver(func(d *v1beta2.DriverSpec) {
				d.Secrets = []v1beta2.SecretInfo{{Name: "token", Path: "/t", Type: v1beta2.SecretTypeGeneric}}
			}),
			want: ofSecret,
		},
		"secretvolume": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.Volumes = []corev1.Volume{{Name: "t", VolumeSource: secret}}
			},
			want: ofSecret,
		},
		"secretprojected": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.Executor.Template = podTemplate(func(pod *corev1.PodSpec) { pod.Volumes = []corev1.Volume{{Name: "t", VolumeSource: projected}} })
			}, want: ofSecret,
		},
		"secretvariable": {app: driver(func(d *v1beta2.DriverSpec) { d.Env = env }), want: ofSecret},
		"secretsidecar": {
			app:  driver(func(d *v1beta2.DriverSpec) { d.Sidecars = []corev1.Container{{Name: "s", Image: "i", Env: env}} }),
			want: ofSecret,
		},
		"secretreference": {
			app: driver(func(d *v1beta2.DriverSpec) {
				d.EnvSecretKeyRefs = map[string]v1beta2.NameKey{"T": {Name: "token", Key: "token"}}
			}),
			want: ofSecret,
		},
		"secretproperty": {app: conf("spark.kubernetes.executor.secrets.token", "/t"), want: ofSecret},
		"ingress": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{{ServicePort: 80, ServicePortName: "p", IngressURLFormat: "bank.example.com"}}
			}, want: ofIngress,
		},
		"ingressannotation": {
			app: func(app *v1beta2.SparkApplication) {
				app.Spec.SparkUIOptions = &v1beta2.SparkUIConfiguration{IngressAnnotations: map[string]string{"nginx.ingress.kubernetes.io/server-snippet": "x"}}
			}, want: ofIngress,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := w.application(name, tt.app)
			schedule := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta(name)}
			schedule.Spec.Schedule, schedule.Spec.Template = "@daily", app.Spec
			for _, object := range []client.Object{app, schedule} {
				checkRefusal(t, client.NewDryRunClient(c).Create(t.Context(), object), tt.want)
			}
		})
	}
	t.Run("Edit", func(t *testing.T) { w.editsAreChecked(t, c) })
}

// editsAreChecked has an author take over an application of somebody with more rights.
func (w *world) editsAreChecked(t *testing.T, c client.Client) {
	app := w.application("edited", func(app *v1beta2.SparkApplication) { app.Spec.Driver.ServiceAccount = "other" })
	w.Create(app)
	app.Labels = map[string]string{"seen": "yes"}
	if err := c.Update(t.Context(), app); err != nil {
		t.Errorf("a label changes nothing about the account: %v", err)
	}
	app.Spec.MainApplicationFile = "local:///opt/mine.py"
	checkRefusal(t, c.Update(t.Context(), app), `service account "other"`)
}

func checkRefusal(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want)):
		t.Errorf("want it forbidden with %q, got %v", want, err)
	}
}

// awaitPolicies waits until the API server goes by the policies, which it is told of like anybody else.
func (w *world) awaitPolicies(c client.Client) {
	w.T.Helper()
	probe := func(ctx context.Context) (bool, error) {
		app := w.application("probe", func(app *v1beta2.SparkApplication) { app.Spec.Driver.ServiceAccount = "other" })
		err := client.NewDryRunClient(c).Create(ctx, app)
		return err != nil, client.IgnoreAlreadyExists(ignoreForbidden(err))
	}
	w.Eventually("policies hold", wait.ConditionWithContextFunc(probe))
}

func ignoreForbidden(err error) error {
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// TestPrograms holds an application's program, which has its driver's account, to that account.
func TestPrograms(t *testing.T) {
	w := newWorld(t, nil)
	_, author := w.author()
	w.awaitPolicies(author)
	for _, name := range []string{"other", "granted"} {
		w.Create(&corev1.ServiceAccount{ObjectMeta: w.Meta(name)})
	}
	account := accountName(w.Namespace, driverAccount)
	w.Create(&rbacv1.Role{ObjectMeta: w.Meta("granted"), Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: []string{"granted"}, Verbs: []string{"use"}},
		{APIGroups: []string{""}, Resources: []string{"endpoints"}, Verbs: []string{"get"}}, // by which the grant is seen
	}})
	w.grant(account, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "granted"}, "get", "", "endpoints")
	driver := client.NewDryRunClient(apiserver.NewClient(t, as(account)))

	fromSecret := func(name string) func(*corev1.PodSpec) {
		return func(pod *corev1.PodSpec) {
			pod.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}}
		}
	}
	tests := map[string]struct {
		pod  func(*corev1.PodSpec)
		want string
	}{
		"executor":       {pod: func(*corev1.PodSpec) {}},
		"grantedaccount": {pod: func(pod *corev1.PodSpec) { pod.ServiceAccountName = "granted" }},
		"store":          {pod: fromSecret("store")},
		"account":        {pod: func(pod *corev1.PodSpec) { pod.ServiceAccountName = "other" }, want: `service account "other"`},
		"noaccount":      {pod: func(pod *corev1.PodSpec) { pod.ServiceAccountName = "" }, want: `service account "default"`},
		"variables":      {pod: fromSecret("token"), want: "take something from a Secret"},
		"volume": {
			pod: func(pod *corev1.PodSpec) {
				pod.Volumes = []corev1.Volume{{Name: "t", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "token"}}}}
			}, want: "take something from a Secret",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			pod := corev1.PodSpec{ServiceAccountName: driverAccount, Containers: []corev1.Container{{Name: "c", Image: "i"}}}
			tt.pod(&pod)
			checkRefusal(t, driver.Create(t.Context(), &corev1.Pod{ObjectMeta: w.Meta(name), Spec: pod}), tt.want)
			checkRefusal(t, driver.Create(t.Context(), w.set(name, pod)), tt.want)
		})
	}
	t.Run("TheRest", func(t *testing.T) {
		for _, object := range []client.ObjectList{&corev1.SecretList{}, &networkingv1.IngressList{}, &v1beta2.SparkApplicationList{}} {
			w.refused(driver.List(t.Context(), object, client.InNamespace(w.Namespace)), "a program that lists what no driver needs")
		}
	})
}
