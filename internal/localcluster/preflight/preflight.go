// Package preflight looks at the machine before the embedded cluster is started on it, and says what is in the way, with
// the way out. The checks are pure: they judge a Machine, which Probe has looked at.
package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Machine is what the checks know of a machine.
type Machine struct {
	OS  string
	UID int
	// Controllers are the control group controllers that are available, CgroupV2 whether they are v2's.
	Controllers []string
	CgroupV2    bool
	// Overlay is whether the kernel has overlayfs.
	Overlay bool
	// Home is the cluster's folder, Free the bytes that are free there.
	Home string
	Free uint64
	// Sockets are what listens, Links the network interfaces, Routes where packets go.
	Sockets []Socket
	Links   []Link
	Routes  []Route
	// OtherHome is the home of another Brazier cluster that runs here, if one does.
	OtherHome string
	// Processes are those of other clusters that may be here.
	Processes []Process
	// Resolvers are the machine's own DNS servers.
	Resolvers []string
}

// Socket is something that listens.
type Socket struct {
	// Address is IP:port; a wildcard address is 0.0.0.0 or ::.
	Network string
	Address string
	Process Process
}

// Process is a running program.
type Process struct {
	PID  int
	Argv []string
	// Ours is whether it belongs to the cluster of the same home.
	Ours bool
}

// Link is a network interface.
type Link struct {
	Name string
	Type string
	// Addresses are IP/bits.
	Addresses []string
}

// Route is an entry of the machine's routing table.
type Route struct {
	Destination string
	Link        string
}

// Need is what the cluster wants of the machine.
type Need struct {
	// Addresses are IP:port that it will listen on.
	Addresses []string
	// Networks are the CIDRs that it uses.
	Networks []string
	// Bridge is its network interface and BridgeAddress that one's IP/bits.
	Bridge, BridgeAddress string
	// FreeBytes is the least free space in its home.
	FreeBytes uint64
}

// check returns what is in the way, or nil.
type check func(Machine, Need) error

// checks are made in this order; all of them, so that the user can clear everything away at once.
var checks = []check{root, controllers, overlay, space, ports, bridge, routes, otherClusters}

// Check returns everything about the machine that is in the way.
func Check(m Machine, need Need) error {
	if m.OS != "linux" {
		return fmt.Errorf("this is %s, and containers need Linux; run Brazier on a Linux machine, or give a cluster that is there: brazier up --kubeconfig FILE", m.OS)
	}
	if m.OtherHome != "" {
		return fmt.Errorf("another Brazier cluster runs on this machine, with its home in %s, and there can be one at a time; stop it: brazier down --home %[1]s", m.OtherHome)
	}
	var problems []error
	for _, check := range checks {
		if err := check(m, need); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func root(m Machine, _ Need) error {
	if m.UID == 0 {
		return nil
	}
	return fmt.Errorf("you are user %d, and starting containers needs root; run it with sudo, or give a cluster that is there: brazier up --kubeconfig FILE", m.UID)
}

// The kubelet refuses to start without these (pkg/kubelet/cm, expectedCgroups and validateSystemRequirements).
func controllers(m Machine, _ Need) error {
	needed := []string{"cpu", "cpuset", "memory", "pids"}
	way := "mount the hierarchy of each under /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1"
	if m.CgroupV2 {
		way = "boot without cgroup_disable=, or, in a container, start that with --cgroupns=private and write access to /sys/fs/cgroup"
	} else {
		needed = append(needed, "cpuacct")
	}
	missing := slices.DeleteFunc(needed, func(name string) bool { return slices.Contains(m.Controllers, name) })
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("no control group controller %s, without which pods cannot be bounded; %s", strings.Join(missing, ", "), way)
}

func overlay(m Machine, _ Need) error {
	if m.Overlay {
		return nil
	}
	return errors.New("the kernel has no overlayfs, which images are put together with; load it (modprobe overlay) or use a kernel that has it")
}

func space(m Machine, need Need) error {
	if m.Free >= need.FreeBytes {
		return nil
	}
	return fmt.Errorf("%s has %.1f GiB free, and %.0f GiB is the least that images and jobs need; free some, or choose another disk with --home",
		m.Home, gib(m.Free), gib(need.FreeBytes))
}

func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }
