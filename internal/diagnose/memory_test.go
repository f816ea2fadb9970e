package diagnose

import (
	"testing"

	"brazier.sh/brazier/api/brazier/v1alpha1"
	"brazier.sh/brazier/api/v1beta2"
)

// lostExecutor is what a driver of Spark 3.5 to 4.1 says of an executor that the kernel has ended.
const lostExecutor = `
26/11/26 12:37:07 ERROR TaskSchedulerImpl: Lost executor 13 on 10.244.0.194:
The executor with id 13 exited with exit code 137(SIGKILL, possible container OOM).



The API gave the following container statuses:


	 container name: spark-kubernetes-executor
	 container image: spark:4.1.1
	 container state: terminated
	 container started at: 2026-11-26T12:28:32Z
	 container finished at: 2026-11-26T12:37:06Z
	 exit code: 137
	 termination reason: OOMKilled

26/11/26 12:37:07 WARN TaskSetManager: Lost task 25.0 in stage 8.0 (TID 9337) (10.244.0.194 executor 13): ExecutorLostFailure (executor 13 exited caused by one of the running tasks) Reason:
The executor with id 13 exited with exit code 137(SIGKILL, possible container OOM).
`

// abortedByLoss is how a job ends whose task was lost with its executor four times.
const abortedByLoss = `
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 25 in stage 8.0 failed 4 times, most recent failure: Lost task 25.3 in stage 8.0 (TID 9412) (10.244.0.201 executor 16): ExecutorLostFailure (executor 16 exited caused by one of the running tasks) Reason:
The executor with id 16 exited with exit code 137(SIGKILL, possible container OOM).
Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:3122)
`

func TestOutOfMemory(t *testing.T) {
	scala := func(c *Case) { c.Application.Spec.Type = v1beta2.SparkApplicationTypeScala }
	checkRows(t, map[string]row{
		"Executor": {
			reason: "The limit, the heap and what is left beside it are named, and what to write for more of it.",
			run:    failedRun(executorEnds(3, 137, "OOMKilled", 1000), limit("3Gi"), driverSays(abortedByLoss)),
			want:   []string{"executor-out-of-memory"}, confidence: v1alpha1.ConfidenceHigh,
			why:    "Executor 3 used more memory than its limit of 3 GiB and was killed: beside the heap of 2 GiB there were 1 GiB, which Python's processes share (2 executors in all).",
			change: "spec:\n  executor:\n    memoryOverhead: 1536m\n",
		},
		"FromTheDriversLog": {
			reason: "The driver deletes an executor's pod at once; its log remains.",
			run:    failedRun(scala, driverSays(lostExecutor+abortedByLoss)),
			want:   []string{"executor-out-of-memory"}, confidence: v1alpha1.ConfidenceHigh,
			why: "Executor 13 used more memory than its limit and was killed (2 executors in all).",
		},
		"Driver": {
			reason: "A driver that the kernel has ended says nothing; its pod does.",
			run:    failedRun(driverEnds(137, "OOMKilled", 1800), limit("1408Mi"), scala),
			want:   []string{"driver-out-of-memory"},
			why:    "The driver used more memory than its limit of 1408 MiB and was killed: beside the heap of 1 GiB there were 384 MiB.",
			change: "spec:\n  driver:\n    memoryOverhead: 1024m\n",
		},
		"LocalDirsInMemory": {
			reason: "On tmpfs what is spilt counts as the container's memory.",
			run:    failedRun(executorEnds(3, 137, "OOMKilled", 1000), limit("3Gi"), conf("spark.kubernetes.local.dirs.tmpfs", "true")),
			want:   []string{"executor-out-of-memory"},
			change: "spark.kubernetes.local.dirs.tmpfs: \"false\"",
		},
		"Retried": {
			reason: "An executor was replaced; the run failed of something else much later.",
			run:    failedRun(executorEnds(3, 137, "OOMKilled", 100), driverSays(unresolvedColumn)),
			want:   []string{"query-invalid", "executor-out-of-memory"},
		},
		"CutOff": {
			reason: "The driver's last words break off before they say what was thrown, as PythonRunner does not wait for them.",
			run: failedRun(executorEnds(3, 137, "OOMKilled", 1000), limit("3Gi"),
				driverSays("Traceback (most recent call last):\n  File \"/opt/hungry.py\", line 12, in <module>")),
			want: []string{"executor-out-of-memory"}, confidence: v1alpha1.ConfidenceHigh,
		},
		"Running": {
			reason: "A run that goes on with another executor is well.",
			run:    failedRun(driverRuns(), executorEnds(3, 137, "OOMKilled", 100), func(c *Case) { c.Evidence.Executors.Seen = 5 }),
		},
		"ScaledDown": {
			reason: "Executors that were told to go did nothing wrong.",
			run:    failedRun(executorEnds(3, 143, "Error", 100), executorEnds(4, 0, "Completed", 100), driverSays(unresolvedColumn)),
			want:   []string{"query-invalid"},
		},
		"KilledOnDeletion": {
			reason: "Who deletes a pod has it killed after its grace period.",
			run: failedRun(executorEnds(3, 137, "Error", 100), func(c *Case) {
				c.Evidence.Pods[1].Deleted = new(after(70))
			}, driverSays(unresolvedColumn)),
			want: []string{"query-invalid"},
		},
	})
}

func TestHeap(t *testing.T) {
	checkRows(t, map[string]row{
		"ExecutorByCode": {
			reason: "Spark ends an executor with 52 whose heap is full.",
			run: failedRun(executorEnds(2, 52, "Error", 800), says("pi-exec-2", 790, `
26/11/26 12:13:20 ERROR SparkUncaughtExceptionHandler: Uncaught exception in thread Thread[#48,Executor task launch worker for task 3.0 in stage 1.0 (TID 7),5,main]
java.lang.OutOfMemoryError: Java heap space
	at java.base/java.util.Arrays.copyOf(Arrays.java:3537)`), driverSays(`
26/11/26 12:13:21 ERROR TaskSetManager: Task 3 in stage 1.0 failed 4 times; aborting job
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 1.0 failed 4 times, most recent failure: Lost task 3.3 in stage 1.0 (TID 17) (10.244.0.7 executor 2): ExecutorLostFailure (executor 2 exited caused by one of the running tasks) Reason:
The executor with id 2 exited with exit code 52(JVM OOM).`)),
			want: []string{"executor-heap-out-of-memory"}, change: "spec:\n  executor:\n    memory: 3072m\n",
			why: "The heap of 2 GiB of executor 2 was full.",
		},
		"ExecutorsTask": {
			reason: "A task that found no memory is quoted by the driver.",
			run: failedRun(driverSays(`
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 4.0 failed 4 times, most recent failure: Lost task 0.3 in stage 4.0 (TID 9) (10.244.0.7 executor 1): org.apache.spark.memory.SparkOutOfMemoryError: [UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 65536 bytes of memory, got 0. SQLSTATE: 53200
	at org.apache.spark.memory.MemoryConsumer.throwOom(MemoryConsumer.java:157)`)),
			want: []string{"executor-heap-out-of-memory"},
			why:  "The heap of 2 GiB of an executor had no room left for the rows that a task works on.",
		},
		"Driver": {
			reason: "The driver's own heap.",
			run: failedRun(driverSays(`
Exception in thread "main" java.lang.OutOfMemoryError: GC overhead limit exceeded
	at org.apache.spark.sql.execution.SparkPlan.executeCollect(SparkPlan.scala:451)`)),
			want: []string{"driver-heap-out-of-memory"},
			why:  "The heap of 1 GiB of the driver was so full that the JVM did nothing but collect garbage.",
		},
		"Survived": {
			reason: "A task that found no memory and was tried again is not why the run failed.",
			run: failedRun(driverSays(`
26/11/26 12:13:20 WARN TaskSetManager: Lost task 0.0 in stage 4.0 (TID 9) (10.244.0.7 executor 1): java.lang.OutOfMemoryError: Java heap space
` + unresolvedColumn)),
			want: []string{"query-invalid"},
		},
	})
}
