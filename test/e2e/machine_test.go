//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// machine is a picture of all that a cluster could leave on the machine, apart from its home.
func machine(t *testing.T) map[string][]string {
	t.Helper()
	counters := regexp.MustCompile(`\[\d+:\d+\]|packets \d+ bytes \d+`)
	run := func(name string, args ...string) []string {
		out := must(t, exec.CommandContext(t.Context(), name, args...))
		var lines []string
		for line := range strings.Lines(counters.ReplaceAllString(out, "")) {
			// iptables-save says when it ran.
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	return map[string][]string{
		"processes":          processes(t),
		"mounts":             mounts(t),
		"network interfaces": run("ip", "-brief", "link"),
		"routes":             run("ip", "route"),
		"nftables":           run("nft", "list", "ruleset"),
		"iptables":           run("iptables-save"),
		"network namespaces": glob(t, "/run/netns/*"),
		"control groups":     append(glob(t, "/sys/fs/cgroup/brazier*"), glob(t, "/sys/fs/cgroup/*/brazier*")...),
		"files": slices.Concat(glob(t, "/run/brazier*"), glob(t, "/run/containerd/*"), glob(t, "/var/log/containers/*"),
			glob(t, "/var/lib/cni/*/*")),
		"forwarding": run("cat", "/proc/sys/net/ipv4/ip_forward"),
	}
}

// processes are those of programs that clusters are made of. A zombie has no command line: nobody has asked for its exit
// code, and that is its parent's affair.
func processes(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, path := range glob(t, "/proc/[0-9]*/cmdline") {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // ended meanwhile
		}
		argv := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
		switch filepath.Base(argv[0]) {
		case "brazier", "brazier-cluster", "containerd", "containerd-shim-runc-v2", "runc", "pause", "brazier-pause", "probe":
			found = append(found, strings.Join(argv, " "))
		}
	}
	slices.Sort(found)
	return found
}

func mounts(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	slices.Sort(lines)
	return lines
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
