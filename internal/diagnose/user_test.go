package diagnose

import (
	"testing"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// unresolvedColumn is what Spark 4.1.1 printed of a query that names a column that is not there.
const unresolvedColumn = `
26/11/26 14:19:01 WARN NativeCodeLoader: Unable to load native-hadoop library for your platform... using builtin-java classes where applicable
{"ts": "2026-11-26 14:19:37.962", "level": "ERROR", "logger": "DataFrameQueryContextLogger", "msg": "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with na
Traceback (most recent call last):
  File "/opt/job/unresolved.py", line 7, in <module>
    total()
  File "/opt/job/unresolved.py", line 5, in total
    return spark.range(5).select("amount").count()
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/spark/python/lib/pyspark.zip/pyspark/sql/classic/dataframe.py", line 1015, in select
  File "/opt/spark/python/lib/py4j-0.10.9.9-src.zip/py4j/java_gateway.py", line 1362, in __call__
  File "/opt/spark/python/lib/pyspark.zip/pyspark/errors/exceptions/captured.py", line 269, in deco
pyspark.errors.exceptions.captured.AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name ` + "`amount`" + ` cannot be resolved. Did you mean one of the following? [` + "`id`" + `]. SQLSTATE: 42703;
'Project ['amount]
+- Range (0, 5, step=1, splits=Some(1))

26/11/26 14:19:38 INFO ShutdownHookManager: Shutdown hook called
`

// badRow is what Spark 4.1.1 printed of a Python function that failed in four attempts of a task, without most of the frames.
const badRow = `
26/11/26 14:20:49 ERROR TaskSetManager: Task 0 in stage 0.0 failed 4 times; aborting job
Traceback (most recent call last):
  File "/opt/job/udf.py", line 7, in <module>
    spark.range(5).rdd.map(parse).collect()
  File "/opt/spark/python/lib/pyspark.zip/pyspark/core/rdd.py", line 1700, in collect
  File "/opt/spark/python/lib/py4j-0.10.9.9-src.zip/py4j/protocol.py", line 327, in get_return_value
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (10.244.0.7 executor 1): org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 3386, in main
    process()
  File "/opt/spark/python/lib/pyspark.zip/pyspark/util.py", line 141, in wrapper
    return f(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^
  File "/opt/job/udf.py", line 5, in parse
    return int("x" + str(row.id))
           ^^^^^^^^^^^^^^^^^^^^^^
ValueError: invalid literal for int() with base 10: 'x0'

	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:645)
	at java.base/java.lang.Thread.run(Thread.java:840)

Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.$anonfun$abortStage$3(DAGScheduler.scala:3122)
Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/worker.py", line 3386, in main
    process()
  File "/opt/job/udf.py", line 5, in parse
    return int("x" + str(row.id))
ValueError: invalid literal for int() with base 10: 'x0'

	at org.apache.spark.api.python.BasePythonRunner$ReaderIterator.handlePythonException(PythonRunner.scala:645)
	... 1 more

`

// castInvalid is Spark 4.1.1's.
const castInvalid = `
Traceback (most recent call last):
  File "/opt/job/cast.py", line 4, in <module>
    spark.sql("select cast('abc' as int)").collect()
  File "/opt/spark/python/lib/pyspark.zip/pyspark/errors/exceptions/captured.py", line 269, in deco
pyspark.errors.exceptions.captured.NumberFormatException: [CAST_INVALID_INPUT] The value 'abc' of the type "STRING" cannot be cast to "INT" because it is malformed. Correct the value as per the syntax, or change its target type. Use ` + "`try_cast`" + ` to tolerate malformed input and return NULL instead. SQLSTATE: 22018
== SQL (line 1, position 8) ==
select cast('abc' as int)
`

const scalaException = `
26/11/26 14:20:49 ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0)
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 2.0 failed 4 times, most recent failure: Lost task 3.3 in stage 2.0 (TID 31) (10.244.1.9 executor 2): java.util.NoSuchElementException: key not found: EUR
	at scala.collection.MapOps.default(Map.scala:289)
	at com.example.Rates$.toDollar(Rates.scala:42)
	at org.apache.spark.scheduler.Task.run(Task.scala:147)

Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:3122)
	at com.example.Main$.main(Main.scala:17)
Caused by: java.util.NoSuchElementException: key not found: EUR
	at com.example.Rates$.toDollar(Rates.scala:42)
	... 1 more
`

// caught is what a job printed of an exception that it could do without.
const caught = `
Traceback (most recent call last):
  File "/opt/job/main.py", line 8, in main
    spark.sql("select x from nowhere")
pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view ` + "`nowhere`" + ` cannot be found. SQLSTATE: 42P01
`

func TestUsersOwn(t *testing.T) {
	checkRows(t, map[string]row{
		"Column": {
			reason: "The column, the line of the job and what there is instead are all in Spark's words.",
			run:    failedRun(driverSays(unresolvedColumn)),
			want:   []string{"query-invalid"}, confidence: v1alpha1.ConfidenceHigh,
			why: "The query in unresolved.py, line 5 names a column amount that is not there.",
		},
		"Table": {
			reason: "A job that ends by what it could have caught.",
			run:    failedRun(driverSays(caught)),
			want:   []string{"query-invalid"},
			why:    "The query in main.py, line 8 names a table or view nowhere that is not there.",
		},
		"CaughtBefore": {
			reason: "An exception that the job printed and went on from is not what ended it.",
			run: failedRun(driverSays(caught + `going on
Traceback (most recent call last):
  File "/opt/job/main.py", line 14, in <module>
    main()
  File "/opt/job/main.py", line 11, in main
    open("/data/rates.csv").read()
FileNotFoundError: [Errno 2] No such file or directory: '/data/rates.csv'
`)),
			want: []string{"python-exception"},
			why:  "The job's code threw FileNotFoundError in main.py, line 11: [Errno 2] No such file or directory: '/data/rates.csv'.",
		},
		"OnTheWayOut": {
			reason: "What Python complains of as it stops is not what stopped it.",
			run: failedRun(driverSays(unresolvedColumn + `
Exception ignored in: <function JavaWrapper.__del__ at 0x7f0e>
Traceback (most recent call last):
  File "/opt/spark/python/lib/pyspark.zip/pyspark/ml/wrapper.py", line 53, in __del__
AttributeError: 'NoneType' object has no attribute '_detach'
Exception in thread "dag-scheduler-event-loop" java.lang.InterruptedException
`)),
			want: []string{"query-invalid"},
		},
		"LoggedByPython": {
			reason: "A job that logs an exception and ends itself with a code.",
			run: failedRun(driverSays(`
ERROR:root:no rates
Traceback (most recent call last):
  File "/opt/job/main.py", line 8, in main
    rates["EUR"]
KeyError: 'EUR'
`)),
			want: []string{"python-exception"}, confidence: v1alpha1.ConfidenceMedium,
		},
		"LoggedBefore": {
			reason: "What a rule knows of in the log is not also the job's own where Spark throws it on.",
			run: failedRun(executorEnds(2, 1, "Error", 600), driverSays(`
26/11/26 12:15:00 ERROR Executor: failed
org.apache.hadoop.fs.s3a.UnknownStoreException: `+"`s3a://salez/orders'"+`: getFileStatus: The specified bucket does not exist
Exception in thread "main" java.io.IOException: org.apache.hadoop.fs.s3a.UnknownStoreException: `+"`s3a://salez/orders'"+`: getFileStatus: The specified bucket does not exist
`)),
			want: []string{"storage-missing"},
		},
		"Completed": {
			reason: "A run that ended well has no causes, whatever it printed.",
			run:    failedRun(driverEnds(0, "Completed", 1800), driverSays(caught)),
		},
		"Killed": {
			reason: "A signal is not the doing of an exception that was printed before.",
			run:    failedRun(driverEnds(143, "Error", 1800), driverSays(caught)),
		},
		"Row": {
			reason: "The exception behind four failed tasks counts, with the line of the function that threw it.",
			run:    failedRun(driverSays(badRow)),
			want:   []string{"python-exception"},
			why:    "The job's code threw ValueError in udf.py, line 5: invalid literal for int() with base 10: 'x0'.",
		},
		"Cast": {
			reason: "What is wrong with rows is no fault of the query.",
			run:    failedRun(driverSays(castInvalid)),
			want:   []string{"data-invalid"}, change: "spark.sql.ansi.enabled: \"false\"",
		},
		"Scala": {
			reason: "The first frame outside Spark, Java and Scala is the user's.",
			run:    failedRun(driverSays(scalaException)),
			want:   []string{"jvm-exception"},
			why:    "The job's code threw NoSuchElementException in com.example.Rates$.toDollar (Rates.scala, line 42): key not found: EUR.",
		},
		"SyntaxError": {
			reason: "Python prints no header of a file that it cannot parse.",
			run:    failedRun(driverSays("  File \"/opt/job.py\", line 3\n    def f(\n         ^\nSyntaxError: '(' was never closed\n")),
			want:   []string{"python-exception"},
			why:    "The job's code threw SyntaxError in job.py, line 3: '(' was never closed.",
		},
		"Exit": {
			reason: "A code of the job's own, and no exception.",
			run:    failedRun(driverEnds(3, "Error", 1800), driverSays("26/11/26 14:20:49 INFO SparkContext: Successfully stopped SparkContext")),
			want:   []string{"application-exit"},
			why:    "The job ended itself with exit code 3 (sys.exit, System.exit), and no exception was printed.",
		},
		"Silent": {
			reason: "Where no log was kept, nobody knows what was printed.",
			run:    failedRun(driverEnds(3, "Error", 1800)),
			want:   []string{"application-exit"},
			why:    "The job ended with exit code 3, and nothing is known of what it said.",
		},
		"Cut": {
			reason: "SparkSubmit does not wait until all of Python's last words are copied.",
			run:    failedRun(driverSays("Traceback (most recent call last):\n  File \"/opt/job.py\", line 12, in <module>")),
			want:   []string{"application-exit"},
			why:    "The job ended with exit code 1, and its log breaks off before it says what was thrown.",
		},
		"LastWords": {
			reason: "Where no log was kept, the pod's status has its end.",
			run: failedRun(func(c *Case) {
				c.Evidence.Pods[0].Containers[0].Terminated.Message = "  File \"/opt/job/main.py\", line 9, in <module>\n    main()\nKeyError: 'rates'"
			}),
			want: []string{"python-exception"},
			why:  "The job's code threw KeyError in main.py, line 9: 'rates'.",
		},
		"Noise": {
			reason: "What every run prints is no cause of its failure.",
			run:    failedRun(driverEnds(1, "Error", 1800), driverSays(noise)),
			want:   []string{"application-exit"},
		},
	})
}

// noise is what runs that are well print.
const noise = `
26/11/26 14:19:01 WARN NativeCodeLoader: Unable to load native-hadoop library for your platform... using builtin-java classes where applicable
26/11/26 14:19:02 WARN ExecutorPodsWatchSnapshotSource: Kubernetes client has been closed.
26/11/26 14:19:02 WARN MetricsConfig: Cannot locate configuration: tried hadoop-metrics2-s3a-file-system.properties,hadoop-metrics2.properties
26/11/26 14:19:03 WARN SparkConf: The configuration key 'spark.yarn.executor.memoryOverhead' has been deprecated as of Spark 2.3
26/11/26 14:19:04 INFO BlockManagerMasterEndpoint: Trying to remove executor 1 from BlockManagerMaster.
26/11/26 14:19:05 WARN KubernetesClusterSchedulerBackend: Received executor 1 decommissioned message
26/11/26 14:19:06 INFO HeartbeatReceiver: Removing executor 1
`
