package preflight

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
)

func ports(m Machine, need Need) error {
	var problems []error
	for _, address := range need.Addresses {
		// One is enough: DNS servers listen twice, with TCP and UDP.
		i := slices.IndexFunc(m.Sockets, func(socket Socket) bool { return !socket.Process.Ours && taken(socket, address) })
		if i >= 0 {
			problems = append(problems, fmt.Errorf("%s is taken by %s, which listens on %s; stop that, or have it listen elsewhere",
				address, m.Sockets[i].Process, m.Sockets[i].Address))
		}
	}
	return errors.Join(problems...)
}

// taken reports whether the socket keeps others from listening on address. Wildcard UDP sockets do not matter, since
// nothing of ours but DNS uses UDP, and a more special address wins there.
func taken(socket Socket, address string) bool {
	want, err1 := netip.ParseAddrPort(address)
	have, err2 := netip.ParseAddrPort(socket.Address)
	if err1 != nil || err2 != nil || want.Port() != have.Port() {
		return false
	}
	if have.Addr().IsUnspecified() {
		return socket.Network == "tcp"
	}
	return have.Addr().Unmap() == want.Addr()
}

// String names the process as the user would look for it.
func (p Process) String() string {
	if p.PID == 0 {
		return "a process that cannot be seen from here"
	}
	return fmt.Sprintf("%s (process %d)", p.name(), p.PID)
}

func (p Process) name() string {
	if len(p.Argv) == 0 {
		return "unknown"
	}
	return filepath.Base(p.Argv[0])
}

// bridge accepts the cluster's own bridge, which the last run may have left.
func bridge(m Machine, need Need) error {
	for _, link := range m.Links {
		if link.Name != need.Bridge {
			continue
		}
		if link.Type != "bridge" {
			return fmt.Errorf("there is a network interface %s of type %s, and Brazier's bridge has that name; remove it (ip link delete %[1]s)", link.Name, link.Type)
		}
		for _, address := range link.Addresses {
			if prefix, err := netip.ParsePrefix(address); err == nil && prefix.Addr().Is4() && address != need.BridgeAddress {
				return fmt.Errorf("there is a bridge %s with the address %s, and Brazier's has %s; remove it (ip link delete %[1]s)",
					link.Name, address, need.BridgeAddress)
			}
		}
	}
	return nil
}

// routes refuses networks that something else uses; the default route is no such thing.
func routes(m Machine, need Need) error {
	var problems []error
	for _, network := range need.Networks {
		want, err := netip.ParsePrefix(network)
		if err != nil {
			return fmt.Errorf("network %q: %w", network, err)
		}
		for _, route := range m.Routes {
			have, err := netip.ParsePrefix(route.Destination)
			if err == nil && have.Bits() > 0 && have.Overlaps(want) && route.Link != need.Bridge {
				problems = append(problems, fmt.Errorf("the cluster's network %s overlaps with %s, which the machine reaches through %s; remove that route (ip route delete %s) or leave that network, such as a VPN",
					network, route.Destination, route.Link, route.Destination))
			}
		}
	}
	return errors.Join(problems...)
}

// otherClusters refuses a machine that is a node of another cluster: two kubelets and two kube-proxies undo each other's
// work.
func otherClusters(m Machine, _ Need) error {
	var problems []error
	for _, process := range m.Processes {
		if process.Ours {
			continue
		}
		if part := clusterPart(process.Argv); part != "" {
			problems = append(problems, fmt.Errorf("%s of another cluster runs here (process %d); a machine can be a node of one cluster only: stop that one, or use it: brazier up --kubeconfig FILE",
				part, process.PID))
		}
	}
	return errors.Join(problems...)
}

// clusterPart names the part of Kubernetes' node that a command line starts, if it does. Distributions put it in a
// program of their own: k3s server, k0s worker, microk8s' kubelite.
func clusterPart(argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	name := filepath.Base(argv[0])
	switch name {
	case "kubelet", "kube-proxy", "k3s", "k3s-server", "k3s-agent", "k0s", "kubelite", "rke2":
		return name
	case "containerd-shim-runc-v2":
		if strings.Contains(strings.Join(argv, " "), "-namespace k8s.io") {
			return "a pod"
		}
	case "brazier-cluster":
		if len(argv) > 1 && (argv[1] == "kubelet" || argv[1] == "kube-proxy") {
			return argv[1]
		}
	}
	return ""
}
