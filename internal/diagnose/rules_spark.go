package diagnose

// sparkRules are those whose evidence is Spark's, the JVM's or the job's own.
func sparkRules() []rule {
	return []rule{
		containerOutOfMemory(),
	}
}
