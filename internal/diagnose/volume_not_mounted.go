package diagnose

import (
	"regexp"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// pkg/controller/volume/attachdetach/reconciler of k8s.io/kubernetes.
	multiAttach    = regexp.MustCompile(`Multi-Attach error for volume "([^"]+)"`)
	attachLimit    = regexp.MustCompile(`(?i)volume attachment limit|max(?:imum)? (?:number of )?volumes?`)
	mountTimedOut  = regexp.MustCompile(`timed out waiting|deadline exceeded|unmounted volumes=`)
	driverUnknown  = regexp.MustCompile(`driver name (\S+) not found in the list of registered CSI drivers`)
	hostPathAbsent = regexp.MustCompile(`hostPath type check failed: (\S+)`)
)

// volumeNotMounted finds pods that wait on their node for a volume: to be attached, or to be mounted.
func volumeNotMounted() rule {
	return rule{code: "volume-not-mounted", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.told(func(e *v1alpha1.Event) bool { return !namesConfig(e.Message) && c.lasting(e) },
			"FailedAttachVolume", "FailedMount", "FailedMapVolume")
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		first := seen[0]
		for _, one := range seen { // "timed out" says less than what timed out
			if mountTimedOut.MatchString(first.text) && !mountTimedOut.MatchString(one.text) && one.pod == first.pod {
				first = one
			}
		}
		object := strings.TrimPrefix(first.proof.Object, "Pod/")
		why, fix := c.mountFault(seen, first)
		cause := seen.cause(v1alpha1.ConfidenceHigh, why, lookAt("See what is said of the volume.", c.kubectl("describe pod %s", object)), fix)
		cause.Waiting = !c.Ended
		cause.Transient = !driverUnknown.MatchString(first.text) && !hostPathAbsent.MatchString(first.text)
		if first.pod != nil {
			cause.Node = first.pod.Node
			cause.StorageClass = c.storageClass(c.claimOf(first))
		}
		return cause, true
	}}
}

func (c *Case) mountFault(seen sightings, first sighting) (string, v1alpha1.Fix) {
	who := seen.who()
	volume := "a volume"
	if match := mountedVolume.FindStringSubmatch(first.text); match != nil {
		volume = "the volume " + match[1]
	}
	look := lookAt("See whether the storage driver runs on the node.", "kubectl get csinodes,volumeattachments")
	switch {
	case multiAttach.MatchString(first.text):
		return sentence("%s waits for %s, which is attached to another node, where another pod uses it or did.", who, volume),
			c.editByHand("Give each pod a claim of its own (claimName: OnDemand), or use one with the access mode ReadWriteMany.")
	case attachLimit.MatchString(first.text):
		return sentence("%s waits for %s: its node has as many volumes as it can.", who, volume), look
	case driverUnknown.MatchString(first.text):
		return sentence("%s waits for %s: the storage driver %s does not run on its node.", who, volume, driverUnknown.FindStringSubmatch(first.text)[1]), look
	case hostPathAbsent.MatchString(first.text):
		return sentence("%s waits for %s: its node has no %s as the volume wants it.", who, volume, hostPathAbsent.FindStringSubmatch(first.text)[1]),
			edit("Have the path made, or use another kind of volume.", "spec:\n  volumes:\n  - name: VOLUME\n    hostPath: {path: PATH, type: DirectoryOrCreate}\n")
	}
	return sentence("%s waits for %s, which cannot be attached or mounted.", who, volume), look
}
