package diagnose

import "fmt"

// Exit codes of containers in which Spark runs.
const (
	// exitGeneric is what a program ends with that has failed, also spark-submit: SparkExitCode.EXIT_FAILURE.
	exitGeneric = 1
	// exitUsage is a shell's for a command that it cannot make sense of, and Python's for a file that it cannot open.
	exitUsage = 2
	// exitExecutorFailures: ExecutorFailureTracker has counted too many, SparkExitCode.EXCEED_MAX_EXECUTOR_FAILURES.
	exitExecutorFailures = 11
	// exitUncaught and exitUncaughtTwice: SparkUncaughtExceptionHandler, the second time while it wrote of the first.
	exitUncaught      = 50
	exitUncaughtTwice = 51
	// exitHeapFull: SparkExitCode.OOM, an OutOfMemoryError that nobody caught.
	exitHeapFull = 52
	// exitNoLocalDir: ExecutorExitCode.DISK_STORE_FAILED_TO_CREATE_DIR.
	exitNoLocalDir = 53
	// exitHeartbeat: ExecutorExitCode.HEARTBEAT_FAILURE, more than spark.executor.heartbeat.maxFailures in a row.
	exitHeartbeat = 56
	// exitTaskReaper: ExecutorExitCode.KILLED_BY_TASK_REAPER.
	exitTaskReaper = 57
	// exitReregistration: ExecutorExitCode.BLOCK_MANAGER_REREGISTRATION_FAILED.
	exitReregistration = 58
	// exitClassNotFound: SparkExitCode.CLASS_NOT_FOUND, spark-submit without the main class.
	exitClassNotFound = 101
	// exitDriverTimeout: SparkExitCode.DRIVER_TIMEOUT, spark.driver.timeout.
	exitDriverTimeout = 124
	// exitNotExecutable and exitNotFound are a shell's, and the container runtime's: POSIX, Shell Command Language 2.8.2.
	exitNotExecutable = 126
	exitNotFound      = 127
	// Above exitSignal it is the number of a signal more.
	exitSignal     = 128
	exitAborted    = exitSignal + 6
	exitKilled     = exitSignal + 9
	exitSegfault   = exitSignal + 11
	exitTerminated = exitSignal + 15
)

// exitMeaning is what an exit code says of a container in which Spark ran.
func exitMeaning(code int32) string {
	meanings := map[int32]string{
		0:                    "it ended well",
		exitGeneric:          "the program failed",
		exitUsage:            "the command was not understood, or its file not found",
		exitExecutorFailures: "too many executors failed",
		exitUncaught:         "an exception that nobody caught",
		exitUncaughtTwice:    "an exception that nobody caught, and another while it was logged",
		exitHeapFull:         "the heap was full",
		exitNoLocalDir:       "no local directory could be made",
		exitHeartbeat:        "its heartbeats did not reach the driver",
		exitTaskReaper:       "a task that was cancelled did not stop",
		exitReregistration:   "its block manager could not register with the driver again",
		exitClassNotFound:    "the main class was not found",
		exitDriverTimeout:    "the driver's time was up",
		exitNotExecutable:    "the command cannot be executed",
		exitNotFound:         "the command was not found",
		exitAborted:          "SIGABRT, it gave itself up",
		exitKilled:           "SIGKILL",
		exitSegfault:         "SIGSEGV, native code crashed",
		exitTerminated:       "SIGTERM",
	}
	if meaning, ok := meanings[code]; ok {
		return meaning
	}
	if code > exitSignal && code < exitSignal+64 {
		return fmt.Sprintf("signal %d", code-exitSignal)
	}
	return "the program's own code"
}
