package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What an executor says that does not find its driver: the driver's Service has a name that ends like this, and its ports are
// 7078 and 7079 (DriverServiceFeatureStep).
var driverUnreachablePattern = lazily(
	`UnknownHostException: (\S+-driver-svc\S*)|Failed to connect to /?(\S*(?:-driver-svc\S*|:707[89]))|Cannot find endpoint: spark://CoarseGrainedScheduler@(\S+)|Connection refused: (\S*(?:-driver-svc\S*|:707[89]))`)

// driverUnreachable finds executors that could not reach the driver. When the driver has gone before, that is no wonder.
func driverUnreachable() rule {
	follows := append(endedPods(), "driver-out-of-memory", "driver-heap-out-of-memory", "result-too-large", "native-crash")
	return rule{code: "driver-unreachable", follows: follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		f, match, ok := firstMatch(c.saidBy(v1alpha1.RoleExecutor), driverUnreachablePattern)
		if !ok || c.afterDriver(f) {
			return v1alpha1.Cause{}, false
		}
		address := firstOf(match[1:])
		cause := told(f, fmt.Sprintf("Executors cannot reach the driver at %s.", address),
			inspect("See whether the driver's Service has an address.", "kubectl get endpointslices --namespace "+c.Namespace),
			inspect("See which network policies keep pods apart.", "kubectl get networkpolicies --namespace "+c.Namespace),
			change("If the name is known late, let executors' driver wait longer until it is ready.",
				sparkConf("spark.kubernetes.allocation.driver.readinessTimeout", "60s")))
		if match[1] != "" {
			cause.Why = fmt.Sprintf("Executors cannot reach the driver: the name %s of its Service is not resolved.", address)
		}
		if !c.lossMatters() {
			cause.Confidence = v1alpha1.ConfidenceLow
		}
		return cause, true
	}}
}

// afterDriver reports whether f was said when the driver had ended.
func (c *Case) afterDriver(f found) bool {
	ended, ok := c.driverEnd()
	at := f.at()
	return ok && !ended.at.IsZero() && !at.IsZero() && !at.Time.Before(ended.at.Time)
}

func firstOf(texts []string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
