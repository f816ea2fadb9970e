package sparksubmit

import (
	"strings"
	"testing"
)

// TestYARNRules says that each setting of Spark on YARN has a rule of its own, with a word on why it has no meaning or
// what says the same. The list is that of the module's config package and of SparkConf's older names in Spark 4.3, without
// those that Spark sets itself.
func TestYARNRules(t *testing.T) {
	elsewhere := strings.Fields(`dist.archives dist.files dist.jars maxAppAttempts queue submit.waitAppCompletion`)
	for _, name := range append(elsewhere, strings.Fields(`
		access.hadoopFileSystems access.namenodes am.attemptFailuresValidityInterval am.clientModeExitOnError
		am.clientModeTreatDisconnectAsFailed am.cores am.defaultJavaOptions am.extraJavaOptions am.extraLibraryPath am.finalMessageLimit
		am.limitActiveProcessorCount.enabled am.memory am.memoryOverhead am.nodeLabelExpression am.port am.resource.x.amount
		am.tokenConfRegex am.waitTime applicationType appMasterEnv.X archive blacklist.executor.launch.blacklisting.enabled
		client.statCache.preload.enabled clientLaunchMonitorInterval config.gatewayPath config.replacementPath containerLauncherMaxThreads
		credentials.file.retention.count driver.memoryOverhead driver.resource.x.amount exclude.nodes
		executor.failuresValidityInterval executor.launch.excludeOnFailure.enabled executor.memoryOverhead executor.nodeLabelExpression
		executor.oomKill.enabled executor.resource.x.amount historyServer.address historyServer.allowTracking includeDriverLogsLink
		jar jars kerberos.relogin.period keytab max.executor.failures metrics.namespace populateHadoopClasspath
		preserve.staging.files principal priority report.interval report.loggingFrequency resourceFpgaDeviceName resourceGpuDeviceName
		rolledLog.excludePattern rolledLog.includePattern scheduler.heartbeat.interval-ms scheduler.initial-allocation.interval
		scheduler.reporterThread.maxFailures security.credentials.hive.enabled shuffle.stopOnFailure stagingDir
		submit.file.replication tags unmanagedAM.enabled user.classpath.first`)...) {
		args := []string{"--master", "yarn", "--deploy-mode", "cluster", "--conf", "spark.yarn." + name + "=1", "job.py"}
		if strings.HasSuffix(name, "keytab") {
			args[5] += "local:///k"
			args[5] = strings.Replace(args[5], "=1", "=", 1)
		}
		command, err := Read(args, Environment{Getenv: func(string) string { return "" }})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		notes := strings.Join(command.Notes, "\n")
		if strings.Contains(notes, "it is a setting of YARN") {
			t.Errorf("%s has no rule of its own:\n%s", name, notes)
		}
		for key := range command.App.Spec.SparkConf {
			if strings.HasPrefix(key, "spark.yarn.") {
				t.Errorf("%s is left, where nobody reads it", key)
			}
		}
	}
}

func TestEdits(t *testing.T) {
	for words, want := range map[[2]string]int{{"", ""}: 0, {"abc", ""}: 3, {"", "abc"}: 3, {"jars", "jar"}: 1, {"kitten", "sitting"}: 3, {"files", "files"}: 0} {
		if got := edits(words[0], words[1]); got != want {
			t.Errorf("%q and %q: got %d, want %d", words[0], words[1], got, want)
		}
	}
}
