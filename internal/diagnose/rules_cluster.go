package diagnose

import "brazier.sh/brazier/api/brazier/v1alpha1"

// clusterRules are those whose evidence is Kubernetes' own: what kept pods from being made, placed or started, or ended
// them. A run that ended well got over whatever it met, and has none of them.
func clusterRules() []rule {
	all := []rule{
		// Not made.
		operatorSilent(),
		suspended(),
		submissionRefused(),
		rbacDenied(),
		quotaExceeded(),
		limitRange(),
		podSecurity(),
		admissionDenied(),
		admissionWebhook(),
		// Not placed.
		heldByQueue(),
		volumeClaimUnbound(),
		unschedulable(),
		rejectedByNode(),
		// Not started.
		podSandboxFailed(),
		volumeNotMounted(),
		imagePull(),
		configMissing(),
		containerNotCreated(),
		commandCannotRun(),
		initContainerFailed(),
		sidecarCrashLooping(),
		startTimeout(),
		executorsStarved(),
		// Ended.
		scratchDiskFull(),
		nodePressure(),
		evictedForUse(),
		disrupted(),
		driverDeleted(),
	}
	for i := range all {
		find := all[i].find
		all[i].find = func(c *Case) (v1alpha1.Cause, bool) {
			if c.wellOver() {
				return v1alpha1.Cause{}, false
			}
			return find(c)
		}
	}
	return all
}
