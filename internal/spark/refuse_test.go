package spark

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

func TestNewRefuses(t *testing.T) {
	conf := func(key, value string) func(*v1beta2.SparkApplication) {
		return func(a *v1beta2.SparkApplication) { a.Spec.SparkConf = map[string]string{key: value} }
	}
	tests := map[string]struct {
		reason string
		app    func(*v1beta2.SparkApplication)
		want   []string // the field, the value and the way out
	}{
		"ClientMode": {
			reason: "A driver inside the operator is a danger to all others.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Mode = v1beta2.DeployModeClient },
			want:   []string{"spec.mode", `"client"`, "use cluster"},
		},
		"LocalFile": {
			reason: "A path on the submitter's disk means nothing to the driver.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.MainApplicationFile = "jobs/my.py" },
			want:   []string{"spec.mainApplicationFile", `"jobs/my.py"`, "local:///jobs/my.py", "brazier run"},
		},
		"LocalDependency": {
			reason: "Nor does one among the dependencies.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Deps.PyFiles = []string{"s3a://b/x.py", "file:///x.py"} },
			want:   []string{"spec.deps.pyFiles[1]", `"file:///x.py"`, "local:///x.py"},
		},
		"NoMainClass": {
			reason: "The manifest of a jar cannot be read.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Type = v1beta2.SparkApplicationTypeScala },
			want:   []string{"spec.mainClass", "name the class"},
		},
		"Memory": {
			reason: "A size that Spark does not read would end the driver at its start.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Driver.Memory = "1 GB" },
			want:   []string{"spec.driver.memory", `"1 GB"`, "write 1g or 1024m"},
		},
		"SecretOfAnotherNamespace": {
			reason: "A driver would wait for ever for a Secret that there cannot be.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.Secrets = []v1beta2.SecretInfo{{Name: "other/token", Path: "/token", Type: v1beta2.SecretTypeGeneric}}
			},
			want: []string{"spec.driver", `"other/token"`, "is not the name of a Secret", "its own namespace"},
		},
		"SecretVariableOfAnotherNamespace": {
			reason: "So would one whose variables come from there.",
			app:    conf("spark.kubernetes.driver.secretKeyRef.TOKEN", "other/token:key"),
			want:   []string{"spec.driver", `"other/token"`, "is not the name of a Secret"},
		},
		"HadoopOfAnotherNamespace": {
			reason: "ConfigMaps are no different.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.HadoopConfigMap = "other/hadoop" },
			want:   []string{"spec.driver", `"other/hadoop"`, "is not the name of a ConfigMap"},
		},
		"ProjectedFromAnotherNamespace": {
			reason: "Nor are executors, which nobody would be told of.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Volumes = []corev1.Volume{{Name: "all", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
					Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "../other"}}}},
				}}}}
				a.Spec.Executor.VolumeMounts = []corev1.VolumeMount{{Name: "all", MountPath: "/all"}}
			},
			want: []string{"spec.executor", `"../other"`, "is not the name of a Secret"},
		},
		"ExecutorMemory": {
			reason: "So would one of the executors'.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Executor.Memory = "1Gi" },
			want:   []string{"spec.executor.memory", `"1Gi"`, "write 1g or 1024m"},
		},
		"CoreLimit": {
			reason: "A limit below the request is refused by the API server, in words that do not name the field.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.CoreRequest, a.Spec.Driver.CoreLimit = "2", "1500m"
			},
			want: []string{"spec.driver.coreLimit", `"1500m"`, "less than the 2"},
		},
		"PodTemplateOnS3": {
			reason: "Nobody reads the template before the driver runs.",
			app:    conf("spark.kubernetes.driver.podTemplateFile", "s3a://b/t.yaml"),
			want:   []string{"spec.sparkConf[spark.kubernetes.driver.podTemplateFile]", `"s3a://b/t.yaml"`, "spec.driver.template"},
		},
		"FeatureSteps": {
			reason: "The classes would have to run.",
			app:    conf("spark.kubernetes.driver.pod.featureSteps", "com.example.Step"),
			want:   []string{"featureSteps", "com.example.Step", "spec.driver.template"},
		},
		"Krb5OnDisk": {
			reason: "The operator has no file of the submitter's.",
			app:    conf("spark.kubernetes.kerberos.krb5.path", "/etc/krb5.conf"),
			want:   []string{"spec.sparkConf[spark.kubernetes.kerberos.krb5.path]", "spark.kubernetes.kerberos.krb5.configMapName"},
		},
		"KeytabOnDisk": {
			reason: "Nor the keytab, and without a principal it says nothing.",
			app:    conf("spark.kerberos.keytab", "/home/me/my.keytab"),
			want:   []string{"spec.sparkConf[spark.kerberos.keytab]", "spec.driver.secrets", "spec.sparkConf[spark.kerberos.principal]: Required"},
		},
		"TokenWithoutKey": {
			reason: "A Secret has many keys.",
			app:    conf("spark.kubernetes.kerberos.tokenSecret.name", "tokens"),
			want:   []string{"spec.sparkConf[spark.kubernetes.kerberos.tokenSecret.itemKey]: Required"},
		},
		"UnknownBatchScheduler": {
			reason: "Its pods would wait for a scheduler that is not there.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.BatchScheduler = "slurm" },
			want:   []string{"spec.batchScheduler", `"slurm"`, "volcano", "yunikorn", "kube-scheduler"},
		},
		"Kueue": {
			reason: "Kueue works by suspending, and not by a scheduler's name.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.BatchScheduler = "kueue" },
			want:   []string{"spec.batchScheduler", "kueue.x-k8s.io/queue-name"},
		},
		"ExecutorMemoryLimit": {
			reason: "A limit below the request is one that Spark does not set.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Executor.Memory, a.Spec.Executor.MemoryLimit = "2g", "1g" },
			want:   []string{"spec.executor.memoryLimit", `"1g"`, "is less than memory with memoryOverhead"},
		},
		"ExporterFromElsewhere": {
			reason: "An agent is read from the container's disk.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Monitoring = &v1beta2.MonitoringSpec{Prometheus: &v1beta2.PrometheusSpec{JMXExporterJar: "https://repo.example/agent.jar"}}
			},
			want: []string{"spec.monitoring.prometheus.jmxExporterJar", `"https://repo.example/agent.jar"`, "begin it with /"},
		},
		"MetricsWithoutInterface": {
			reason: "Spark's own metrics are pages of the web interface.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.ui.enabled": "false"}
				a.Spec.Monitoring = &v1beta2.MonitoringSpec{ExposeDriverMetrics: true}
			},
			want: []string{"spec.sparkConf[spark.ui.enabled]", "spec.monitoring.prometheus"},
		},
		"IngressPort": {
			reason: "The API server would say that the host is invalid, and not where it comes from.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{{
					ServicePort: 80, ServicePortName: "web", IngressURLFormat: "http://{{$appName}}.example:8080/",
				}}
			},
			want: []string{"spec.driverIngressOptions[0].ingressURLFormat", "without a port"},
		},
		"IngressPlaceholder": {
			reason: "A typing error would be part of the host.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{{
					ServicePort: 80, ServicePortName: "web", IngressURLFormat: "{{$appname}}.example",
				}}
			},
			want: []string{"spec.driverIngressOptions[0].ingressURLFormat", "{{$appName}}"},
		},
		"IngressTaken": {
			reason: "Which of the two would be reached is anybody's guess.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.DriverIngressOptions = []v1beta2.DriverIngressConfiguration{
					{ServicePort: 80, ServicePortName: "web", IngressURLFormat: "spark.example/{{$appName}}"},
					{ServicePort: 81, ServicePortName: "more", IngressURLFormat: "https://spark.example/app/"},
				}
			},
			want: []string{
				"spec.driverIngressOptions[1].ingressURLFormat", `"https://spark.example/app/"`,
				"leads to spark.example/app, as that of spec.driverIngressOptions[0] does", "of its own",
			},
		},
		"ExecutorLabelValue": {
			reason: "Spark would try to make such executors for ever.",
			app:    conf("spark.kubernetes.executor.label.team", "data science"),
			want:   []string{"spec.sparkConf[spark.kubernetes.executor.label.team]", `"data science"`, "a valid label must be"},
		},
		"ReservedLabelAsProperty": {
			reason: "It is reserved however it is said.",
			app:    conf("spark.kubernetes.driver.label.spark-role", "boss"),
			want:   []string{"spec.sparkConf[spark.kubernetes.driver.label.spark-role]", "rename yours"},
		},
		"AnnotationName": {
			reason: "So it would with such annotations.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Annotations = map[string]string{"a b": "c"}
			},
			want: []string{"spec.executor.annotations[a b]", "name part must consist of"},
		},
		"OtherNamespace": {
			reason: "Owners do not reach across namespaces.",
			app:    conf("spark.kubernetes.namespace", "other"),
			want:   []string{"spec.sparkConf[spark.kubernetes.namespace]", `"other"`, "team"},
		},
		"ReservedLabel": {
			reason: "Spark would lose its pods.",
			app:    func(a *v1beta2.SparkApplication) { a.Labels = map[string]string{"spark-role": "boss"} },
			want:   []string{"metadata.labels[spark-role]", "rename"},
		},
		"UnknownVolume": {
			reason: "A mount needs a volume.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.VolumeMounts = []corev1.VolumeMount{{Name: "nowhere", MountPath: "/x"}}
			},
			want: []string{"spec.executor.volumeMounts[0].name", "nowhere", "spec.volumes"},
		},
		"LongName": {
			reason: "The name is a label's value.",
			app:    func(a *v1beta2.SparkApplication) { a.Name = strings.Repeat("a", 64) },
			want:   []string{"metadata.name", "63"},
		},
		"Lifecycle": {
			reason: "Spark would replace the hook without a word.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.decommission.enabled": "true"}
				a.Spec.Executor.Lifecycle = &corev1.Lifecycle{}
			},
			want: []string{"spec.executor.lifecycle", "spark.decommission.enabled"},
		},
		"Heap": {
			reason: "Spark's launcher would refuse to start the JVM.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Driver.JavaOptions = "-Xmx2g" },
			want:   []string{"spec.driver.javaOptions", `"-Xmx2g"`, "spec.driver.memory"},
		},
		"FewerThanLeast": {
			reason: "Spark's driver would end at its start.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.DynamicAllocation = &v1beta2.DynamicAllocation{Enabled: true, MinExecutors: new(int32(5)), MaxExecutors: new(int32(2))}
			},
			want: []string{"spec.dynamicAllocation.minExecutors", `"5"`, "maxExecutors, 2"},
		},
		"ExecutorSidecarName": {
			reason: "The API server would refuse such executors, and nobody would be told.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Sidecars = []corev1.Container{{Name: "logs"}, {Name: "spark-kubernetes-executor"}}
			},
			want: []string{"spec.executor.sidecars[1].name", `"spark-kubernetes-executor"`, "rename"},
		},
		"InitContainerName": {
			reason: "Init containers share the names.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Driver.InitContainers = []corev1.Container{{Name: "spark-kubernetes-driver"}}
			},
			want: []string{"spec.driver.initContainers[0].name", "rename"},
		},
		"ContainerNameInTemplate": {
			reason: "A container of the template can have Spark's name and not be Spark's.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkConf = map[string]string{"spark.kubernetes.executor.podTemplateContainerName": "mine"}
				a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{
					{Name: "spark-kubernetes-executor"}, {Name: "mine"},
				}}}
			},
			want: []string{"spec.executor.template.spec.containers", `"spark-kubernetes-executor"`, "rename"},
		},
		"PortName": {
			reason: "So it would with a port.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Ports = []v1beta2.Port{{Name: "Bad_Name", Protocol: "TCP", ContainerPort: 80}}
			},
			want: []string{"spec.executor.ports[0].name", `"Bad_Name"`, "alpha-numeric"},
		},
		"MountWithoutPath": {
			reason: "And with a mount that leads nowhere.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.ConfigMaps = []v1beta2.NamePath{{Name: "conf"}}
				a.Spec.Driver.Secrets = []v1beta2.SecretInfo{{Name: "creds"}}
			},
			want: []string{"spec.executor.configMaps[0].path: Required", "spec.driver.secrets[0].path: Required"},
		},
		"SecretsVolume": {
			reason: "One of the two would be silently replaced.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Volumes = []corev1.Volume{{Name: "creds-volume"}}
				a.Spec.Driver.VolumeMounts = []corev1.VolumeMount{{Name: "creds-volume", MountPath: "/scratch"}}
				a.Spec.Driver.Secrets = []v1beta2.SecretInfo{{Name: "creds", Path: "/creds"}}
			},
			want: []string{"spec.volumes[0].name", `"creds-volume"`, "driver's pod", "rename"},
		},
		"ConfigMapsVolume": {
			reason: "A template's volume can be in the way as well.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Executor.Template = &corev1.PodTemplateSpec{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "conf-vol"}}}}
				a.Spec.Executor.ConfigMaps = []v1beta2.NamePath{{Name: "conf", Path: "/conf"}}
			},
			want: []string{"spec.executor.template.spec.volumes[0].name", `"conf-vol"`, "executor's pod"},
		},
		"MetricsVolume": {
			reason: "The names are those that this API gives to its own.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Volumes = []corev1.Volume{{Name: "prometheus-conf"}, {Name: "spark-configmap-volume"}}
				a.Spec.Driver.VolumeMounts = []corev1.VolumeMount{{Name: "prometheus-conf", MountPath: "/a"}, {Name: "spark-configmap-volume", MountPath: "/b"}}
				a.Spec.SparkConfigMap = "conf"
				a.Spec.Monitoring = &v1beta2.MonitoringSpec{MetricsProperties: "x"}
			},
			want: []string{"spec.volumes[0].name", "spec.volumes[1].name"},
		},
		"SparksVolume": {
			reason: "Or those that Spark gives, here in the driver when it makes an executor.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.Volumes = []corev1.Volume{{Name: "spark-conf-volume-exec"}}
				a.Spec.Executor.VolumeMounts = []corev1.VolumeMount{{Name: "spark-conf-volume-exec", MountPath: "/a"}}
			},
			want: []string{"spec.volumes[0].name", `"spark-conf-volume-exec"`, "executor's pod"},
		},
		"ExecutorVolumeKind": {
			reason: "Spark's driver would end at its start.",
			app:    conf("spark.kubernetes.executor.volumes.cephfs.x.mount.path", "/x"),
			want:   []string{"spec.sparkConf[spark.kubernetes.executor.volumes.cephfs.x.mount.path]", "emptyDir"},
		},
		"VolumeWithoutSource": {
			reason: "So it would with an option missing.",
			app:    conf("spark.kubernetes.executor.volumes.nfs.x.mount.path", "/x"),
			want: []string{
				"spec.sparkConf[spark.kubernetes.executor.volumes.nfs.x.options.server]: Required",
				"spec.sparkConf[spark.kubernetes.executor.volumes.nfs.x.options.path]: Required",
			},
		},
		"VolumeWithoutPath": {
			reason: "Or the place.",
			app:    conf("spark.kubernetes.driver.volumes.hostPath.x.options.path", "/x"),
			want:   []string{"spec.sparkConf[spark.kubernetes.driver.volumes.hostPath.x.mount.path]: Required", "driver sees"},
		},
		"ExecutorSecretKey": {
			reason: "A Secret has many keys.",
			app:    conf("spark.kubernetes.executor.secretKeyRef.A", "nonsense"),
			want:   []string{"spec.sparkConf[spark.kubernetes.executor.secretKeyRef.A]", `"nonsense"`, "secret:key"},
		},
		"OnDemandWithoutClass": {
			reason: "Spark makes no claim then, and the driver's pod waits for it for ever.",
			app: func(a *v1beta2.SparkApplication) {
				const volume = "spark.kubernetes.driver.volumes.persistentVolumeClaim.d."
				a.Spec.SparkConf = map[string]string{volume + "mount.path": "/d", volume + "options.claimName": "OnDemand"}
			},
			want: []string{"persistentVolumeClaim.d.options.storageClass]: Required", "persistentVolumeClaim.d.options.sizeLimit]: Required"},
		},
		"AllocatorTooNew": {
			reason: "Spark before 4.2 has no such allocator.",
			app: func(a *v1beta2.SparkApplication) {
				a.Spec.SparkVersion = "4.1.0"
				conf("spark.kubernetes.allocation.pods.allocator", "deployment")(a)
			},
			want: []string{"spec.sparkConf[spark.kubernetes.allocation.pods.allocator]", `"deployment"`, "from 4.2 on"},
		},
		"AllocatorMistyped": {
			reason: "It would be taken for a class that is not there.",
			app:    conf("spark.kubernetes.allocation.pods.allocator", "statefulSet"),
			want:   []string{`"statefulSet"`, "write direct, statefulset or deployment"},
		},
		"PackagesAsProperty": {
			reason: "A coordinate is one wherever it is said.",
			app:    conf("spark.jars.packages", "a:b:1,nonsense"),
			want:   []string{"spec.sparkConf[spark.jars.packages]", `"a:b:1,nonsense"`, "group:artifact:version"},
		},
		"Packages": {
			reason: "Spark's driver would end at its start.",
			app:    func(a *v1beta2.SparkApplication) { a.Spec.Deps.Packages = []string{"a:b:1", "a::1"} },
			want:   []string{"spec.deps.packages[1]", `"a::1"`, "group:artifact:version"},
		},
		"SubmissionFile": {
			reason: "Nobody has the file.",
			app:    conf("spark.kubernetes.authenticate.submission.caCertFile", "/ca.crt"),
			want:   []string{"authenticate.submission.caCertFile]", `"/ca.crt"`, "leave it out"},
		},
		"VolumeKind": {
			reason: "A kind of volume that Spark does not know has no meaning.",
			app:    conf("spark.kubernetes.driver.volumes.tape.x.mount.path", "/x"),
			want:   []string{"spec.sparkConf[spark.kubernetes.driver.volumes.tape.x.mount.path]", "emptyDir"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := New(application(tt.app), testRun(), testPlatform())
			if err == nil {
				t.Fatalf("%s\nit was planned", tt.reason)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s\n%q has no %q", tt.reason, err, want)
				}
			}
		})
	}
}

func TestNewRefusesEverythingAtOnce(t *testing.T) {
	app := application(func(a *v1beta2.SparkApplication) {
		a.Spec.Driver.Memory, a.Spec.Driver.Cores = "1 GB", nil
		a.Spec.Executor.Memory = "many"
		a.Spec.Executor.CoreRequest = "some"
	})
	_, err := New(app, testRun(), Platform{})
	for _, field := range []string{"spec.driver.memory", "spec.executor.memory", "spec.executor.coreRequest", "spec.image"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("one error lists every reason: %v has no %s", err, field)
		}
	}
}
