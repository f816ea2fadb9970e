package diagnose

import (
	"fmt"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// TaskSetManager's ExecutorLostFailure.
	heartbeatTimeout = lazily(`[Ee]xecutor (\d+)?.*[Ee]xecutor heartbeat timed out after (\d+) ms`)
	// HeartbeatReceiver.expireDeadHosts: on Kubernetes the executor is replaced first, so that nothing tells of its loss.
	noHeartbeats = lazily(`Removing executor (\d+) with no recent heartbeats: (\d+) ms exceeds timeout`)
	// CoarseGrainedSchedulerBackend.DriverEndpoint.onDisconnected.
	disassociated = lazily(`(?:Lost executor |\(executor )(\d+).*Remote RPC client disassociated`)
)

// executorSilent finds executors that the driver no longer heard of.
func executorSilent() rule {
	follows := append(endedPods(), "executor-out-of-memory", "executor-heap-out-of-memory", "native-crash")
	return rule{code: "executor-silent", follows: follows, find: func(c *Case) (v1alpha1.Cause, bool) {
		cause, ok := c.silence()
		if !ok {
			return cause, false
		}
		cause.Transient = true
		cause.Fixes = []v1alpha1.Fix{
			c.driverLog(),
			inspect("See how the nodes are.", "kubectl get nodes"),
			change("If executors were busy collecting garbage, give them more memory or smaller tasks; if the network is slow, wait longer.",
				"spec:\n  sparkConf:\n    spark.network.timeout: 300s\n    spark.executor.heartbeatInterval: 20s\n"),
		}
		for _, event := range c.events("NodeNotReady") {
			cause.Evidence = append(cause.Evidence, v1alpha1.Proof{Object: event.Object, Field: "event " + event.Reason, Text: shortened(event.Message)})
			cause.Confidence = v1alpha1.ConfidenceHigh
			break
		}
		if !c.lossMatters() {
			cause.Confidence = v1alpha1.ConfidenceLow
		}
		return cause, true
	}}
}

func (c *Case) silence() (v1alpha1.Cause, bool) {
	for _, e := range c.ends(v1alpha1.RoleExecutor) {
		if e.code == exitHeartbeat || e.code == exitReregistration {
			return v1alpha1.Cause{
				Why:        fmt.Sprintf("%s gave up because %s (exit code %d).", capital(e.name), exitMeaning(e.code), e.code),
				Confidence: v1alpha1.ConfidenceHigh, At: e.at, Node: e.node, Evidence: []v1alpha1.Proof{e.proof},
			}, true
		}
	}
	lines := c.saidBy(v1alpha1.RoleDriver)
	for _, pattern := range []*pattern{heartbeatTimeout, noHeartbeats} {
		if f, match, ok := firstMatch(lines, pattern); ok {
			return told(f, fmt.Sprintf("The driver had not heard of %s for %s ms and gave it up.", executorName(match[1]), match[2])), true
		}
	}
	if f, match, ok := firstMatch(lines, disassociated); ok {
		cause := told(f, fmt.Sprintf("The connection between the driver and %s broke off.", executorName(match[1])))
		// The pod's own end says more than that its connection did.
		cause.Confidence = v1alpha1.ConfidenceMedium
		return cause, true
	}
	return v1alpha1.Cause{}, false
}

func capital(text string) string { return string(text[0]-'a'+'A') + text[1:] }
