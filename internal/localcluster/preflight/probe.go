package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"brazier.sh/brazier/internal/localcluster/cgroup"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

// Probe looks at the machine that this runs on. It changes nothing but that it loads overlayfs' kernel module. Processes
// whose command line ours accepts belong to the cluster itself.
func Probe(home string, ours func(argv []string) bool) (Machine, error) {
	m := Machine{OS: runtime.GOOS, UID: os.Geteuid(), CgroupV2: cgroup.V2(), Overlay: hasOverlay(), Home: home}
	for _, probe := range []func(*Machine) error{
		probeControllers, probeSpace, probeNetwork, probeResolvers,
		func(m *Machine) error { return probeProcesses(m, ours) },
	} {
		if err := probe(&m); err != nil {
			return m, fmt.Errorf("look at the machine: %w", err)
		}
	}
	return m, nil
}

func probeControllers(m *Machine) (err error) {
	m.Controllers, err = cgroup.Controllers()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // No /sys/fs/cgroup at all: no controllers, which is what the check reports.
	}
	return err
}

func hasOverlay() bool {
	listed := func() bool {
		data, err := os.ReadFile("/proc/filesystems")
		return err == nil && strings.Contains(string(data), "\toverlay\n")
	}
	// A module is listed when it is loaded; modprobe fails where it is built in, or not there.
	return listed() || exec.Command("modprobe", "overlay").Run() == nil && listed()
}

// probeSpace looks at the folder above home that is there already.
func probeSpace(m *Machine) error {
	for dir := m.Home; ; dir = filepath.Dir(dir) {
		var info unix.Statfs_t
		err := unix.Statfs(dir, &info)
		if errors.Is(err, fs.ErrNotExist) && dir != "/" {
			continue
		}
		if err != nil {
			return fmt.Errorf("free space of %s: %w", dir, err)
		}
		m.Free = info.Bavail * uint64(info.Bsize)
		return nil
	}
}

func probeNetwork(m *Machine) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list network interfaces: %w", err)
	}
	names := map[int]string{}
	for _, link := range links {
		names[link.Attrs().Index] = link.Attrs().Name
		addresses, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			return fmt.Errorf("list addresses of %s: %w", link.Attrs().Name, err)
		}
		seen := Link{Name: link.Attrs().Name, Type: link.Type()}
		for _, address := range addresses {
			seen.Addresses = append(seen.Addresses, address.IPNet.String())
		}
		m.Links = append(m.Links, seen)
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	for _, route := range routes {
		if route.Dst != nil {
			m.Routes = append(m.Routes, Route{Destination: route.Dst.String(), Link: names[route.LinkIndex]})
		}
	}
	return nil
}

// probeResolvers reads the servers of resolv.conf(5). The file may be missing on a machine without DNS.
func probeResolvers(m *Machine) error {
	data, err := os.ReadFile("/etc/resolv.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the machine's DNS servers: %w", err)
	}
	m.Resolvers = resolvers(string(data))
	return nil
}

func resolvers(conf string) []string {
	var found []string
	for line := range strings.Lines(conf) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if _, err := netip.ParseAddr(fields[1]); err == nil {
			found = append(found, fields[1])
		}
	}
	return found
}

func probeProcesses(m *Machine, ours func([]string) bool) error {
	processes := map[int]Process{}
	for _, running := range supervise.Find(func([]string) bool { return true }) {
		process := Process{PID: running.PID, Argv: running.Argv, Ours: ours(running.Argv)}
		processes[running.PID] = process
		if home, ok := supervise.HomeOf(running.Argv); ok && home != m.Home {
			m.OtherHome = home
		}
		if clusterPart(running.Argv) != "" {
			m.Processes = append(m.Processes, process)
		}
	}
	sockets, err := listening()
	if err != nil {
		return err
	}
	for _, socket := range sockets {
		socket.Process = processes[socket.Process.PID]
		m.Sockets = append(m.Sockets, socket)
	}
	return nil
}
