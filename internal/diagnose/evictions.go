package diagnose

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// What kubelet says of an eviction: the formats in pkg/kubelet/eviction/helpers.go of k8s.io/kubernetes.
var (
	lowOnResource  = regexp.MustCompile(`The node was low on resource: (\S+?)\. `)
	nodeCondition  = regexp.MustCompile(`The node had condition: \[([A-Za-z ]+)\]`)
	consumption    = regexp.MustCompile(`(?:Container|Pod) (\S+) was using (\S+), request is (\S+), has larger consumption of (\S+?)\. `)
	overOwnLimit   = regexp.MustCompile(`Container (\S+) exceeded its local ephemeral storage limit "([^"]+)"`)
	overPodLimit   = regexp.MustCompile(`Pod ephemeral local storage usage exceeds the total limit of containers ([^.\s]+)`)
	overVolumeSize = regexp.MustCompile(`Usage of EmptyDir volume "([^"]+)" exceeds the limit "([^"]+)"`)
)

// eviction is a pod's end by the hand of kubelet.
type eviction struct {
	sighting
	message string
}

// evictions are the pods that kubelet has evicted.
func (c *Case) evictions() []eviction {
	var all []eviction
	known := make(map[string]bool)
	for i := range c.Evidence.Pods {
		pod := &c.Evidence.Pods[i]
		if pod.Reason != "Evicted" {
			continue
		}
		known["Pod/"+pod.Name] = true
		one := sighting{pod: pod, text: pod.Message, at: endOf(pod), proof: v1alpha1.Proof{
			Object: "Pod/" + pod.Name, Field: "status.message", Text: brief(joined(pod.Reason, pod.Message)),
		}}
		all = append(all, eviction{one, pod.Message + " "})
	}
	for _, one := range c.told(func(e *v1alpha1.Event) bool {
		return strings.HasPrefix(e.Object, "Pod/") && !known[e.Object] && isKubelets(e.Message)
	}, "Evicted") {
		all = append(all, eviction{one, one.text + " "})
	}
	return all
}

// isKubelets tells kubelet's evictions from those that others call so.
func isKubelets(message string) bool {
	message += " "
	return lowOnResource.MatchString(message) || nodeCondition.MatchString(message) || ofOwnStorage(message)
}

// ofOwnStorage reports whether a limit that the pod itself has was exceeded.
func ofOwnStorage(message string) bool {
	return overOwnLimit.MatchString(message) || overPodLimit.MatchString(message) || overVolumeSize.MatchString(message)
}

// low is what the node was low on; "" if that is not why.
func (e eviction) low() string {
	if match := lowOnResource.FindStringSubmatch(e.message); match != nil {
		return match[1]
	}
	return ""
}

// overuse is what a container or pod used more of than it had requested, if it had requested anything.
func (e eviction) overuse() (container, using, request string, ok bool) {
	for _, match := range consumption.FindAllStringSubmatch(e.message, -1) {
		if request, err := resource.ParseQuantity(match[3]); err == nil && !request.IsZero() {
			return match[1], match[2], match[3], true
		}
	}
	return "", "", "", false
}

// muchStorage is how much a container had written to a node that was low on storage, if that is much. Spark requests no
// ephemeral storage, so kubelet names every container that has written anything.
func (e eviction) muchStorage() (container, using string, ok bool) {
	much := resource.MustParse("1Gi")
	for _, match := range consumption.FindAllStringSubmatch(e.message, -1) {
		if used, err := resource.ParseQuantity(match[2]); err == nil && match[4] == "ephemeral-storage" && used.Cmp(much) >= 0 {
			return match[1], match[2], true
		}
	}
	return "", "", false
}

// evictionKind is for whose sake a pod was evicted.
type evictionKind int

const (
	evictedForNode evictionKind = iota
	evictedForStorage
	evictedForOveruse
)

func (e eviction) kind() evictionKind {
	if ofOwnStorage(e.message) {
		return evictedForStorage
	}
	if _, _, ok := e.muchStorage(); ok && e.low() == "ephemeral-storage" {
		return evictedForStorage
	}
	if _, _, _, ok := e.overuse(); ok {
		return evictedForOveruse
	}
	return evictedForNode
}

// evictedFor are the evictions of a kind.
func (c *Case) evictedFor(kind evictionKind) ([]eviction, sightings) {
	var all []eviction
	var seen sightings
	for _, one := range c.evictions() {
		if one.kind() == kind {
			all, seen = append(all, one), append(seen, one.sighting)
		}
	}
	return all, seen.sorted()
}

// surely is medium where only executors are concerned: a run can do without some of them.
func surely(seen sightings) v1alpha1.Confidence {
	if seen.section() == "driver" {
		return v1alpha1.ConfidenceHigh
	}
	return v1alpha1.ConfidenceMedium
}

// survived reports whether a run goes on in spite of what befell pods: they are executors, which Spark replaces, and the
// driver does not lack them.
func (c *Case) survived(seen sightings) bool {
	if c.Ended || seen.section() == "driver" {
		return false
	}
	lines := c.lines(noResources)
	if len(lines) > 0 && !c.isStale(lines[len(lines)-1]) {
		return false
	}
	count := c.Evidence.Executors
	return count.Failed == 0 || count.Failed < count.Seen
}
