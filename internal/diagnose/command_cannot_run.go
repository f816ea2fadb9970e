package diagnose

import (
	"regexp"

	"brazier.sh/brazier/api/brazier/v1alpha1"
)

const (
	// POSIX shells end with these where a command is no program, or not there.
	codeNotExecutable, codeNotFound = 126, 127
)

var (
	// runc's and crun's words for a command that cannot be run.
	notExecutable = regexp.MustCompile(`exec format error|executable file not found|exec: "?[^":]+"?: (?:no such file or directory|permission denied|stat )|stat \S+: no such file or directory: unknown`)
	// The kernel does not know what to do with a program for another processor.
	wrongFormat    = regexp.MustCompile(`(?i)exec format error`)
	missingCommand = regexp.MustCompile(`exec: "([^"]+)"|stat (\S+): no such file|(\S+): (?:command )?not found`)
)

// commandCannotRun finds containers whose command is not there, may not be run, or is for another processor.
func commandCannotRun() rule {
	return rule{code: "command-cannot-run", find: func(c *Case) (v1alpha1.Cause, bool) {
		seen := c.unrunnable()
		if len(seen) == 0 {
			return v1alpha1.Cause{}, false
		}
		first := seen[0]
		confidence := v1alpha1.ConfidenceHigh
		if end := first.container.Terminated; end != nil && !notExecutable.MatchString(first.text) && first.text == "" {
			confidence = v1alpha1.ConfidenceMedium
		}
		why, fix := commandFault(c, seen)
		cause := seen.cause(confidence, why,
			lookAt("See the container's command and how it ended.", c.kubectl("get pod %s -o yaml", first.pod.Name)), fix)
		cause.Waiting = !c.Ended
		if wrongFormat.MatchString(first.text) {
			cause.Node = first.pod.Node
		}
		return cause, true
	}}
}

// unrunnable are containers that could not be started, and those that ended at once because what they were to start could
// not be. "StartError" is containerd's word, "ContainerCannotRun" Docker's.
func (c *Case) unrunnable() sightings {
	var all sightings
	for _, one := range c.waiting("RunContainerError", "CreateContainerError", "CrashLoopBackOff") {
		if notExecutable.MatchString(one.text) {
			all = append(all, one)
		}
	}
	all = append(all, c.ended(func(_ *v1alpha1.Container, end *v1alpha1.ContainerEnd) bool {
		switch {
		case end.Reason == "StartError", end.Reason == "ContainerCannotRun":
			return true
		case end.ExitCode == codeNotExecutable, end.ExitCode == codeNotFound:
			return true
		}
		return end.ExitCode != 0 && wrongFormat.MatchString(end.Message)
	})...)
	return all.sorted()
}

func commandFault(c *Case, seen sightings) (string, v1alpha1.Fix) {
	first := seen[0]
	who, image := seen.who(), first.container.Image
	if wrongFormat.MatchString(first.text) || wrongFormat.MatchString(c.logOf(first)) {
		node := "its node"
		if first.pod.Node != "" {
			node = "the node " + first.pod.Node
		}
		if arch := c.architecture(first.pod.Node); arch != "" {
			node += " (" + arch + ")"
		}
		return sentence("%s cannot run: the image %s is for processors of another kind than those of %s.", who, image, node),
			edit("Use an image for several architectures, or the nodes that it was built for.", "spec:\n  nodeSelector: {kubernetes.io/arch: amd64}\n")
	}
	command := "its command"
	if match := missingCommand.FindStringSubmatch(first.text); match != nil {
		command = match[1] + match[2] + match[3]
	}
	fix := edit("Use an image with Spark's entrypoint in it, and name commands that it has.", "spec:\n  image: REGISTRY/REPOSITORY:TAG # instead of "+image+"\n")
	if end := first.container.Terminated; end != nil && end.ExitCode == codeNotExecutable || regexp.MustCompile(`permission denied`).MatchString(first.text) {
		return sentence("%s cannot run: %s in the image %s may not be executed.", who, command, image), fix
	}
	if command == "its command" {
		return sentence("%s cannot run: a command that the container %s starts is not in the image %s, or not on its PATH.", who, first.container.Name, image), fix
	}
	return sentence("%s cannot run: %s is not in the image %s.", who, command, image), fix
}

// logOf is what was kept of a container's log, where it could be of use.
func (c *Case) logOf(one sighting) string {
	for _, f := range c.lines("exec format error", "Exec format error") {
		if f.log.Pod == one.pod.Name {
			return f.line.Text
		}
	}
	return ""
}

// architecture is that of a node; "" if it may not be read.
func (c *Case) architecture(node string) string {
	for i := range c.Cluster.Nodes {
		if c.Cluster.Nodes[i].Name == node {
			return c.Cluster.Nodes[i].Status.NodeInfo.Architecture
		}
	}
	return ""
}
