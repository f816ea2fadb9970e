package sparksubmit

import (
	"cmp"
	"strings"
)

// rule is what becomes of a property of another cluster manager. A key that ends with a dot stands for all that begin
// with it.
type rule struct {
	key string
	// to is the property that says the same on Kubernetes, with what follows the dot of key; empty if there is none.
	to string
	// always says that the rule holds whatever the master is: the key is an older name of a property of Spark's
	// (SparkConf.configsWithAlternatives).
	always bool
	// why says why the property has no meaning, or what to do instead.
	why string
}

const (
	inImage = "Spark is in the image"
	noAM    = "there is no application master; the driver has a pod of its own"
	kubelet = "Kubernetes keeps the logs of pods"
	labels  = "YARN's node labels are unknown here; --conf spark.kubernetes.executor.node.selector.KEY=VALUE chooses nodes by Kubernetes' labels"
	gpus    = "Kubernetes knows accelerators as resources; use spark.executor.resource.gpu.amount and .vendor"
)

// yarnRules are the properties of Spark on YARN: the module's config package and SparkConf.configsWithAlternatives, from
// 3.5 to 4.3. Those that Spark sets itself are not among them.
func yarnRules() []rule {
	return []rule{
		{key: "spark.yarn.appMasterEnv.", to: "spark.kubernetes.driverEnv."},
		{key: "spark.yarn.executor.memoryOverhead", to: "spark.executor.memoryOverhead", always: true},
		{key: "spark.yarn.driver.memoryOverhead", to: "spark.driver.memoryOverhead", always: true},
		{key: "spark.yarn.keytab", to: "spark.kerberos.keytab", always: true},
		{key: "spark.yarn.principal", to: "spark.kerberos.principal", always: true},
		{key: "spark.yarn.kerberos.relogin.period", to: "spark.kerberos.relogin.period", always: true},
		{key: "spark.yarn.access.hadoopFileSystems", to: "spark.kerberos.access.hadoopFileSystems", always: true},
		{key: "spark.yarn.access.namenodes", to: "spark.kerberos.access.hadoopFileSystems", always: true},
		{key: "spark.yarn.security.credentials.", to: "spark.security.credentials.", always: true},
		{key: "spark.yarn.max.executor.failures", to: "spark.executor.maxNumFailures", always: true},
		{key: "spark.yarn.executor.failuresValidityInterval", to: "spark.executor.failuresValidityInterval", always: true},
		{key: "spark.yarn.populateHadoopClasspath", why: "the class path is the image's"},
		{key: "spark.yarn.user.classpath.first", why: "spark.driver.userClassPathFirst and spark.executor.userClassPathFirst say it"},

		{key: "spark.yarn.am.nodeLabelExpression", why: labels},
		{key: "spark.yarn.am.", why: noAM},
		{key: "spark.yarn.unmanagedAM.enabled", why: noAM},
		{key: "spark.yarn.executor.nodeLabelExpression", why: labels},
		{key: "spark.yarn.executor.resource.", why: gpus},
		{key: "spark.yarn.driver.resource.", why: gpus},
		{key: "spark.yarn.resourceGpuDeviceName", why: gpus},
		{key: "spark.yarn.resourceFpgaDeviceName", why: gpus},
		{key: "spark.yarn.exclude.nodes", why: "Kubernetes places pods; keep them off nodes by taints, or by an affinity in a pod template"},
		{key: "spark.yarn.executor.launch.excludeOnFailure.enabled", why: "Kubernetes places pods"},
		{key: "spark.yarn.blacklist.executor.launch.blacklisting.enabled", why: "Kubernetes places pods"},
		{key: "spark.yarn.executor.oomKill.enabled", why: "Kubernetes ends what uses more memory than it has"},
		{key: "spark.yarn.priority", why: "priorities are PriorityClasses; name one as priorityClassName in a pod template"},
		{key: "spark.yarn.tags", why: "applications are found by labels; --conf spark.kubernetes.driver.label.KEY=VALUE adds one"},
		{key: "spark.yarn.applicationType", why: "there is one type of SparkApplication"},

		{key: "spark.yarn.jar", why: inImage},
		{key: "spark.yarn.jars", why: inImage},
		{key: "spark.yarn.archive", why: inImage},
		{key: "spark.yarn.stagingDir", why: "local files go to the namespace's object store"},
		{key: "spark.yarn.preserve.staging.files", why: "local files go to the namespace's object store, and stay"},
		{key: "spark.yarn.submit.file.replication", why: "local files go to the namespace's object store"},
		{key: "spark.yarn.dist.forceDownloadSchemes", why: "the driver downloads files of every scheme that it knows"},
		{key: "spark.yarn.client.statCache.", why: "local files are uploaded once, by content"},
		{key: "spark.yarn.config.gatewayPath", why: "paths in the image are the same for driver and executors"},
		{key: "spark.yarn.config.replacementPath", why: "paths in the image are the same for driver and executors"},

		{key: "spark.yarn.historyServer.", why: "YARN's web interface would lead to the history server; spark.eventLog.dir is where event logs go"},
		{key: "spark.yarn.rolledLog.", why: kubelet},
		{key: "spark.yarn.includeDriverLogsLink", why: kubelet},
		{key: "spark.yarn.report.", why: "states are shown when they change"},
		{key: "spark.yarn.scheduler.", why: "the driver asks Kubernetes for executors; spark.kubernetes.allocation.* say how"},
		{key: "spark.yarn.containerLauncherMaxThreads", why: "the driver asks Kubernetes for executors; spark.kubernetes.allocation.* say how"},
		{key: "spark.yarn.clientLaunchMonitorInterval", why: "there is no launcher to report to"},
		{key: "spark.yarn.metrics.namespace", why: "spark.metrics.namespace names metrics"},
		{key: "spark.yarn.shuffle.", why: "Kubernetes has no external shuffle service"},
		{key: "spark.yarn.credentials.", why: "the driver gets tokens itself"},
		{key: "spark.yarn.", why: "it is a setting of YARN"},
	}
}

// isYARN reports whether properties of YARN were meant: by the master, or because none was named.
func (r *reader) isYARN() bool { return r.master == yarn || r.master == noMaster }

// translate puts the properties of Kubernetes in the place of those of YARN, and says what has none.
func (r *reader) translate() {
	r.distributed()
	r.attempts()
	r.queue()
	for _, rule := range yarnRules() {
		for _, key := range r.settings.keys() {
			name, ok := matches(rule.key, key)
			if !ok {
				continue
			}
			said, _ := r.settings.take(key)
			r.apply(rule, name, said)
		}
	}
	r.shuffleService()
}

// matches reports whether a rule's key is meant by key, and what follows its dot.
func matches(rule, key string) (rest string, ok bool) {
	if strings.HasSuffix(rule, ".") {
		return strings.CutPrefix(key, rule)
	}
	return "", rule == key
}

func (r *reader) apply(rule rule, name string, said setting) {
	switch {
	case rule.to != "" && rule.key == "spark.yarn.appMasterEnv." && !r.clusterMode && r.isYARN():
		r.note("%s: is left out; in client mode it is for the application master, and not for the driver; --conf spark.kubernetes.driverEnv.%s=VALUE sets it there", said.said, name)
	case rule.to != "" && (rule.always || r.isYARN()):
		r.settings.fill(settings{rule.to + name: said}) // The newer name wins: SparkConf.getOption asks for it first.
	case r.isYARN():
		r.note("%s: has no meaning on Kubernetes: %s", said.said, cmp.Or(rule.why, "it is a setting of YARN"))
	default:
		r.note("%s: has no effect, for the master is not YARN", said.said)
	}
}

// distributed joins the files of spark.yarn.dist.* and those of the options: OptionAssigner's mergeFn.
func (r *reader) distributed() {
	for name, key := range map[string]string{"files": "spark.files", "archives": "spark.archives", "jars": "spark.jars", "pyFiles": "spark.submit.pyFiles"} {
		said, ok := r.settings["spark.yarn.dist."+name]
		if !ok || !r.isYARN() {
			continue // The rules say what becomes of it.
		}
		delete(r.settings, "spark.yarn.dist."+name)
		have, both := r.settings[key]
		if both && have.value != "" && said.value != "" {
			said = setting{said.value + "," + have.value, said.said + " and " + have.said}
		} else if said.value == "" {
			continue
		}
		r.settings[key] = said
	}
}

// shuffleService takes out what executors on Kubernetes would look for in vain: a shuffle service on their node. Dynamic
// allocation keeps shuffle files by tracking instead.
func (r *reader) shuffleService() {
	const key = "spark.shuffle.service.enabled"
	said, ok := r.settings[key]
	if !ok || !strings.EqualFold(strings.TrimSpace(said.value), "true") || r.master == kubernetes {
		return
	}
	delete(r.settings, key)
	r.note("%s: is left out; Kubernetes has no external shuffle service, and dynamic allocation keeps the executors whose shuffle files are needed", said.said)
}
