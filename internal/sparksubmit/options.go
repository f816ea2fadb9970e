package sparksubmit

// Option is an option of the command line.
type Option struct {
	// Name is what follows "--"; Short, if there is one, what follows "-".
	Name, Short string
	// Value is what stands for the option's value in the help; empty for a switch.
	Value string
	// Own says that the option is Brazier's and not spark-submit's.
	Own bool
	// Becomes is what becomes of it, for the documentation.
	Becomes string
	// Help is its line in the help.
	Help string

	// key is the property that it sets.
	key string
}

// Options are all options: those of SparkSubmitOptionParser in Spark 3.5 to 4.3, and Brazier's own.
func Options() []Option {
	return append(sparkOptions(), ownOptions()...)
}

func sparkOptions() []Option {
	return []Option{
		{
			Name: "master", Value: "URL", key: "spark.master", Help: "yarn, k8s://URL, spark://URL or local[*]: what was meant is translated",
			Becomes: "the cluster is always the kubeconfig's, see [Masters](#masters)",
		},
		{
			Name: "deploy-mode", Value: "MODE", key: "spark.submit.deployMode", Help: "client shows the driver's log, cluster does not (default: client)",
			Becomes: "the driver always runs in the cluster; `client` shows its log, `cluster` its states",
		},
		{
			Name: "class", Value: "CLASS", Help: "the class with the main method, for a jar",
			Becomes: "`mainClass`; without it the jar's manifest names it, if the jar is on this machine",
		},
		{
			Name: "name", Value: "NAME", key: "spark.app.name", Help: "what the application is called; a random end is added",
			Becomes: "`metadata.generateName`, in lower case, and the annotation `brazier.sh/name`",
		},
		{
			Name: "jars", Value: "JARS", key: "spark.jars", Help: "jars for the class path of driver and executors",
			Becomes: "`deps.jars`, local ones uploaded",
		},
		{
			Name: "packages", Value: "COORDINATES", key: "spark.jars.packages", Help: "Maven coordinates of jars, group:artifact:version",
			Becomes: "`deps.packages`; the driver resolves them",
		},
		{
			Name: "exclude-packages", Value: "COORDINATES", key: "spark.jars.excludes", Help: "what --packages leaves out, group:artifact",
			Becomes: "`deps.excludePackages`",
		},
		{
			Name: "repositories", Value: "URLS", key: "spark.jars.repositories", Help: "Maven repositories beside the default ones",
			Becomes: "`deps.repositories`",
		},
		{
			Name: "py-files", Value: "FILES", key: "spark.submit.pyFiles", Help: ".py, .zip and .egg files for Python's module path, or a folder",
			Becomes: "`deps.pyFiles`, local ones uploaded, folders packed",
		},
		{
			Name: "files", Value: "FILES", key: "spark.files", Help: "files for the working directory of driver and executors",
			Becomes: "`deps.files`, local ones uploaded",
		},
		{
			Name: "archives", Value: "ARCHIVES", key: "spark.archives", Help: "archives, or folders, to unpack in the working directory",
			Becomes: "`deps.archives`, local ones uploaded, folders packed",
		},
		{
			Name: "conf", Short: "c", Value: "KEY=VALUE", Help: "a property of Spark; may be repeated",
			Becomes: "the field that says the same, else `sparkConf`",
		},
		{
			Name: "properties-file", Value: "FILE", Help: "a file of properties (default: $SPARK_CONF_DIR/spark-defaults.conf, if that is set)",
			Becomes: "as `--conf`, for keys that `--conf` does not have",
		},
		{
			Name: "extra-properties-file", Value: "FILE", Help: "a file whose properties win over --properties-file; may be repeated",
			Becomes: "as `--properties-file`, and wins over it",
		},
		{
			Name: "load-spark-defaults", Help: "read spark-defaults.conf beside --properties-file",
			Becomes: "`$SPARK_CONF_DIR/spark-defaults.conf` fills what `--properties-file` leaves open",
		},
		{
			Name: "driver-memory", Value: "SIZE", key: "spark.driver.memory", Help: "the driver's heap, such as 2g",
			Becomes: "`driver.memory`",
		},
		{
			Name: "driver-java-options", Value: "OPTIONS", key: "spark.driver.extraJavaOptions", Help: "options of the driver's JVM",
			Becomes: "`driver.javaOptions`",
		},
		{
			Name: "driver-library-path", Value: "PATH", key: "spark.driver.extraLibraryPath", Help: "library path entries of the driver, in the image",
			Becomes: "the property `spark.driver.extraLibraryPath`",
		},
		{
			Name: "driver-class-path", Value: "PATH", key: "spark.driver.extraClassPath", Help: "class path entries of the driver, in the image",
			Becomes: "the property `spark.driver.extraClassPath`",
		},
		{
			Name: "driver-default-class-path", Value: "PATH", Help: "Spark's own use, for its Connect shells",
			Becomes: "nothing; the image has Spark's own class path",
		},
		{
			Name: "driver-cores", Value: "N", key: "spark.driver.cores", Help: "the driver's cores",
			Becomes: "`driver.cores`",
		},
		{
			Name: "supervise", Help: "run the driver again when it fails, where the master is spark:// or none",
			Becomes: "`restartPolicy` OnFailure without end, where the master is `spark://`, `mesos://` or not named",
		},
		{
			Name: "executor-memory", Value: "SIZE", key: "spark.executor.memory", Help: "each executor's heap, such as 4g",
			Becomes: "`executor.memory`",
		},
		{
			Name: "executor-cores", Value: "N", key: "spark.executor.cores", Help: "the tasks that each executor runs at once",
			Becomes: "`executor.cores`",
		},
		{
			Name: "num-executors", Value: "N", key: "spark.executor.instances", Help: "how many executors (default: 2)",
			Becomes: "`executor.instances`",
		},
		{
			Name: "total-executor-cores", Value: "N", key: "spark.cores.max", Help: "all executors' cores, where the master is spark://",
			Becomes: "`executor.instances`, divided by `--executor-cores`, where the master is `spark://` or `mesos://`",
		},
		{
			Name: "proxy-user", Value: "USER", Help: "the user that the application acts as towards Hadoop services",
			Becomes: "`proxyUser`",
		},
		{
			Name: "principal", Value: "PRINCIPAL", key: "spark.kerberos.principal", Help: "the Kerberos principal of --keytab",
			Becomes: "the property `spark.kerberos.principal`",
		},
		{
			Name: "keytab", Value: "FILE", key: "spark.kerberos.keytab", Help: "a keytab that is mounted from a Secret, local:///path",
			Becomes: "the property `spark.kerberos.keytab`; a keytab on this machine is refused, with the way to a Secret",
		},
		{
			Name: "queue", Value: "QUEUE", key: "spark.yarn.queue", Help: "the queue, of Brazier or of the scheduler of --batch-scheduler",
			Becomes: "`batchSchedulerOptions.queue` with `--batch-scheduler`, else the label `brazier.sh/queue`",
		},
		{
			Name: "kill", Value: "ID", Help: "delete the applications of a submission ID, namespace:driver-pod or namespace:prefix*",
			Becomes: "their applications are deleted",
		},
		{
			Name: "status", Value: "ID", Help: "show the applications of a submission ID",
			Becomes: "their states are printed",
		},
		{
			Name: "remote", Value: "URL", key: "spark.remote", Help: "refused: \"brazier connect\" brings a client to a Connect server",
			Becomes: "refused; `brazier connect` is the way",
		},
		{Name: "help", Short: "h", Help: "show this help", Becomes: "the help"},
		{Name: "verbose", Short: "v", Help: "show on standard error which properties were found where", Becomes: "properties and their origins on standard error, secrets left out"},
		{Name: "version", Help: "show Brazier's version and that of Spark", Becomes: "the versions"},
		{Name: "usage-error", Help: "show this help and fail, as Spark's scripts ask for", Becomes: "the help, and exit code 1"},
	}
}

func ownOptions() []Option {
	return []Option{
		{
			Own: true, Name: "kubeconfig", Value: "FILE", Help: "the cluster's kubeconfig (default: $KUBECONFIG, ~/.kube/config, then the embedded cluster's)",
			Becomes: "the cluster",
		},
		{Own: true, Name: "context", Value: "CONTEXT", Help: "the context of the kubeconfig", Becomes: "the cluster"},
		{Own: true, Name: "namespace", Short: "n", Value: "NAMESPACE", Help: "the namespace (default: the context's)", Becomes: "`metadata.namespace`"},
		{Own: true, Name: "application", Value: "NAME", Help: "the application's exact name, without a random end", Becomes: "`metadata.name`"},
		{Own: true, Name: "image", Value: "IMAGE", Help: "the container image (default: the operator's)", Becomes: "`image`"},
		{Own: true, Name: "spark-version", Value: "VERSION", Help: "the version of Spark in the image", Becomes: "`sparkVersion`"},
		{Own: true, Name: "service-account", Value: "ACCOUNT", Help: "the driver's service account (default: spark)", Becomes: "`driver.serviceAccount`"},
		{Own: true, Name: "restart-policy", Value: "POLICY", Help: "Never, OnFailure or Always (default: Never)", Becomes: "`restartPolicy.type`"},
		{Own: true, Name: "retries", Value: "N", Help: "how often a run that failed is tried again (default with OnFailure: 3)", Becomes: "`restartPolicy.onFailureRetries`"},
		{Own: true, Name: "batch-scheduler", Value: "NAME", Help: "volcano, yunikorn or kube-scheduler", Becomes: "`batchScheduler`"},
		{Own: true, Name: "requirements", Value: "FILE", Help: "a file of pip's requirements: the packages are brought along", Becomes: "one of `deps.archives`, and `PYTHONPATH`"},
		{Own: true, Name: "python-version", Value: "VERSION", Help: "the Python in the image, for --requirements (default: 3.11)", Becomes: "which wheels pip takes"},
		{Own: true, Name: "architecture", Value: "ARCH", Help: "the image's architecture, for --requirements (default: amd64)", Becomes: "which wheels pip takes"},
		{Own: true, Name: "detach", Help: "create the application and return, with its name on standard output", Becomes: "nothing is followed"},
		{Own: true, Name: "logs", Help: "show the driver's log in cluster mode too", Becomes: "the driver's log on standard output"},
		{Own: true, Name: "dry-run", Help: "print the manifest; upload and create nothing", Becomes: "the manifest on standard output"},
		{Own: true, Name: "output", Short: "o", Value: "FORM", Help: "the form of --dry-run: yaml or json", Becomes: "the form of the manifest"},
	}
}
