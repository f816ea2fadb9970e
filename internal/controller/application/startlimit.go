package application

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"brazier.sh/brazier/api/v1beta2"
)

// startLimit returns how long the driver of app may take to start: what its annotation says, else the operator's
// default. Without a limit it is 0.
func startLimit(app *v1beta2.SparkApplication, otherwise time.Duration) (time.Duration, error) {
	text, said := app.Annotations[v1beta2.AnnotationDriverStartTimeout]
	if !said {
		return otherwise, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit < 0 {
		return otherwise, field.Invalid(field.NewPath("metadata", "annotations").Key(v1beta2.AnnotationDriverStartTimeout), text,
			"is not a length of time; write for example 10m, or 0 to wait for ever")
	}
	return limit, nil
}

// starting decides for a driver that does not run yet.
func starting(app *v1beta2.SparkApplication, driver Driver, limit time.Duration, now time.Time) Step {
	step := Step{Action: Wait, State: v1beta2.ApplicationStateSubmitted, Because: "its driver has not started"}
	left, limited := untilTooLate(driver, limit, now)
	if limited && left <= 0 {
		return failed(app, notStarted(driver, limit), now, causeOfDelay(driver.Waiting))
	}
	if told := untilTold(driver, now); told > 0 {
		step.After = told
	}
	if limited && (step.After == 0 || left < step.After) {
		step.After = left
	}
	return step
}

// untilTooLate returns how long driver still has to start, if that is limited. A pod that a scheduling gate holds back
// waits by somebody's decision and not for want of anything.
func untilTooLate(driver Driver, limit time.Duration, now time.Time) (time.Duration, bool) {
	if limit <= 0 || driver.Created.IsZero() || driver.Waiting != nil && driver.Waiting.Reason == corev1.PodReasonSchedulingGated {
		return 0, false
	}
	return driver.Created.Add(limit).Sub(now), true
}

// notStarted says that a driver took too long, and what it waited for.
func notStarted(driver Driver, limit time.Duration) string {
	message := fmt.Sprintf("driver container failed: its pod %s did not start within %s", driver.Name, limit)
	if driver.Waiting == nil || driver.Waiting.Reason == "" {
		return message
	}
	message += "; it waited for: " + driver.Waiting.Reason
	if driver.Waiting.Message != "" {
		message += ": " + driver.Waiting.Message
	}
	return message
}
