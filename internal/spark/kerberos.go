package spark

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Places and names of KerberosConfDriverFeatureStep: Constants.scala of Spark's Kubernetes module.
const (
	krb5Volume      = "krb5-file"
	krb5Path        = "/etc/krb5.conf"
	delegatedVolume = "hadoop-secret"
	delegatedDir    = "/mnt/secrets/hadoop-credentials"
)

const (
	keytabProperty       = "spark.kerberos.keytab"
	principalProperty    = "spark.kerberos.principal"
	krb5Property         = "spark.kubernetes.kerberos.krb5.configMapName"
	delegatedProperty    = "spark.kubernetes.kerberos.tokenSecret.name"
	delegatedKeyProperty = "spark.kubernetes.kerberos.tokenSecret.itemKey"
)

// kerberos follows KerberosConfDriverFeatureStep for what of it exists in the cluster already: krb5.conf in a ConfigMap,
// and delegation tokens in a Secret. A keytab that the driver finds mounted needs nothing but its property. Executors get
// their tokens from the driver.
func (p *planner) kerberos(pod *corev1.PodSpec, spark *corev1.Container) {
	if name := p.conf.get(krb5Property); name != "" {
		addVolume(pod, corev1.Volume{Name: krb5Volume, VolumeSource: configMapSource(name)})
		spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: krb5Volume, MountPath: krb5Path, SubPath: "krb5.conf"})
	}
	name := p.conf.get(delegatedProperty)
	if name == "" || p.conf.has(keytabProperty) { // a driver with a keytab makes its own tokens
		return
	}
	addVolume(pod, corev1.Volume{Name: delegatedVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}})
	spark.VolumeMounts = append(spark.VolumeMounts, corev1.VolumeMount{Name: delegatedVolume, MountPath: delegatedDir})
	setEnv(spark, "HADOOP_TOKEN_FILE_LOCATION", delegatedDir+"/"+p.conf.get(delegatedKeyProperty))
}

// checkKerberos finds what cannot work. The step requires the same of pairs; a keytab on the submitter's disk is one that
// nobody has.
func checkKerberos(conf *settings) {
	partners := map[string]string{
		keytabProperty: principalProperty, principalProperty: keytabProperty,
		delegatedProperty: delegatedKeyProperty, delegatedKeyProperty: delegatedProperty,
	}
	for key, partner := range partners {
		if conf.has(key) && !conf.has(partner) {
			conf.errs = append(conf.errs, field.Required(field.NewPath("spec", "sparkConf").Key(partner), key+" needs it"))
		}
	}
	if keytab := conf.get(keytabProperty); keytab != "" && !strings.HasPrefix(keytab, "local:") {
		conf.invalid(keytabProperty, "names a file that the operator does not have; mount the keytab from a Secret by spec.driver.secrets and write local:// before its path")
	}
}
