// Package packages finds the system's programs that the node needs, and installs those that are missing with the
// system's own package manager.
package packages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Programs are the system's programs that the cluster is told of.
type Programs struct {
	// Containerd is the path of containerd, Major its major version, Version all of it.
	Containerd string
	Major      int
	Version    string
	// CNIBin is the folder of the CNI plugins.
	CNIBin string
}

// requirement is a program that one of these paths, or $PATH, has to have.
type requirement struct {
	program string
	// beside are folders where it is apart from $PATH.
	beside []string
	// pkg is Debian's package with it.
	pkg string
}

// cniFolders are where distributions put the CNI plugins: Debian, others, Fedora.
var cniFolders = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// requirements: kube-proxy and the node's rules need nft, the portmap plugin iptables, the kubelet mount.
var requirements = []requirement{
	{program: "containerd", pkg: "containerd"},
	{program: "runc", pkg: "runc"},
	{program: "bridge", beside: cniFolders, pkg: "containernetworking-plugins"},
	{program: "nft", pkg: "nftables"},
	{program: "iptables", pkg: "iptables"},
	{program: "mount", pkg: "mount"},
}

// Missing returns the packages to install.
func Missing() []string {
	var missing []string
	for _, r := range requirements {
		if r.find() == "" {
			missing = append(missing, r.pkg)
		}
	}
	slices.Sort(missing)
	return missing
}

func (r requirement) find() string {
	if len(r.beside) == 0 {
		path, err := exec.LookPath(r.program)
		if err != nil {
			return ""
		}
		return path
	}
	for _, dir := range r.beside {
		path := filepath.Join(dir, r.program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// Install installs packages with apt-get.
func Install(ctx context.Context, names []string) error {
	apt, err := exec.LookPath("apt-get")
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("the node needs what Debian calls %s, and there is no apt-get here; install them with this system's package manager",
			strings.Join(names, ", "))
	}
	if err != nil {
		return fmt.Errorf("find apt-get: %w", err)
	}
	for _, args := range [][]string{
		{"update", "--quiet"},
		append([]string{"install", "--yes", "--quiet", "--no-install-recommends"}, names...),
	} {
		command := exec.CommandContext(ctx, apt, args...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// Locate returns where the programs are, once none is missing.
func Locate(ctx context.Context) (Programs, error) {
	if missing := Missing(); len(missing) > 0 {
		return Programs{}, fmt.Errorf("missing programs of the packages %s", strings.Join(missing, ", "))
	}
	programs := Programs{Containerd: requirements[0].find(), CNIBin: filepath.Dir(requirements[2].find())}
	out, err := exec.CommandContext(ctx, programs.Containerd, "--version").Output()
	if err != nil {
		return programs, fmt.Errorf("ask containerd for its version: %w", err)
	}
	programs.Version, programs.Major, err = parseVersion(string(out))
	return programs, err
}

// parseVersion reads "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u1", or, of version 2,
// "containerd github.com/containerd/containerd/v2 v2.1.4 …".
func parseVersion(out string) (version string, major int, err error) {
	fields := strings.Fields(out)
	if len(fields) < 3 {
		return "", 0, fmt.Errorf("containerd --version: %q has no version", strings.TrimSpace(out))
	}
	version = strings.TrimPrefix(fields[2], "v")
	number, rest, _ := strings.Cut(version, ".")
	major, err = strconv.Atoi(number)
	if err != nil {
		return "", 0, fmt.Errorf("containerd --version: %q is not a version", fields[2])
	}
	minor, _, _ := strings.Cut(rest, ".")
	if number, err := strconv.Atoi(minor); major == 1 && (err != nil || number < 6) {
		return "", 0, fmt.Errorf("containerd %s is too old for this Kubernetes; 1.6 is the oldest that works", version)
	}
	return version, major, nil
}
