package application

import (
	"time"

	"brazier.sh/brazier/api/v1beta2"
)

const (
	// defaultRetryInterval applies where the restart policy names none.
	defaultRetryInterval = 5 * time.Second
	// maxRetryWait bounds interval × attempts; an interval that is longer in itself is kept.
	maxRetryWait = 10 * time.Minute
	// healthyRun is how long a run has to last for its end not to count as one in a row of failures.
	healthyRun = time.Hour
)

// mayRunAgain reports whether the restart policy allows another run after one that failed of cause. What was the
// cluster's fault, a lost node or a preemption, is retried without using up a retry.
func mayRunAgain(app *v1beta2.SparkApplication, cause Cause) bool {
	policy := app.Spec.RestartPolicy
	switch policy.Type {
	case v1beta2.RestartPolicyAlways:
		return true
	case v1beta2.RestartPolicyOnFailure:
		return cause.Blameless() || app.Status.ExecutionAttempts <= value(policy.OnFailureRetries, app.Spec.FailureRetries)
	default:
		return false
	}
}

// mayResubmit reports whether the restart policy allows another submission after one that was refused.
func mayResubmit(app *v1beta2.SparkApplication) bool {
	policy := app.Spec.RestartPolicy
	switch policy.Type {
	case v1beta2.RestartPolicyAlways:
		return true
	case v1beta2.RestartPolicyOnFailure:
		return app.Status.SubmissionAttempts <= value(policy.OnSubmissionFailureRetries)
	default:
		return false
	}
}

// retryWait returns how long is left until the next run is due: interval × failures in a row, measured from the moment of
// failure. Measured from the submission, a long run would be retried at once. Disruptions are failures here, though they
// use up no retry: a cluster that has no room or goes from bad to worse is not to be pressed.
func retryWait(app *v1beta2.SparkApplication, now time.Time) time.Duration {
	policy, failures := app.Spec.RestartPolicy, app.Status.Failures
	interval := value(policy.OnFailureRetryInterval, app.Spec.RetryInterval)
	if state(app) == v1beta2.ApplicationStateFailedSubmission {
		interval, failures = value(policy.OnSubmissionFailureRetryInterval), app.Status.SubmissionAttempts
	}
	if app.Status.TerminationTime.IsZero() || failures == 0 {
		return 0 // called off by the user, or ended well
	}
	wait := seconds(interval)
	if wait <= 0 {
		wait = defaultRetryInterval
	}
	if wait < maxRetryWait {
		wait = min(wait*min(time.Duration(failures), maxRetryWait/time.Second), maxRetryWait)
	}
	// The time of the failure is by the clock of a node, which may be ahead.
	return min(app.Status.TerminationTime.Add(wait).Sub(now), wait)
}

// value returns the first of the fields that is set, else 0.
func value[T int32 | int64](fields ...*T) T {
	for _, field := range fields {
		if field != nil {
			return *field
		}
	}
	return 0
}
