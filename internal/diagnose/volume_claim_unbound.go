package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// plugins/volumebinding/volume_binding.go of the scheduler.
	claimMissing = regexp.MustCompile(`persistentvolumeclaim "([a-z0-9.-]+)" not found`)
	claimEnding  = regexp.MustCompile(`persistentvolumeclaim "([a-z0-9.-]+)" is being deleted`)
	// The lister of findProvisionablePlugin in pkg/controller/volume/persistentvolume/pv_controller.go.
	storageClassMissing = regexp.MustCompile(`storageclass(?:es)?\.storage\.k8s\.io "([a-z0-9.-]+)" not found`)
	// What volumes have against nodes, in the words of Kubernetes 1.28 to 1.37.
	wrongZone = regexp.MustCompile(`volume node affinity conflict|didn't match PersistentVolume's node affinity|no available volume zone`)
	fullClass = regexp.MustCompile(`did not have enough free storage`)
)

// volumeClaimUnbound finds pods that no node takes because of a volume claim, and claims that get no volume.
func volumeClaimUnbound() rule {
	return rule{code: "volume-claim-unbound", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.unplaced(func(v schedulerVerdict) bool { return v.has(obstacleVolume) })
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		claim := c.claimOf(seen[0])
		told := c.toldOfClaim(claim)
		cause := append(seen, told...).cause(c.sure(seen), "")
		if len(told) > 0 {
			cause.Evidence = append([]v1alpha1.Proof{seen[0].proof}, told[:1].proofs()...)
		}
		cause.StorageClass = c.storageClass(claim)
		var fixes []v1alpha1.Fix
		cause.Why, fixes, cause.Transient = c.claimFault(seen, claim, told)
		cause.Fixes = byRisk(append(fixes, lookAt("See what is said of the claim.", strings.TrimSpace(c.kubectl("describe pvc %s", claim)))))
		cause.Waiting = !c.Ended
		return cause, true
	}}
}

// claimOf names the claim that keeps a pod: the one that the scheduler names, one that is pending, or the pod's only one.
func (c *Case) claimOf(one sighting) string {
	for _, format := range []*regexp.Regexp{claimMissing, claimEnding} {
		if match := format.FindStringSubmatch(one.text); match != nil {
			return match[1]
		}
	}
	if one.pod == nil {
		return ""
	}
	for _, claim := range c.Cluster.Claims {
		if claim.Status.Phase != corev1.ClaimBound && slices.Contains(one.pod.Claims, claim.Name) {
			return claim.Name
		}
	}
	for _, e := range c.events("ProvisioningFailed", "FailedBinding") {
		if name, ok := strings.CutPrefix(e.Object, "PersistentVolumeClaim/"); ok && slices.Contains(one.pod.Claims, name) {
			return name
		}
	}
	if len(one.pod.Claims) > 0 {
		return one.pod.Claims[0]
	}
	return ""
}

// toldOfClaim is what provisioners say of a claim. That it waits for its first consumer is nothing.
func (c *Case) toldOfClaim(claim string) sightings {
	return c.told(func(e *v1alpha1.Event) bool { return claim != "" && e.Object == "PersistentVolumeClaim/"+claim },
		"ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "Provisioning")
}

// storageClass is that of a claim, by the claim itself or by what was said of it.
func (c *Case) storageClass(claim string) string {
	for _, one := range c.Cluster.Claims {
		if one.Name == claim && one.Spec.StorageClassName != nil {
			return *one.Spec.StorageClassName
		}
	}
	for _, one := range c.toldOfClaim(claim) {
		if match := storageClassMissing.FindStringSubmatch(one.text); match != nil {
			return match[1]
		}
	}
	return ""
}

func (c *Case) claimFault(seen sightings, claim string, told sightings) (string, []v1alpha1.Fix, bool) {
	who, text := seen.who(), seen[0].text
	class, ofClass := c.storageClass(claim), ""
	if class != "" {
		ofClass = fmt.Sprintf(" of the storage class %s", class)
	}
	name := "a volume claim"
	if claim != "" {
		name = "the volume claim " + claim
	}
	var said string
	if len(told) > 0 {
		said = told[0].text
	}
	switch {
	case claimMissing.MatchString(text):
		return sentence("%s cannot be placed: %s does not exist.", who, name),
			[]v1alpha1.Fix{edit("Name a claim that exists, or make it.", "spec:\n  volumes:\n  - name: VOLUME\n    persistentVolumeClaim: {claimName: CLAIM}\n")}, false
	case claimEnding.MatchString(text):
		return sentence("%s cannot be placed: %s is being deleted.", who, name), nil, true // a claim of the same name may follow
	case storageClassMissing.MatchString(said):
		return sentence("%s cannot be placed: %s asks for the storage class %s, which does not exist.", who, name, class), c.otherClass(), false
	case strings.Contains(said, "no storage class is set"):
		return sentence("%s cannot be placed: %s names no storage class, there is no default one, and no volume fits.", who, name), c.otherClass(), false
	case wrongZone.MatchString(text):
		return sentence("%s cannot be placed: the volume of %s%s is in a zone, or on a node, that cannot take the pod.", who, name, ofClass),
			[]v1alpha1.Fix{lookAt("Compare the volume's node affinity with the nodes that have room.", "kubectl get pv -o yaml"), waitForConsumer()}, false
	case fullClass.MatchString(text):
		return sentence("%s cannot be placed: the storage%s has no room for %s.", who, ofClass, name), nil, true
	case said != "":
		return sentence("%s cannot be placed: %s%s gets no volume: %s", who, name, ofClass, firstSentence(said)), c.otherClass(), true
	}
	return sentence("%s cannot be placed: %s%s is not bound to a volume.", who, name, ofClass), c.otherClass(), true
}

func (c *Case) otherClass() []v1alpha1.Fix {
	return []v1alpha1.Fix{
		lookAt("See which storage classes there are.", "kubectl get storageclasses"),
		edit("Name one of them; for claims that Spark makes itself:",
			"spec:\n  sparkConf:\n    spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-1.options.storageClass: CLASS\n"),
	}
}

func waitForConsumer() v1alpha1.Fix {
	return v1alpha1.Fix{
		Risk: v1alpha1.RiskChanges,
		Say:  "Use a storage class with volumeBindingMode: WaitForFirstConsumer, which makes volumes where the pod is placed.",
	}
}
