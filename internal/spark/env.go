package spark

import (
	"path"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

// Variables by which the object store's credentials reach the AWS SDKs, in Java and in Python, and the keys of the
// Secret that holds them. No credential is ever part of a property: those end up in ConfigMaps, logs and the web
// interface.
const (
	awsKeyID    = "AWS_ACCESS_KEY_ID"
	awsKey      = "AWS_SECRET_ACCESS_KEY"
	awsIdentity = "AWS_WEB_IDENTITY_TOKEN_FILE" // of a cloud identity, over which the SDKs prefer a key
)

// ownEnv adds what the application and the platform set in the environment of Spark's container. The application's
// variables win over Spark's of the same name, as they do where a webhook adds them; the platform's give way to both.
func (p *planner) ownEnv(r role, spark *corev1.Container) {
	if p.app.Spec.SparkConfigMap != "" && r.name == "driver" {
		setEnv(spark, "SPARK_CONF_DIR", ownConfDir)
	}
	for _, secret := range r.spec.Secrets {
		switch secret.Type {
		case v1beta2.SecretTypeGCPServiceAccount:
			setEnv(spark, "GOOGLE_APPLICATION_CREDENTIALS", path.Join(secret.Path, "key.json"))
		case v1beta2.SecretTypeHadoopDelegationToken:
			setEnv(spark, "HADOOP_TOKEN_FILE_LOCATION", path.Join(secret.Path, "hadoop.token"))
		case v1beta2.SecretTypeGeneric:
		}
	}
	for _, env := range r.spec.Env {
		putEnv(spark, *env.DeepCopy())
	}
	fromElsewhere := len(spark.EnvFrom)+len(r.spec.EnvFrom) > 0
	p.objectStoreEnv(r, spark, fromElsewhere)
	p.addPlatformEnv(r, spark, fromElsewhere)
	for _, from := range r.spec.EnvFrom {
		spark.EnvFrom = append(spark.EnvFrom, *from.DeepCopy())
	}
	p.trustEnv(spark)
}

// objectStoreEnv gives the container the platform's credentials for its object store, unless the application names
// its own, or a cloud identity. A variable of env wins over any of envFrom, so where the container takes its environment from elsewhere,
// the platform's Secret goes the same way, before the others.
func (p *planner) objectStoreEnv(r role, spark *corev1.Container, fromElsewhere bool) {
	name := corev1.LocalObjectReference{Name: p.platform.ObjectStoreSecret}
	if name.Name == "" || hasEnv(spark, awsKeyID) || hasEnv(spark, awsKey) || p.namesEnv(r, spark, awsIdentity) {
		return
	}
	optional := true
	if fromElsewhere {
		spark.EnvFrom = slices.Insert(spark.EnvFrom, 0, corev1.EnvFromSource{
			SecretRef: &corev1.SecretEnvSource{LocalObjectReference: name, Optional: &optional},
		})
		return
	}
	for _, key := range []string{awsKeyID, awsKey} {
		spark.Env = append(spark.Env, corev1.EnvVar{Name: key, ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name, Key: key, Optional: &optional},
		}})
	}
}
