package rights_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/spark"
	"brazier.sh/brazier/test/apiserver"
)

func plan(t *testing.T, app *v1beta2.SparkApplication, platform spark.Platform) *spark.Plan {
	t.Helper()
	platform.Image = "spark:{{SPARK_VERSION}}"
	plan, err := spark.New(app, spark.Run{Number: 1, SubmittedAt: time.Unix(1_764_000_000, 0)}, platform)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestOwners makes all objects of a run with the accounts that make them, where owner references are looked at strictly:
// who has an object's deletion blocked has to be allowed to do that, as on OpenShift.
func TestOwners(t *testing.T) {
	w := newWorld(t, nil)
	app := w.application("pi", func(app *v1beta2.SparkApplication) {
		app.Spec.DriverPodDisruptionBudget = true
		app.Spec.SparkConf = map[string]string{
			"spark.kubernetes.driver.volumes.persistentVolumeClaim.data.options.claimName":    "OnDemand",
			"spark.kubernetes.driver.volumes.persistentVolumeClaim.data.options.storageClass": "standard",
			"spark.kubernetes.driver.volumes.persistentVolumeClaim.data.options.sizeLimit":    "1Gi",
			"spark.kubernetes.driver.volumes.persistentVolumeClaim.data.mount.path":           "/data",
		}
	})
	w.Create(app)
	byOperator := apiserver.NewClient(t, as(accountName(operatorNamespace, operatorAccount)))
	kinds := make(map[string]bool)
	made := plan(t, app, spark.Platform{Ingress: spark.Ingress{URLFormat: "{{$appName}}.spark.example.com"}})
	for _, object := range made.Objects() {
		kinds[object.GetObjectKind().GroupVersionKind().Kind] = true
		w.createAs(byOperator, object)
	}
	for _, kind := range []string{"ConfigMap", "Service", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "PodDisruptionBudget", "Pod"} {
		if !kinds[kind] {
			t.Errorf("no %s was made; the test tests less than it says", kind)
		}
	}
	schedule := &v1beta2.ScheduledSparkApplication{ObjectMeta: w.Meta("nightly")}
	schedule.Spec.Schedule, schedule.Spec.Template = "@daily", app.Spec
	w.Create(schedule)
	run := w.application("nightly-1")
	run.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(schedule, v1beta2.GroupVersion.WithKind("ScheduledSparkApplication"))}
	w.createAs(byOperator, run)
	w.driverMakes(made.Driver)
}

// driverMakes makes what Spark's driver makes, as it does: BasicExecutorFeatureStep and KubernetesUtils.addOwnerReference
// name the driver's pod as the controller and do not block its deletion.
func (w *world) driverMakes(driver *corev1.Pod) {
	t := w.T
	byDriver := apiserver.NewClient(t, as(accountName(w.Namespace, driverAccount)))
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: driver.Name, UID: driver.UID, Controller: new(true)}
	pod := corev1.PodSpec{ServiceAccountName: driverAccount, Containers: []corev1.Container{{Name: "c", Image: "i"}}}
	for _, object := range []client.Object{
		&corev1.Pod{ObjectMeta: w.Meta("pi-exec-1"), Spec: pod},
		&corev1.ConfigMap{ObjectMeta: w.Meta("spark-exec-conf-map")},
		&corev1.Service{ObjectMeta: w.Meta("pi-svc"), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 7078}}}},
		&corev1.PersistentVolumeClaim{ObjectMeta: w.Meta("pi-exec-1-pvc-0"), Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		}},
		w.set("spark-s-1-0", pod),
	} {
		object.SetOwnerReferences([]metav1.OwnerReference{owner})
		w.createAs(byDriver, object)
	}
	// With this the API server shows that it looks.
	owner.BlockOwnerDeletion = new(true)
	blocking := &corev1.ConfigMap{ObjectMeta: w.Meta("blocking")}
	blocking.OwnerReferences = []metav1.OwnerReference{owner}
	if err := byDriver.Create(t.Context(), blocking); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "blockOwnerDeletion") {
		t.Errorf("the API server does not look at owner references: %v", err)
	}
}

// set returns a set of executors, as Spark has them made where it is told to.
func (w *world) set(name string, pod corev1.PodSpec) *appsv1.StatefulSet {
	labels := map[string]string{"set": name}
	return &appsv1.StatefulSet{ObjectMeta: w.Meta(name), Spec: appsv1.StatefulSetSpec{
		Replicas: new(int32(0)),
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
	}}
}

// TestPodSecurity has the strictest standard for pods accept drivers and executors as they are planned.
func TestPodSecurity(t *testing.T) {
	w := newWorld(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	for name, platform := range map[string]spark.Platform{
		"plain": {},
		"full": {
			ObjectStoreSecret: "store", PipIndexURL: "https://pip.example", IvySettings: "<ivysettings/>",
			Proxy: spark.Proxy{HTTPS: "http://proxy.example:3128"},
		},
		"anyuser": {AnyUser: true},
	} {
		for _, version := range []string{"3.5.9", "4.3.0"} {
			made := plan(t, w.application("pi", func(app *v1beta2.SparkApplication) { app.Spec.SparkVersion = version }), platform)
			for role, pod := range map[string]*corev1.Pod{"driver": made.Driver, "executor": w.executor(made)} {
				pod.OwnerReferences = nil // there is no such application
				if err := client.NewDryRunClient(w.Client).Create(t.Context(), pod); err != nil {
					t.Errorf("%s of a platform that is %s, Spark %s: %v", role, name, version, err)
				}
			}
		}
	}
	app := w.application("root", func(app *v1beta2.SparkApplication) { app.Spec.Driver.HostNetwork = new(true) })
	driver := plan(t, app, spark.Platform{}).Driver
	driver.OwnerReferences = nil
	err := client.NewDryRunClient(w.Client).Create(t.Context(), driver)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "PodSecurity") {
		t.Errorf("the standard does not hold: %v", err)
	}
}

// executor makes the pod of an executor of the plan's template, as Spark's driver does.
func (w *world) executor(made *spark.Plan) *corev1.Pod {
	w.T.Helper()
	for _, configMap := range made.ConfigMaps {
		text, found := configMap.Data["podspec-configmap-key"]
		if !found {
			continue
		}
		pod := new(corev1.Pod)
		if err := yaml.Unmarshal([]byte(text), pod); err != nil {
			w.T.Fatal(err)
		}
		pod.ObjectMeta.Namespace, pod.ObjectMeta.Name = w.Namespace, "pi-exec-1"
		pod.Spec.ServiceAccountName, pod.Spec.RestartPolicy = driverAccount, corev1.RestartPolicyNever
		pod.Spec.Containers[0].Image, pod.Spec.Containers[0].Args = made.Driver.Spec.Containers[0].Image, []string{"executor"}
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "spark-local-dir-1", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		return pod
	}
	w.T.Fatal("the plan has no template of executors")
	return nil
}

// TestEvidence looks at what the operator needs to keep what was seen of runs, and who may read it.
func TestEvidence(t *testing.T) {
	w := newWorld(t, nil)
	account := accountName(operatorNamespace, operatorAccount)
	for _, needed := range []struct{ verb, group, resource, sub string }{
		{"get", "", "pods", "log"},
		{"list", "", "events", ""},
		{"get", "brazier.sh", "runrecords", ""},
		{"list", "brazier.sh", "runrecords", ""},
		{"create", "brazier.sh", "runrecords", ""},
		{"patch", "brazier.sh", "runrecords", ""},
		{"delete", "brazier.sh", "runrecords", ""},
	} {
		if !w.may(account, needed.verb, needed.group, needed.resource, needed.sub) {
			t.Errorf("the operator may not %s %s/%s", needed.verb, needed.resource, needed.sub)
		}
	}
	const reader = "records-reader"
	w.grant(reader, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"}, "get", "brazier.sh", "runrecords")
	for _, verb := range []string{"create", "update", "patch", "delete"} {
		if w.may(reader, verb, "brazier.sh", "runrecords", "") {
			t.Errorf("whoever may view may %s records", verb)
		}
	}
}

// TestDriversMayNoMore looks at what the roles do not have in them.
func TestDriversMayNoMore(t *testing.T) {
	w := newWorld(t, nil)
	for _, forbidden := range []struct{ user, verb, group, resource, sub string }{
		{accountName(w.Namespace, driverAccount), "get", "", "secrets", ""},
		{accountName(w.Namespace, driverAccount), "create", "", "pods", "exec"},
		{accountName(w.Namespace, driverAccount), "create", rbacv1.GroupName, "rolebindings", ""},
		{accountName(w.Namespace, driverAccount), "impersonate", "", "serviceaccounts", ""},
		{accountName(operatorNamespace, operatorAccount), "get", "", "secrets", ""},
		{accountName(operatorNamespace, operatorAccount), "create", "", "pods", "exec"},
		{accountName(operatorNamespace, operatorAccount), "impersonate", "", "users", ""},
		{accountName(operatorNamespace, operatorAccount), "create", rbacv1.GroupName, "rolebindings", ""},
		{accountName(operatorNamespace, operatorAccount), "use", "", "serviceaccounts", ""},
		{accountName(operatorNamespace, operatorAccount), "create", "", "serviceaccounts", "token"},
		{accountName(operatorNamespace, operatorAccount), "patch", "", "nodes", ""},
		{accountName(operatorNamespace, operatorAccount), "update", "brazier.sh", "queues", ""},
		{accountName(operatorNamespace, operatorAccount), "watch", "", "events", ""},
		{accountName(w.Namespace, driverAccount), "get", "brazier.sh", "runrecords", ""},
		{accountName(w.Namespace, driverAccount), "create", "brazier.sh", "runrecords", ""},
	} {
		if w.may(forbidden.user, forbidden.verb, forbidden.group, forbidden.resource, forbidden.sub) {
			t.Errorf("%s may %s %s/%s", forbidden.user, forbidden.verb, forbidden.resource, forbidden.sub)
		}
	}
}
