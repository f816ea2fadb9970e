package diagnose

import "brazier.sh/brazier/api/brazier/v1alpha1"

// sparkRules are those whose evidence is Spark's, the JVM's or the job's own. None of them speaks up about a run that is
// well: what Spark has put up with is no cause of anything.
func sparkRules() []rule {
	all := specificRules()
	all = append(all, userRules()...)
	for i := range all {
		find := all[i].find
		all[i].find = func(c *Case) (v1alpha1.Cause, bool) {
			if !c.troubled() {
				return v1alpha1.Cause{}, false
			}
			return find(c)
		}
	}
	return all
}

// specificRules are those that know what they look for.
func specificRules() []rule {
	return []rule{
		driverOutOfMemory(),
		executorOutOfMemory(),
		driverHeap(),
		executorHeap(),
		apiServerUnreachable(),
		driverUnreachable(),
		missingClass(),
		dependencyUnresolved(),
		fileMissing(),
		pythonModuleMissing(),
		versionSkew(),
		resultTooLarge(),
		broadcastTimeout(),
		broadcastTooLarge(),
		executorSilent(),
		shuffleLost(),
		pythonWorkerCrash(),
		nativeCrash(),
		executorFailures(),
		storageDenied(),
		storageMissing(),
		storageUnreachable(),
		authentication(),
	}
}

// userRules are those for what the job itself does. They are asked of the exception that ended it, and leave to the
// specific ones what those know better.
func userRules() []rule {
	return []rule{
		queryInvalid(),
		dataInvalid(),
		pythonException(),
		jvmException(),
		applicationExit(),
	}
}

// endedPods are the causes for which pods end through no fault of Spark's; what its logs complain of then follows from them.
func endedPods() []string {
	return []string{"scratch-disk-full", "evicted-for-overuse", "node-pressure", "disrupted"}
}
