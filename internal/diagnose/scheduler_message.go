package diagnose

import (
	"regexp"
	"strconv"
	"strings"
)

// obstacle is a class of reasons for which a node does not take a pod.
type obstacle int

const (
	obstacleOther obstacle = iota
	obstacleResource
	obstaclePods
	obstacleTaint
	obstacleAffinity
	obstacleCordoned
	obstacleNotReady
	obstacleNeighbours
	obstaclePorts
	obstacleVolume
)

// schedulerReason is one of the reasons that the scheduler gives, and of how many nodes it holds; 0 if of the pod itself.
type schedulerReason struct {
	nodes    int
	text     string
	kind     obstacle
	resource string
}

// schedulerVerdict is what the scheduler says of a pod that fits nowhere.
type schedulerVerdict struct {
	nodes   int
	reasons []schedulerReason
}

// The formats of FitError.Error in pkg/scheduler/framework/types.go of k8s.io/kubernetes.
var (
	nodesAvailable = regexp.MustCompile(`0/(\d+) nodes are available:? ?`)
	countedReason  = regexp.MustCompile(`^(\d+) (.+)$`)
	nextReason     = regexp.MustCompile(`, (\d+ )`)
)

// parseSchedulerMessage reads "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). …". What
// comes after the reasons is of preemption, and no reason.
func parseSchedulerMessage(message string) (schedulerVerdict, bool) {
	at := nodesAvailable.FindStringSubmatchIndex(message)
	if at == nil {
		return schedulerVerdict{}, strings.Contains(message, "no nodes available to schedule pods")
	}
	nodes, err := strconv.Atoi(message[at[2]:at[3]])
	if err != nil {
		return schedulerVerdict{}, false
	}
	reasons, _, _ := strings.Cut(message[at[1]:], ". ")
	reasons = strings.TrimSuffix(strings.TrimSpace(reasons), ".")
	verdict := schedulerVerdict{nodes: nodes}
	for text := range strings.SplitSeq(nextReason.ReplaceAllString(reasons, "\n$1"), "\n") {
		if text = strings.TrimSpace(text); text != "" {
			verdict.reasons = append(verdict.reasons, reasonIn(text))
		}
	}
	return verdict, true
}

func reasonIn(text string) schedulerReason {
	reason := schedulerReason{text: text}
	if match := countedReason.FindStringSubmatch(text); match != nil {
		if nodes, err := strconv.Atoi(match[1]); err == nil {
			reason.nodes, reason.text = nodes, match[2]
		}
	}
	reason.kind, reason.resource = obstacleIn(reason.text)
	return reason
}

// obstacleIn sorts the reasons of the scheduler's plugins (pkg/scheduler/framework/plugins), in the words of Kubernetes
// 1.28 to 1.37.
func obstacleIn(text string) (obstacle, string) {
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	if resource, ok := strings.CutPrefix(text, "Insufficient "); ok {
		return obstacleResource, resource
	}
	switch {
	case has("Too many pods"):
		return obstaclePods, ""
	case has("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
		return obstacleNotReady, ""
	case has("node.kubernetes.io/unschedulable", "node(s) were unschedulable"):
		return obstacleCordoned, ""
	// Volumes before affinity: their node affinity is not the pod's.
	case has("olumeClaim", "ersistentvolumeclaim", "ersistent volume", "PersistentVolume", "volume", "pvc(s)", "free storage", "no available disk"):
		return obstacleVolume, ""
	case has("untolerated taint", "didn't tolerate"):
		return obstacleTaint, ""
	case has("pod affinity", "anti-affinity", "topology spread"):
		return obstacleNeighbours, ""
	case has("node affinity", "node selector", "requested node name"):
		return obstacleAffinity, ""
	case has("free ports"):
		return obstaclePorts, ""
	}
	return obstacleOther, ""
}

// has reports whether the verdict holds a reason of one of kinds.
func (v schedulerVerdict) has(kinds ...obstacle) bool {
	for _, reason := range v.reasons {
		for _, kind := range kinds {
			if reason.kind == kind {
				return true
			}
		}
	}
	return false
}

// onlyVolumes reports whether nothing but volumes keeps the pod from a node.
func (v schedulerVerdict) onlyVolumes() bool {
	for _, reason := range v.reasons {
		if reason.kind != obstacleVolume {
			return false
		}
	}
	return len(v.reasons) > 0
}
