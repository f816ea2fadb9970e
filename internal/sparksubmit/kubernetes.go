package sparksubmit

import (
	"cmp"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
)

const onKubernetes = "spark.kubernetes."

// kubernetes moves the properties of Spark on Kubernetes to the fields that say the same, where they are checked. What has
// no field stays a property.
func (r *reader) kubernetes() {
	r.images()
	r.accounts()
	r.nodes()
	r.each(func(role string, pod *v1beta2.SparkPodSpec) {
		prefix := onKubernetes + role + "."
		r.text(prefix+"request.cores", &pod.CoreRequest)
		r.text(prefix+"limit.cores", &pod.CoreLimit)
		r.text(prefix+"scheduler.name", &pod.SchedulerName)
		r.pairs(prefix+"label.", &pod.Labels)
		r.pairs(prefix+"annotation.", &pod.Annotations)
		r.secrets(prefix+"secrets.", pod)
		r.template(prefix+"podTemplateFile", pod)
	})
	r.volumes()
	r.schedulers()

	driver, spec := &r.app.Spec.Driver, &r.app.Spec
	r.text(onKubernetes+"driver.pod.name", &driver.PodName)
	r.text(onKubernetes+"driver.master", &driver.KubernetesMaster)
	r.pairs(onKubernetes+"driver.service.label.", &driver.ServiceLabels)
	r.pairs(onKubernetes+"driver.service.annotation.", &driver.ServiceAnnotations)
	r.text(onKubernetes+"memoryOverheadFactor", &spec.MemoryOverheadFactor)
	r.text(onKubernetes+"hadoop.configMapName", &spec.HadoopConfigMap)
	if said, ok := r.settings.take(onKubernetes + "executor.deleteOnTermination"); ok {
		spec.Executor.DeleteOnTermination = new(strings.EqualFold(strings.TrimSpace(said.value), "true"))
	}
}

func (r *reader) text(key string, field *string) {
	if said, ok := r.settings.take(key); ok {
		*field = strings.TrimSpace(said.value)
	}
}

// pairs moves all properties of a prefix to a map.
func (r *reader) pairs(prefix string, field *map[string]string) {
	for name, said := range r.settings.under(prefix) {
		if *field == nil {
			*field = map[string]string{}
		}
		(*field)[name] = said.value
	}
}

func (r *reader) images() {
	spec := &r.app.Spec
	r.text(onKubernetes+"container.image", &spec.Image)
	r.text(onKubernetes+"driver.container.image", &spec.Driver.Image)
	r.text(onKubernetes+"executor.container.image", &spec.Executor.Image)
	if image := r.line.values["image"]; image != "" {
		spec.Image, spec.Driver.Image, spec.Executor.Image = image, "", ""
	}
	if said, ok := r.settings.take(onKubernetes + "container.image.pullPolicy"); ok {
		switch policy := corev1.PullPolicy(said.value); policy {
		case corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever:
			spec.ImagePullPolicy = policy
		default:
			r.fail("%s: %q is not when an image is pulled; write Always, IfNotPresent or Never", said.said, said.value)
		}
	}
	if said, ok := r.settings.take(onKubernetes + "container.image.pullSecrets"); ok {
		spec.ImagePullSecrets = split(said.value)
	}
}

func (r *reader) accounts() {
	spec := &r.app.Spec
	r.text(onKubernetes+"authenticate.driver.serviceAccountName", &spec.Driver.ServiceAccount)
	r.text(onKubernetes+"authenticate.executor.serviceAccountName", &spec.Executor.ServiceAccount)
	// In client mode the account of the process that submits is the driver's: this one.
	if said, ok := r.settings.take(onKubernetes + "authenticate.serviceAccountName"); ok && spec.Driver.ServiceAccount == "" {
		spec.Driver.ServiceAccount = said.value
	}
	spec.Driver.ServiceAccount = cmp.Or(r.line.values["service-account"], spec.Driver.ServiceAccount)
}

// nodes are selected for all pods or for each role, never for both: the API has it so, and Spark adds one to the other.
func (r *reader) nodes() {
	spec := &r.app.Spec
	r.pairs(onKubernetes+"node.selector.", &spec.NodeSelector)
	own := false
	r.each(func(role string, pod *v1beta2.SparkPodSpec) {
		r.pairs(onKubernetes+role+".node.selector.", &pod.NodeSelector)
		own = own || len(pod.NodeSelector) > 0
	})
	if !own || len(spec.NodeSelector) == 0 {
		return
	}
	r.each(func(_ string, pod *v1beta2.SparkPodSpec) {
		all := maps.Clone(spec.NodeSelector)
		maps.Copy(all, pod.NodeSelector)
		pod.NodeSelector = all
	})
	spec.NodeSelector = nil
}

// schedulers: the one of both roles is for those that have none of their own.
func (r *reader) schedulers() {
	said, ok := r.settings.take(onKubernetes + "scheduler.name")
	if !ok {
		return
	}
	r.each(func(_ string, pod *v1beta2.SparkPodSpec) {
		pod.SchedulerName = cmp.Or(pod.SchedulerName, said.value)
	})
}

// secrets are mounted: spark.kubernetes.driver.secrets.NAME=PATH.
func (r *reader) secrets(prefix string, pod *v1beta2.SparkPodSpec) {
	found := r.settings.under(prefix)
	for _, name := range found.keys() {
		said := found[name]
		if !strings.HasPrefix(said.value, "/") {
			r.fail("%s: %q is not a path to mount the Secret at; write one that begins with /", said.said, said.value)
		}
		pod.Secrets = append(pod.Secrets, v1beta2.SecretInfo{Name: name, Path: said.value, Type: v1beta2.SecretTypeGeneric})
	}
}

// environment moves variables of driver and executors, those of Secrets among them.
func (r *reader) environment() {
	r.python()
	r.each(func(role string, pod *v1beta2.SparkPodSpec) {
		prefix := map[string]string{"driver": onKubernetes + "driverEnv.", "executor": "spark.executorEnv."}[role]
		found := r.settings.under(prefix)
		for _, name := range found.keys() {
			pod.Env = append(pod.Env, corev1.EnvVar{Name: name, Value: found[name].value})
		}
		found = r.settings.under(onKubernetes + role + ".secretKeyRef.")
		for _, name := range found.keys() {
			said := found[name]
			secret, key, ok := strings.Cut(said.value, ":")
			if !ok || secret == "" || key == "" {
				r.fail("%s: %q does not name a key of a Secret; write secret:key", said.said, said.value)
			}
			pod.Env = append(pod.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
			}}})
		}
	})
}

// python takes the Python that this machine's environment names, where it is one below the working directory, as in an
// environment of --archives. A path on this machine is none in the image.
func (r *reader) python() {
	if r.app.Spec.Type != v1beta2.SparkApplicationTypePython {
		return
	}
	for variable, key := range map[string]string{"PYSPARK_PYTHON": "spark.pyspark.python"} {
		value := r.env.Getenv(variable)
		if _, ok := r.settings[key]; ok || value == "" || !strings.Contains(value, "/") {
			continue
		}
		if strings.HasPrefix(value, "/") {
			r.note("$%s: %s is a path on this machine and left out; --conf %s=PATH names one in the image", variable, value, key)
			continue
		}
		r.settings[key] = setting{value, "$" + variable}
	}
}

// kerberos finds a keytab that is on this machine, which is a secret, and not for the object store.
func (r *reader) kerberos() {
	if r.line.has("proxy-user") && r.line.has("principal") {
		r.fail("--principal: %q is given as well as --proxy-user; keep one of the two, as spark-submit asks for", r.line.values["principal"])
	}
	keytab, ok := r.settings["spark.kerberos.keytab"]
	if ok && !strings.HasPrefix(keytab.value, "local:") {
		r.fail("%s: %q is a file on this machine, and a secret; put it into a Secret (kubectl create secret generic keytab --from-file=user.keytab=%s), "+
			"and write --conf spark.kubernetes.driver.secrets.keytab=/etc/keytab --keytab local:///etc/keytab/user.keytab", keytab.said, keytab.value, keytab.value)
	}
	if said, ok := r.settings["spark.kubernetes.kerberos.krb5.path"]; ok {
		r.fail("%s: %q is a file on this machine; put it into a ConfigMap under the key krb5.conf, and name that in "+
			"--conf spark.kubernetes.kerberos.krb5.configMapName", said.said, said.value)
	}
}

// leaveOut takes out what only a submitting JVM would use, or what Spark itself takes out in cluster mode.
func (r *reader) leaveOut() {
	const kubeconfig = "the kubeconfig says who submits"
	for _, rule := range []rule{
		{key: "spark.driver.host", why: "the driver has a name of its own in the cluster"},
		{key: "spark.driver.bindAddress", why: "the driver has an address of its own in the cluster"},
		{key: "spark.kubernetes.file.upload.path", why: "local files go to the namespace's object store"},
		{key: "spark.kubernetes.authenticate.submission.", why: kubeconfig},
		{key: "spark.kubernetes.authenticate.caCertFile", why: kubeconfig},
		{key: "spark.kubernetes.authenticate.clientKeyFile", why: kubeconfig},
		{key: "spark.kubernetes.authenticate.clientCertFile", why: kubeconfig},
		{key: "spark.kubernetes.authenticate.oauthToken", why: kubeconfig},
		{key: "spark.kubernetes.authenticate.oauthTokenFile", why: kubeconfig},
		{key: "spark.kubernetes.trust.certificates", why: kubeconfig},
		{key: "spark.kubernetes.report.interval", why: "states are shown when they change"},
		{key: "spark.kubernetes.submission.", why: "nothing waits for a JVM that submits"},
		{key: "spark.app.id", why: "every run has an ID of its own"},
		{key: "spark.app.submitTime", why: "the operator says when it submits"},
	} {
		for _, key := range r.settings.keys() {
			if _, ok := matches(rule.key, key); ok {
				said, _ := r.settings.take(key)
				r.note("%s: is left out; %s", said.said, rule.why)
			}
		}
	}
	r.onThisMachine()
}

// onThisMachine says what the driver will not find: paths that exist here, and the folder with Hadoop's configuration, which
// spark-submit sends along.
func (r *reader) onThisMachine() {
	for _, key := range []string{"spark.driver.extraClassPath", "spark.executor.extraClassPath"} {
		said := r.settings[key]
		for _, entry := range strings.Split(said.value, ":") {
			if entry != "" && r.exists(entry) {
				r.note("%s: %s is a file on this machine, and the class path is in the image; --jars uploads jars and puts them on it", said.said, entry)
			}
		}
	}
	if dir := r.env.Getenv("HADOOP_CONF_DIR"); dir != "" && r.app.Spec.HadoopConfigMap == "" {
		r.note("$HADOOP_CONF_DIR: %s is not sent along; for jobs that need it, make a ConfigMap of it (kubectl create configmap hadoop --from-file=%s) "+
			"and write --conf spark.kubernetes.hadoop.configMapName=hadoop", dir, dir)
	}
}
