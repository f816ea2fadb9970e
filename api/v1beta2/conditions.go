package v1beta2

// Types of the conditions in status.conditions. They say in Kubernetes' own words what status.applicationState says in
// those of this API, so that kubectl wait and the like work.
const (
	// ConditionRunning is True while the application's driver runs. Where it is False its reason says what the
	// application waits for, or that it has ended.
	ConditionRunning = "Running"
	// ConditionSucceeded is True when the application has ended well for good and False when it has failed for good.
	// Until then it is Unknown.
	ConditionSucceeded = "Succeeded"
	// ConditionAdmitted is True when the current run's queue has let it in. Where it is False its reason says what the run
	// waits for. There is none where the application is in no queue.
	ConditionAdmitted = "Admitted"
	// ConditionReleased is True when nothing of the last run is left in the cluster but its driver's pod.
	ConditionReleased = "Released"
	// ConditionDiagnosed is True where it is known what the current run failed of or waits for: its reason is the code of
	// the first cause and its message says why and what can be done. It is False where a run that failed was looked at and
	// nothing was found. There is none where nothing was looked at, and while a run is well.
	ConditionDiagnosed = "Diagnosed"
	// ConditionRetryable is False where a run has failed of something that the next run would fail of as well, and True
	// where it has failed of anything else. There is none before the run has failed and been looked at.
	ConditionRetryable = "Retryable"
)
