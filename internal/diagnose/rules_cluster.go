package diagnose

// clusterRules are those whose evidence is Kubernetes' own: what kept pods from being made, placed or started, or ended
// them.
func clusterRules() []rule {
	return []rule{
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
}
