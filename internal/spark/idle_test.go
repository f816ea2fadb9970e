package spark

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

func TestWarnings(t *testing.T) {
	conf := func(pairs ...string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) {
			a.Spec.SparkConf = map[string]string{}
			for i := 0; i < len(pairs); i += 2 {
				a.Spec.SparkConf[pairs[i]] = pairs[i+1]
			}
		}
	}
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		want   []string
	}{
		"Submission": {
			reason: "What only spark-submit reads is dropped, but not without a word.",
			app: conf("spark.kubernetes.context", "prod", "spark.kubernetes.submission.waitAppCompletion", "true",
				"spark.kubernetes.submission.requestTimeout", "10s", "spark.kubernetes.file.upload.path", "s3a://b/x",
				"spark.kubernetes.configMap.maxSize", "10", "spark.kubernetes.authenticate.submission.oauthToken", "t"),
			want: []string{
				"spec.sparkConf[spark.kubernetes.authenticate.submission.oauthToken]: has no effect; the operator submits with rights of its own; do not keep a token in a manifest",
				"spec.sparkConf[spark.kubernetes.configMap.maxSize]: has no effect; the driver's ConfigMap has its properties alone; for the executors' the driver follows it",
				"spec.sparkConf[spark.kubernetes.context]: has no effect; it is about a file of the submitter's, which neither operator nor driver has",
				"spec.sparkConf[spark.kubernetes.file.upload.path]: has no effect; files are uploaded by \"brazier run\", not by the operator",
				"spec.sparkConf[spark.kubernetes.submission.requestTimeout]: has no effect; it is about spark-submit, which does not run here",
				"spec.sparkConf[spark.kubernetes.submission.waitAppCompletion]: has no effect; it is about spark-submit, which does not run here",
			},
		},
		"PrivilegesBefore43": {
			reason: "A property that the application's Spark does not know is dropped.",
			app: func(a *v1beta2.SparkApplication) {
				conf("spark.kubernetes.executor.securityContext.allowPrivilegeEscalation", "true")(a)
				a.Spec.SparkVersion = "4.0.0"
			},
			want: []string{"spec.sparkConf[spark.kubernetes.executor.securityContext.allowPrivilegeEscalation]: has no effect; Spark 4.0 does not know it"},
		},
		"FieldsThatLose": {
			reason: "Fields that the API's established operator passes before sparkConf lose.",
			app: func(a *v1beta2.SparkApplication) {
				conf("spark.kubernetes.container.image.pullPolicy", "Never", "spark.kubernetes.container.image.pullSecrets", "mine",
					"spark.kubernetes.memoryOverheadFactor", "0.3")(a)
				a.Spec.ImagePullPolicy, a.Spec.ImagePullSecrets, a.Spec.MemoryOverheadFactor = corev1.PullAlways, []string{"mine"}, "0.2"
			},
			want: []string{
				"spec.imagePullPolicy: has no effect; spec.sparkConf[spark.kubernetes.container.image.pullPolicy] wins over it",
				"spec.memoryOverheadFactor: has no effect; spec.sparkConf[spark.kubernetes.memoryOverheadFactor] wins over it",
			},
		},
		"TemplateContainer": {
			reason: "Spark takes the first container where the one named is not there.",
			app: func(a *v1beta2.SparkApplication) {
				conf("spark.kubernetes.driver.podTemplateContainerName", "other")(a)
				a.Spec.Driver.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "mine"}}}}
			},
			want: []string{"spec.sparkConf[spark.kubernetes.driver.podTemplateContainerName]: has no effect; spec.driver.template has no container of that name"},
		},
		"Volume": {
			reason: "A volume that nobody mounts may be a typing error.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Volumes = []corev1.Volume{{Name: "data"}} },
			want:   []string{"spec.volumes[data]: neither driver nor executors mount it"},
		},
		"PackageWithSlashes": {
			reason: "Spark reads coordinates with slashes, and what it reads is no mistake.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Deps.Packages = []string{"org.apache.spark/spark-avro_2.13/4.3.0"}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plan := mustPlan(t, application(tt.app), testRun(), testPlatform())
			if diff := cmp.Diff(tt.want, plan.Warnings); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
			if _, there := driverProperties(t, plan)["spark.kubernetes.authenticate.submission.oauthToken"]; there {
				t.Error("a token is among the driver's properties")
			}
		})
	}
}
