package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// PythonRunner: the worker's end of the socket was closed. Since 4.0 it says how the worker ended.
	workerCrash = lazily(`Python worker exited unexpectedly \(crashed\)`)
	// The JVM's report of a crash in native code, which names the library.
	problematic = lazily(`^#? ?C +\[(\S+?)\+0x`)
	hsErr       = lazily(`SIGSEGV \(0xb\) at pc=|SIGBUS \(0x7\) at pc=|hs_err_pid\d+\.log`)
)

// pythonWorkerCrash finds Python processes of executors that ended while they worked.
func pythonWorkerCrash() rule {
	return rule{code: "python-worker-crash", follows: []string{"executor-out-of-memory"}, find: func(c *Case) (v1alpha1.Cause, bool) {
		f, _, ok := firstMatch(c.fatal(), workerCrash)
		if !ok {
			return v1alpha1.Cause{}, false
		}
		fixes := []v1alpha1.Fix{
			c.driverLog(),
			change("Have Python say where it was when it crashed.", sparkConf("spark.python.worker.faulthandler.enabled", "true")),
		}
		if over := c.overheadMiB(v1alpha1.RoleExecutor, c.executorLimit()); over > 0 {
			fixes = append(fixes, change(fmt.Sprintf("If it ran out of memory, raise executors' memoryOverhead from %s to %s.", size(over), size(nextMiB(over))),
				roleField(v1alpha1.RoleExecutor, "memoryOverhead", fmt.Sprintf("%dm", nextMiB(over)))))
		}
		return told(f, "A Python process of an executor ended while it worked: a library of native code crashed, the code ended the process, or the kernel did for want of memory.", fixes...), true
	}}
}

// nativeCrash finds JVMs that ended by a fault in native code.
func nativeCrash() rule {
	return rule{code: "native-crash", find: func(c *Case) (v1alpha1.Cause, bool) {
		for _, role := range []v1alpha1.Role{v1alpha1.RoleDriver, v1alpha1.RoleExecutor} {
			for _, e := range c.ends(role) {
				if e.code == exitSegfault || e.code == exitAborted {
					return c.crashed(e), true
				}
			}
		}
		return v1alpha1.Cause{}, false
	}}
}

func (c *Case) crashed(e end) v1alpha1.Cause {
	cause := v1alpha1.Cause{
		Why:        fmt.Sprintf("%s crashed in native code (exit code %d, %s)", capital(e.name), e.code, exitMeaning(e.code)),
		Confidence: v1alpha1.ConfidenceHigh, At: e.at, Node: e.node, Evidence: []v1alpha1.Proof{e.proof}, Transient: true,
		Fixes: []v1alpha1.Fix{c.driverLog(), change("Update or take out the library that crashed.", "")},
	}
	lines := c.saidBy(e.role)
	if f, match, ok := firstMatch(lines, problematic); ok {
		cause.Why += ", in " + match[1]
		cause.Evidence = append(cause.Evidence, f.proof())
	} else if f, _, ok := firstMatch(lines, hsErr); ok {
		cause.Evidence = append(cause.Evidence, f.proof())
	}
	cause.Why += "."
	if e.role == v1alpha1.RoleExecutor && !c.lossMatters() {
		cause.Confidence = v1alpha1.ConfidenceLow
	}
	return cause
}
