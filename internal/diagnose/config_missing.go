package diagnose

import (
	"fmt"
	"regexp"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

var (
	// The API server's "not found" as kubelet passes it on: makeEnvironmentVariables in kubelet/kubelet_pods.go,
	// volume/configmap, volume/secret, volume/projected.
	objectMissing = regexp.MustCompile(`(configmap|secret) "([a-z0-9.-]+)" not found`)
	// The client's own cache says it so.
	objectUnregistered = regexp.MustCompile(`object "[a-z0-9.-]+"/"([a-z0-9.-]+)" not registered`)
	keyMissing         = regexp.MustCompile(`couldn't find key (\S+) in (ConfigMap|Secret) [a-z0-9.-]+/([a-z0-9.-]+)`)
	keyOfMountMissing  = regexp.MustCompile(`references non-existent (config|secret) key: (\S+)`)
	mountedVolume      = regexp.MustCompile(`for volume "([^"]+)"`)
)

// configMissing finds pods that cannot start because a ConfigMap or Secret, or a key in one, is not there.
func configMissing() rule {
	return rule{code: "config-missing", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.missingConfig()
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		kind, name, key := missingObject(seen[0].text)
		what := kind
		if name != "" {
			what += " " + name
		}
		why := sentence("%s cannot start: the %s does not exist in the namespace %s.", seen.who(), what, c.Namespace)
		if key != "" {
			why = sentence("%s cannot start: the %s has no key %s.", seen.who(), what, key)
		}
		cause := seen.cause(v1alpha1.ConfidenceHigh, why, configFixes(c, kind, name, key)...)
		cause.Waiting = !c.Ended
		return cause, true
	}}
}

// missingConfig are containers that cannot be made, and volumes that cannot be mounted, for want of a ConfigMap or Secret.
// A mount that fails once is nothing: Spark and Brazier make ConfigMaps beside the pod.
func (c *Case) missingConfig() sightings {
	var all sightings
	for _, one := range c.waiting("CreateContainerConfigError") {
		if namesConfig(one.text) {
			all = append(all, one)
		}
	}
	return append(all, c.told(func(e *v1alpha1.Event) bool { return namesConfig(e.Message) && c.lasting(e) }, "FailedMount")...).sorted()
}

func namesConfig(text string) bool {
	return objectMissing.MatchString(text) || keyMissing.MatchString(text) || keyOfMountMissing.MatchString(text) ||
		objectUnregistered.MatchString(text)
}

// missingObject tells what is missing: its kind, its name where it is told, and the key if only that is missing.
func missingObject(text string) (kind, name, key string) {
	kinds := map[string]string{"configmap": "ConfigMap", "secret": "Secret", "config": "ConfigMap"}
	if match := keyMissing.FindStringSubmatch(text); match != nil {
		return match[2], match[3], match[1]
	}
	if match := objectMissing.FindStringSubmatch(text); match != nil {
		return kinds[match[1]], match[2], ""
	}
	if match := keyOfMountMissing.FindStringSubmatch(text); match != nil {
		kind = kinds[match[1]]
		if volume := mountedVolume.FindStringSubmatch(text); volume != nil {
			kind += " of the volume " + volume[1]
		}
		return kind, "", match[2]
	}
	if match := objectUnregistered.FindStringSubmatch(text); match != nil {
		return "ConfigMap or Secret", match[1], ""
	}
	return "ConfigMap or Secret", "", ""
}

func configFixes(c *Case, kind, name, key string) []v1alpha1.Fix {
	resource := strings.ToLower(kind)
	if resource != "configmap" && resource != "secret" {
		resource, name = "configmaps,secrets", ""
	}
	fixes := []v1alpha1.Fix{c.editByHand(
		"Or name one that exists where the manifest names it: volumes, env, envFrom, configMaps, secrets, sparkConfigMap, hadoopConfigMap.")}
	switch {
	case name == "":
		fixes = append(fixes, lookAt("See which there are.", c.kubectl("get %s", resource)))
	case key != "":
		fixes = append(fixes, lookAt("See which keys it has.", c.kubectl("describe %s %s", resource, name)))
	default:
		fixes = append(fixes, lookAt("See which there are.", c.kubectl("get %ss", resource)))
		create := fmt.Sprintf("create configmap %s --from-file=FILE", name)
		if resource == "secret" {
			create = fmt.Sprintf("create secret generic %s --from-literal=KEY=VALUE", name)
		}
		fixes = append(fixes, v1alpha1.Fix{
			Risk: v1alpha1.RiskLow, Say: "Make it: a pod that waits for it starts by itself.", Command: c.kubectl("%s", create),
		})
	}
	return fixes
}
