package diagnose

import (
	"fmt"
	"slices"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// apiServerUnreachable finds drivers whose requests to the API server were not answered. Spark's client of Kubernetes wraps
// what the network said in an exception of its own (fabric8's OperationSupport.waitForResult).
func apiServerUnreachable() rule {
	return rule{code: "api-server-unreachable", find: func(c *Case) (v1alpha1.Cause, bool) {
		failure := c.failure()
		if failure == nil {
			return v1alpha1.Cause{}, false
		}
		at := slices.IndexFunc(failure.thrown, func(t thrown) bool { return t.simple() == "KubernetesClientException" })
		if at < 0 {
			return v1alpha1.Cause{}, false
		}
		for _, cause := range slices.Backward(failure.thrown[at:]) {
			how := unanswered(&cause)
			if how == "" {
				continue
			}
			found := told(cause.line, fmt.Sprintf("The driver could not talk to the API server: %s.", how), c.driverLog(),
				inspect("See whether network policies keep the driver from it.", "kubectl get networkpolicies --namespace "+c.Namespace),
				change("If it is slow, give it more time, in milliseconds.", sparkConf("spark.kubernetes.driver.requestTimeout", "30000")))
			found.Transient = true
			return found, true
		}
		return v1alpha1.Cause{}, false
	}}
}

// unanswered says how the network failed; empty for an exception that tells of something else.
func unanswered(t *thrown) string {
	switch t.simple() {
	case "TimeoutException", "SocketTimeoutException", "HttpConnectTimeoutException", "ConnectTimeoutException":
		return "it did not answer in time"
	case "UnknownHostException":
		return "its name is not resolved"
	case "ConnectException", "NoRouteToHostException", "AnnotatedConnectException":
		return "it does not take connections"
	case "SSLHandshakeException", "SSLException":
		return "its certificate is not trusted"
	}
	return ""
}
