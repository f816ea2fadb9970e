package diagnose

import (
	"fmt"
	"regexp"
	"strings"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

// imageFault is a reason for which an image cannot be had.
type imageFault struct {
	words *regexp.Regexp
	// why completes "The image X of the driver cannot be pulled: ".
	why       string
	transient bool
	fix       func(c *Case, seen sightings) v1alpha1.Fix
}

// imagePull finds containers whose image cannot be had. The reasons are those of kubelet/images/types.go and of the CRI
// (k8s.io/cri-api/pkg/errors).
func imagePull() rule {
	return rule{code: "image-pull", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.waiting("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
			"RegistryUnavailable", "SignatureValidationFailed")
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		first := seen[0]
		// Until 1.29 kubelet told of the back-off alone; why it backs off is in an event.
		text := first.container.Waiting.Reason + " " + first.text
		pulls := c.told(func(e *v1alpha1.Event) bool {
			return e.Object == "Pod/"+first.pod.Name && strings.HasPrefix(e.Message, "Failed to pull image")
		}, "Failed")
		if len(pulls) > 0 {
			text += " " + pulls[0].text
			seen = append(seen[:1:1], append(pulls, seen[1:]...)...)
		}
		image := first.container.Image
		fault := imageFaultOf(strings.ReplaceAll(text, image, ""))
		cause := seen.cause(v1alpha1.ConfidenceHigh,
			fmt.Sprintf("The image %s of %s cannot be pulled: %s.", image, seen[:1].who(), fault.why),
			lookAt("See what the node says of the pull.", c.kubectl("describe pod %s", first.pod.Name)),
			fault.fix(c, seen))
		cause.Transient, cause.Waiting, cause.Node = fault.transient, !c.Ended, first.pod.Node
		return cause, true
	}}
}

// imageFaultOf tells by the words of kubelet, container runtime and registry why a pull fails. The first that fits wins:
// registries say "not found" and "denied" of much.
func imageFaultOf(text string) imageFault {
	for _, fault := range imageFaults() {
		if fault.words.MatchString(text) {
			return fault
		}
	}
	return imageFault{why: "the node does not say why", transient: true, fix: rightImage}
}

func imageFaults() []imageFault {
	return []imageFault{
		{regexp.MustCompile(`ErrImageNeverPull`), "it is not on the node, and its pull policy is Never", false, pullPolicy},
		{regexp.MustCompile(`InvalidImageName|(?i:invalid reference format)`), "that is not a valid name of an image", false, rightImage},
		{regexp.MustCompile(`SignatureValidationFailed|(?i:signature validation failed)`), "its signature was not accepted by the node", false, rightImage},
		{regexp.MustCompile(`(?i)429 Too Many|toomanyrequests|rate limit`), "the registry limits how often images are pulled", true, pullSecret},
		{regexp.MustCompile(`(?i)x509:|tls:|server gave HTTP response to HTTPS client`), "the node does not trust the registry's certificate, or the registry speaks no TLS", false, trustRegistry},
		{regexp.MustCompile(`(?i)no match for platform|no matching manifest`), "it was not built for the processors of the node", false, otherPlatform},
		{regexp.MustCompile(`(?i)no space left on device`), "the node's disk is full", true, reachRegistry},
		{
			regexp.MustCompile(`RegistryUnavailable|(?i:no such host|connection refused|i/o timeout|connection reset|deadline exceeded|network is unreachable|no route to host|\b50[0234] [A-Z]|unexpected EOF|server misbehaving)`),
			"the registry cannot be reached from the node", true, reachRegistry,
		},
		{
			regexp.MustCompile(`(?i)repository does not exist or may require`),
			"the registry has no such repository, or wants credentials for it", false, pullSecret,
		},
		{
			regexp.MustCompile(`(?i)unauthorized|401|403|denied|authorization failed|no basic auth credentials|insufficient_scope`),
			"the registry wants credentials that the pod does not have", false, pullSecret,
		},
		{regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|NotFound`), "the registry does not have it", false, rightImage},
	}
}

func rightImage(_ *Case, seen sightings) v1alpha1.Fix {
	return edit("Name an image that exists, tag included.", "spec:\n  image: REGISTRY/REPOSITORY:TAG # instead of "+seen[0].container.Image+"\n")
}

func pullPolicy(*Case, sightings) v1alpha1.Fix {
	return edit("Let the node pull the image.", "spec:\n  imagePullPolicy: IfNotPresent\n")
}

func pullSecret(c *Case, _ sightings) v1alpha1.Fix {
	fix := edit("Make a Secret with the registry's credentials and name it.", "spec:\n  imagePullSecrets: [registry]\n")
	fix.Command = c.kubectl("create secret docker-registry registry --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD")
	return fix
}

func trustRegistry(_ *Case, seen sightings) v1alpha1.Fix {
	return lookAt("Give the container runtime of the nodes the certificate authority of the registry "+registryOf(seen[0].container.Image)+".",
		"kubectl get nodes -o wide")
}

func reachRegistry(_ *Case, seen sightings) v1alpha1.Fix {
	return lookAt("See whether the node is well and can reach the registry "+registryOf(seen[0].container.Image)+".", "kubectl get nodes -o wide")
}

func otherPlatform(*Case, sightings) v1alpha1.Fix {
	return edit("Use an image for several architectures, or the nodes that it was built for.",
		"spec:\n  nodeSelector: {kubernetes.io/arch: amd64}\n")
}

// registryOf is the host of an image's name; names without one are Docker Hub's.
func registryOf(image string) string {
	host, _, found := strings.Cut(image, "/")
	if found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return host
	}
	return "docker.io"
}
