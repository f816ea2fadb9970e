package diagnose

import "testing"

// abortedBy is how a job ends whose task failed four times of what.
func abortedBy(what string) string {
	return `
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 2.0 failed 4 times, most recent failure: Lost task 3.3 in stage 2.0 (TID 31) (10.244.1.9 executor 2): ` + what + `
	at org.apache.spark.scheduler.Task.run(Task.scala:147)

Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:3122)
`
}

func thrownByMain(what string) string {
	return "Exception in thread \"main\" " + what + "\n\tat org.apache.spark.deploy.SparkSubmit.main(SparkSubmit.scala)\n"
}

func TestDriverUnreachable(t *testing.T) {
	unknown := `
Exception in thread "main" java.lang.reflect.UndeclaredThrowableException
	at org.apache.hadoop.security.UserGroupInformation.doAs(UserGroupInformation.java:1894)
Caused by: java.io.IOException: Failed to connect to pi-4f-driver-svc.sales.svc:7078
	at org.apache.spark.network.client.TransportClientFactory.createClient(TransportClientFactory.java:294)
Caused by: java.net.UnknownHostException: pi-4f-driver-svc.sales.svc
`
	checkRows(t, map[string]row{
		"Name": {
			reason: "Executors end one after the other, since the driver's name is not known to them.",
			run: failedRun(driverEnds(11, "Error", 1800), executorEnds(1, 1, "Error", 600), says("pi-exec-1", 590, unknown),
				driverSays("26/11/26 12:15:00 ERROR ExecutorPodsAllocator: Max number of executor failures (3) reached")),
			want: []string{"driver-unreachable", "executor-failures"},
			why:  "Executors cannot reach the driver at pi-4f-driver-svc.sales.svc:7078.",
		},
		"Waiting": {
			reason: "A run without executors is stuck, though its driver runs.",
			run:    failedRun(driverRuns(), executorEnds(1, 1, "Error", 600), says("pi-exec-1", 590, unknown)),
			want:   []string{"driver-unreachable"},
		},
		"AfterTheDriver": {
			reason: "When the driver is gone, executors cannot reach it.",
			run:    failedRun(driverEnds(1, "Error", 500), executorEnds(1, 1, "Error", 600), says("pi-exec-1", 590, unknown), says("pi-driver", 490, unresolvedColumn)),
			want:   []string{"query-invalid"},
		},
	})
}

func TestAPIServerUnreachable(t *testing.T) {
	asks := func(network string) string {
		return thrownByMain("org.apache.spark.SparkException: External scheduler cannot be instantiated") +
			"Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Operation: [get]  for kind: [Pod]  with name: [pi-driver]  in namespace: [sales]  failed.\n" +
			"\tat io.fabric8.kubernetes.client.dsl.internal.OperationSupport.waitForResult(OperationSupport.java:509)\n" +
			"Caused by: java.io.IOException: no\nCaused by: " + network + "\n"
	}
	checkRows(t, map[string]row{
		"Name": {
			reason: "A pod whose DNS does not work does not find it.",
			run:    failedRun(driverSays(asks("java.net.UnknownHostException: kubernetes.default.svc"))),
			want:   []string{"api-server-unreachable"},
			why:    "The driver could not talk to the API server: its name is not resolved.",
		},
		"Refused": {
			reason: "It is not there.",
			run:    failedRun(driverSays(asks("java.net.ConnectException: Connection refused"))),
			want:   []string{"api-server-unreachable"},
			why:    "The driver could not talk to the API server: it does not take connections.",
		},
		"Answered": {
			reason: "One that says no has answered.",
			run: failedRun(driverSays(thrownByMain("org.apache.spark.SparkException: External scheduler cannot be instantiated") +
				"Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: https://kubernetes.default.svc/api/v1/namespaces/sales/pods/pi-driver. Message: pods \"pi-driver\" is forbidden: User \"system:serviceaccount:sales:spark\" cannot get resource \"pods\" in API group \"\" in the namespace \"sales\". Received status: Status(code=403).\n")),
			want: []string{"rbac-denied"},
		},
	})
}

func TestMissing(t *testing.T) {
	checkRows(t, map[string]row{
		"MainClass": {
			reason: "SparkSubmit says which class it did not find, and ends with 101.",
			run:    failedRun(driverEnds(101, "Error", 1800), driverSays("26/11/26 14:19:03 ERROR SparkSubmit: Failed to load class org.example.Nope.\n26/11/26 14:19:03 INFO ShutdownHookManager: Shutdown hook called")),
			want:   []string{"class-missing"},
			why:    "The main class org.example.Nope is not in local:///opt/job.py nor in any other jar of the application.",
		},
		"S3A": {
			reason: "What brings a class that is known well is named.",
			run:    failedRun(driverSays(thrownByMain("java.lang.RuntimeException: java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found"))),
			want:   []string{"class-missing"}, change: "org.apache.spark:spark-hadoop-cloud_2.13:4.1.1",
			why: "The class org.apache.hadoop.fs.s3a.S3AFileSystem is in none of the jars.",
		},
		"Source": {
			reason: "A data source is a class as well.",
			run:    failedRun(driverSays(thrownByMain("org.apache.spark.SparkClassNotFoundException: [DATA_SOURCE_NOT_FOUND] Failed to find the data source: kafka. Make sure the provider name is correct and the package is properly registered and compatible with your Spark version. SQLSTATE: 42K02"))),
			want:   []string{"class-missing"}, change: "spark-sql-kafka-0-10_2.13",
			why: "Spark has no data source kafka: the jar that brings it is missing.",
		},
		"ClassOfAJob": {
			reason: "A library that looks for an optional class and says so is no cause.",
			run:    failedRun(driverSays("26/11/26 14:19:03 WARN Utils: java.lang.ClassNotFoundException: com.example.Optional\n" + unresolvedColumn)),
			want:   []string{"query-invalid"},
		},
		"Ivy": {
			reason: "The package is named as the application names it.",
			run: failedRun(driverSays(`
		::::::::::::::::::::::::::::::::::::::::::::::
		::          UNRESOLVED DEPENDENCIES         ::
		:: org.example#nope;1.0: not found
` + thrownByMain("java.lang.RuntimeException: [unresolved dependency: org.example#nope;1.0: not found]"))),
			want: []string{"dependency-unresolved"},
			why:  "The package org.example:nope:1.0 cannot be had: not found.",
		},
		"MainFile": {
			reason: "Python's own words.",
			run:    failedRun(driverEnds(2, "Error", 1800), driverSays("python3: can't open file '/opt/job.py': [Errno 2] No such file or directory")),
			want:   []string{"file-missing"},
			why:    "The file /opt/job.py does not exist in the image.",
		},
		"MainJar": {
			reason: "SparkSubmit goes on without the jar, and then misses the class: the jar is the cause.",
			run:    failedRun(driverEnds(101, "Error", 1800), driverSays("26/11/26 14:38:47 WARN DependencyUtils: Local jar /opt/etl.jar does not exist, skipping.\nError: Failed to load class com.example.Main.")),
			want:   []string{"file-missing", "class-missing"},
			why:    "The file /opt/etl.jar does not exist in the image.",
		},
		"JarThatNobodyMissed": {
			reason: "A jar that was not there, and a run that went on without it.",
			run:    failedRun(driverSays("26/11/26 14:38:47 WARN DependencyUtils: Local jar /opt/etl.jar does not exist, skipping.\n" + unresolvedColumn)),
			want:   []string{"query-invalid"},
		},
		"RemoteFile": {
			reason: "A jar that the object store does not have.",
			run:    failedRun(driverSays(thrownByMain("java.io.FileNotFoundException: No such file or directory: s3a://jobs/etl.jar"))),
			want:   []string{"file-missing"},
			why:    "The file s3a://jobs/etl.jar does not exist.",
		},
		"Module": {
			reason: "A module that the driver does not have.",
			run:    failedRun(driverSays("Traceback (most recent call last):\n  File \"/opt/job.py\", line 4, in <module>\n    import nosuchmodule\nModuleNotFoundError: No module named 'nosuchmodule'")),
			want:   []string{"python-module-missing"},
			why:    "The Python module nosuchmodule is not there for the driver.",
		},
		"ModuleOfWorkers": {
			reason: "A module that executors do not have.",
			run: failedRun(driverSays(abortedBy(`org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 3386, in main
  File "/opt/job/udf.py", line 5, in parse
ModuleNotFoundError: No module named 'pandas.core'`))),
			want: []string{"python-module-missing"}, change: "pandas.zip",
			why: "The Python module pandas.core is not there for Python on executors.",
		},
	})
}

func TestVersionSkew(t *testing.T) {
	checkRows(t, map[string]row{
		"Serial": {
			reason: "Driver and executors have different Sparks.",
			run:    failedRun(driverSays(abortedBy("java.io.InvalidClassException: org.apache.spark.rdd.RDD; local class incompatible: stream classdesc serialVersionUID = 823754013007382808, local class serialVersionUID = 3516924559342767982"))),
			want:   []string{"version-skew"},
			why:    "Driver and executors have different versions of the class org.apache.spark.rdd.RDD.",
		},
		"Java": {
			reason: "Class versions are those of Java, 44 more.",
			run:    failedRun(driverSays(thrownByMain("java.lang.UnsupportedClassVersionError: com/example/Main has been compiled by a more recent version of the Java Runtime (class file version 65.0), this version of the Java Runtime only recognizes class file versions up to 61.0"))),
			want:   []string{"version-skew"},
			why:    "The class com/example/Main is compiled for Java 21, and the image has Java 17.",
		},
		"Python": {
			reason: "PySpark compares major and minor version.",
			run: failedRun(driverSays(abortedBy(`org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker_util.py", line 78, in check_python_version
pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.10 than that in driver: 3.11, PySpark cannot run with different minor versions.`))),
			want: []string{"version-skew"},
			why:  "Executors have Python 3.10 and the driver has 3.11.",
		},
		"Method": {
			reason: "A jar for another Scala.",
			run:    failedRun(driverSays(thrownByMain("java.lang.NoSuchMethodError: 'scala.collection.immutable.ArraySeq scala.Predef$.wrapRefArray(java.lang.Object[])'"))),
			want:   []string{"version-skew"},
		},
		"UsersOwnClass": {
			reason: "Another exception of serialization is not about versions.",
			run:    failedRun(driverSays(thrownByMain("java.io.InvalidClassException: com.example.Row; no valid constructor"))),
			want:   []string{"jvm-exception"},
		},
	})
}

func TestDriverLimits(t *testing.T) {
	checkRows(t, map[string]row{
		"Result": {
			reason: "Both sizes are in Spark's words.",
			run:    failedRun(driverSays(thrownByMain("org.apache.spark.SparkException: Job aborted due to stage failure: Total size of serialized results of 42 tasks (2.1 GiB) is bigger than spark.driver.maxResultSize (2.0 GiB)"))),
			want:   []string{"result-too-large"},
			why:    "The results of 42 tasks, 2.1 GiB in all, were to be collected into the driver, which takes 2.0 GiB.",
		},
		"BroadcastTime": {
			reason: "Twice the time is the next to try, ten minutes at least.",
			run:    failedRun(driverSays(thrownByMain("org.apache.spark.SparkException: Could not execute broadcast in 400 secs. You can increase the timeout for broadcasts via spark.sql.broadcastTimeout or disable broadcast join by setting spark.sql.autoBroadcastJoinThreshold to -1"))),
			want:   []string{"broadcast-timeout"}, change: "spark.sql.broadcastTimeout: \"800\"",
			why: "A table that was to be broadcast for a join was not ready within 400 s.",
		},
		"BroadcastSize": {
			reason: "Spark's bound is not a setting.",
			run:    failedRun(driverSays(thrownByMain("org.apache.spark.SparkException: Cannot broadcast the table that is larger than 8.0 GiB: 9.2 GiB."))),
			want:   []string{"broadcast-too-large"}, change: "spark.sql.autoBroadcastJoinThreshold: \"-1\"",
			why: "A table of 9.2 GiB was to be broadcast for a join; Spark broadcasts up to 8.0 GiB.",
		},
		"NotCollected": {
			reason: "A result that was left on its executor is no failure.",
			run:    failedRun(driverSays("26/11/26 14:19:03 WARN TaskSetManager: Total size of serialized results of 2 tasks (2.1 GiB) is bigger than spark.driver.maxResultSize (2.0 GiB)\n" + unresolvedColumn)),
			want:   []string{"query-invalid"},
		},
	})
}

func TestLostExecutors(t *testing.T) {
	silent := "26/11/26 12:15:00 ERROR TaskSchedulerImpl: Lost executor 2 on 10.244.1.9: Executor heartbeat timed out after 125301 ms\n"
	given := `
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: ShuffleMapStage 4 (count at Main.scala:17) has failed the maximum allowable number of times: 4. Most recent failure reason:
org.apache.spark.shuffle.MetadataFetchFailedException: Missing an output location for shuffle 1 partition 0
`
	checkRows(t, map[string]row{
		"Heartbeat": {
			reason: "The driver counts how long it has heard nothing.",
			run:    failedRun(driverSays(silent + abortedBy("ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason: Executor heartbeat timed out after 125301 ms"))),
			want:   []string{"executor-silent"},
			why:    "The driver had not heard of executor 2 for 125301 ms and gave it up.",
		},
		"HeartbeatOnKubernetes": {
			reason: "Such an executor is replaced before it is given up, and what it was doing is said to have been ended by the driver.",
			run: failedRun(driverSays("26/11/26 18:01:03 WARN HeartbeatReceiver: Removing executor 1 with no recent heartbeats: 8797 ms exceeds timeout 8000 ms\n" +
				abortedBy("ExecutorLostFailure (executor 1 exited unrelated to the running tasks) Reason: Executor 1 killed by driver."))),
			want: []string{"executor-silent"},
			why:  "The driver had not heard of executor 1 for 8797 ms and gave it up.",
		},
		"Code": {
			reason: "An executor that does not reach the driver ends itself.",
			run:    failedRun(executorEnds(5, 56, "Error", 600), driverSays(abortedByLoss)),
			want:   []string{"executor-silent", "executor-out-of-memory"},
			why:    "Executor 5 gave up because its heartbeats did not reach the driver (exit code 56).",
		},
		"Shuffle": {
			reason: "Shuffle files went with the executor.",
			run:    failedRun(executorEnds(2, 137, "OOMKilled", 600), driverSays(silent+given)),
			want:   []string{"executor-out-of-memory", "executor-silent", "shuffle-lost"},
		},
		"Worker": {
			reason: "Spark does not know why a worker is gone.",
			run:    failedRun(driverSays(abortedBy("org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)"))),
			want:   []string{"python-worker-crash"},
		},
		"WorkerOfSpark41": {
			reason: "The driver quotes what the task said, with what lay behind it.",
			run:    failedRun(driverSays(workerCrashed)),
			want:   []string{"python-worker-crash"},
		},
		"Native": {
			reason: "The JVM names the library it crashed in.",
			run:    failedRun(driverEnds(134, "Error", 1800), driverSays("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n#  SIGSEGV (0xb) at pc=0x00007f1, pid=15, tid=42\n#\n# Problematic frame:\n# C  [libzstd-jni-1.5.6.so+0x3f2]  ZSTD_compress+0x12\n")),
			want:   []string{"native-crash"},
			why:    "The driver crashed in native code (exit code 134, SIGABRT, it gave itself up), in libzstd-jni-1.5.6.so.",
		},
		"Shutdown": {
			reason: "On its way out the driver removes executors.",
			run:    failedRun(driverSays(unresolvedColumn + "26/11/26 12:15:00 INFO HeartbeatReceiver: Removing executor 2 with no recent heartbeats\n26/11/26 12:15:00 ERROR TaskSchedulerImpl: Lost executor 2 on 10.244.1.9: Remote RPC client disassociated.")),
			want:   []string{"query-invalid", "executor-silent"},
		},
	})
}

func TestStorage(t *testing.T) {
	checkRows(t, map[string]row{
		"Denied": {
			reason: "The address is named by S3A.",
			run:    failedRun(driverSays(thrownByMain("java.nio.file.AccessDeniedException: s3a://sales/orders: getFileStatus on s3a://sales/orders: software.amazon.awssdk.services.s3.model.S3Exception: null (Service: S3, Status Code: 403, Request ID: 1)"))),
			want:   []string{"storage-denied"},
			why:    "The credentials of the run do not open s3a://sales/orders.",
		},
		"Bucket": {
			reason: "There is no such bucket.",
			run:    failedRun(driverSays(thrownByMain("org.apache.hadoop.fs.s3a.UnknownStoreException: `s3a://salez/orders': getFileStatus on s3a://salez/orders: software.amazon.awssdk.services.s3.model.NoSuchBucketException: The specified bucket does not exist (Service: S3, Status Code: 404)"))),
			want:   []string{"storage-missing"},
			why:    "There is no bucket salez at the endpoint that the run asks.",
		},
		"Endpoint": {
			reason: "The endpoint does not answer.",
			run: failedRun(conf("spark.hadoop.fs.s3a.endpoint", "http://store:9000"),
				driverSays(thrownByMain("org.apache.hadoop.fs.s3a.AWSClientIOException: doesBucketExist on s3a://sales: software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: Connect to store:9000 failed: connect timed out"))),
			want: []string{"storage-unreachable"},
			why:  "The object store at http://store:9000, which s3a://sales is in, did not answer.",
		},
		"Kerberos": {
			reason: "No ticket.",
			run:    failedRun(driverSays(thrownByMain("org.apache.hadoop.security.AccessControlException: Client cannot authenticate via:[TOKEN, KERBEROS]"))),
			want:   []string{"authentication-failed"},
			why:    "The run could not authenticate: TOKEN, KERBEROS.",
		},
		"Other": {
			reason: "Another service that does not answer is not the object store.",
			run:    failedRun(driverSays(thrownByMain("java.net.ConnectException: Failed to connect to billing:443"))),
			want:   []string{"jvm-exception"},
		},
	})
}

// workerCrashed is Spark 4.1.1's of a Python function that calls os._exit, without most of the frames.
const workerCrashed = `
26/11/26 14:53:01 ERROR TaskSetManager: Task 0 in stage 0.0 failed 4 times; aborting job
Traceback (most recent call last):
  File "/opt/job/crash.py", line 7, in <module>
    spark.range(5).rdd.map(crash).collect()
  File "/opt/spark/python/lib/py4j-0.10.9.9-src.zip/py4j/protocol.py", line 327, in get_return_value
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (10.244.0.7 executor 1): org.apache.spark.SparkException: Python worker exited unexpectedly (crashed). Consider setting 'spark.sql.execution.pyspark.udf.faulthandler.enabled' or'spark.python.worker.faulthandler.enabled' configuration to 'true' for the better Python traceback.
	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.hasNext(PythonRunner.scala:596)
Caused by: java.io.EOFException
	at java.base/java.io.DataInputStream.readInt(DataInputStream.java:386)
	... 22 more

Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:3122)
Caused by: java.io.EOFException
	at java.base/java.io.DataInputStream.readInt(DataInputStream.java:386)
	... 1 more
`
