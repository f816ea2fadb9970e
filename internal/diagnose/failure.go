package diagnose

import (
	"cmp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// failure is the exception that ended the driver's program; nil if none was seen. What a logger wrote counts only where nothing
// else is to be had: somebody has caught it. A signal is no exception's doing. One that breaks off before it says what was
// thrown is the last resort: SparkSubmit ends without waiting for the thread that copies Python's output (PythonRunner).
func (c *Case) failure() *trace {
	c.said()
	return once(&c.read.failure, c.findFailure)
}

func (c *Case) findFailure() *trace {
	if ended, ok := c.driverEnd(); ok && ended.code > exitSignal {
		return nil
	}
	var uncaught, logged, cut *trace
	for _, t := range c.tracesOf(v1alpha1.RoleDriver) {
		switch {
		case len(having(t.lines, "because SparkContext was shut down", "Spark context stopped while waiting for backend")) > 0:
			// It was told to go in the middle of its work, or before it had begun (TaskSchedulerImpl.waitBackendReady).
		case len(t.thrown) > 0 && t.logged:
			logged = t
		case len(t.thrown) > 0:
			uncaught = t
		case !t.logged:
			cut = t
		}
	}
	return cmp.Or(uncaught, logged, cut)
}

// tracesOf are the exceptions in the logs of pods of role.
func (c *Case) tracesOf(role v1alpha1.Role) []*trace {
	c.said()
	kept := &c.read.driver
	if role == v1alpha1.RoleExecutor {
		kept = &c.read.executor
	}
	return once(kept, func() []*trace { return c.readTraces(role) })
}

func (c *Case) readTraces(role v1alpha1.Role) []*trace {
	var all []*trace
	lines := c.saidBy(role)
	for len(lines) > 0 {
		n := 1
		for n < len(lines) && lines[n].log == lines[0].log {
			n++
		}
		all = append(all, traces(lines[:n])...)
		lines = lines[n:]
	}
	return all
}

// fatal are the lines that tell of what ended the run: the driver's last exception, and what its loggers and those of
// executors that failed wrote as errors where there is none.
func (c *Case) fatal() []found {
	c.said()
	return once(&c.read.fatal, c.readFatal)
}

func (c *Case) readFatal() []found {
	var lines []found
	failure := c.failure()
	if failure != nil {
		lines = append(lines, failure.lines...)
	}
	if failure == nil || failure.logged {
		for _, t := range c.tracesOf(v1alpha1.RoleDriver) {
			if t.logged && t != failure {
				lines = append(lines, t.lines...)
			}
		}
	}
	return append(lines, c.executorsLast()...)
}

// executorsLast are the errors in the logs of executors that ended badly.
func (c *Case) executorsLast() []found {
	bad := map[string]bool{}
	for _, e := range c.ends(v1alpha1.RoleExecutor) {
		bad[e.pod] = bad[e.pod] || e.code != 0 && e.code != exitTerminated
	}
	var lines []found
	for _, t := range c.tracesOf(v1alpha1.RoleExecutor) {
		if bad[t.lines[0].log.Pod] {
			lines = append(lines, t.lines...)
		}
	}
	return lines
}
