// Package part describes the parts of the embedded cluster: each one's command line, configuration files, certificates,
// dependencies and how to see whether it is healthy. Everything here is pure: one Config in, descriptions out. Package
// supervise runs what is described here.
package part

import (
	"strconv"

	"brazier.sh/brazier/internal/localcluster/layout"
)

// Part is one process of the cluster.
type Part struct {
	// Name is the name by which users know it, and of its log.
	Name string `json:"name"`
	// Argv is its command line; the first word is the path of its program.
	Argv []string `json:"argv"`
	// Env is added to the environment that every part gets.
	Env []string `json:"env,omitempty"`
	// Files are written before the part is started.
	Files []File `json:"files,omitempty"`
	// Dirs are folders made before the part is started.
	Dirs []string `json:"dirs,omitempty"`
	// Reads are files made elsewhere that the part reads at its start: if one changes, the part is restarted.
	Reads []string `json:"reads,omitempty"`
	// After names the parts that have to be healthy before this one is started.
	After []string `json:"after,omitempty"`
	// Healthy is how to see that the part does its work.
	Healthy Check `json:"healthy"`
	// Listens are the addresses at which it accepts connections.
	Listens []string `json:"listens,omitempty"`
}

// File is a configuration file.
type File struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}

// Check is how to see that a part does its work; one of its ways is set, or none if to run is enough.
type Check struct {
	// URL must answer 200. CA, Cert and Key are files to verify the server and to authenticate with.
	URL  string `json:"url,omitempty"`
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
	// Socket is a unix socket that must accept a connection.
	Socket string `json:"socket,omitempty"`
}

// Ports are those that the control plane's parts listen at; tests choose free ones.
type Ports struct {
	Etcd, EtcdPeer, API, ControllerManager int
}

// DefaultPorts are the usual ones.
func DefaultPorts() Ports {
	return Ports{
		Etcd: layout.EtcdPort, EtcdPeer: layout.EtcdPeerPort,
		API: layout.APIPort, ControllerManager: layout.ControllerManagerPort,
	}
}

// Config is all that the descriptions depend on.
type Config struct {
	Layout layout.Layout
	// Address is where the API server listens.
	Address string
	Ports   Ports
	// Ephemeral is set for a control plane that need not survive anything: etcd then does not wait for the disk.
	Ephemeral bool
	// Node is what the node's parts need to know of the machine.
	Node Node
}

// Node is what the node's parts need to know of the machine.
type Node struct {
	// Containerd is the path of containerd and ContainerdMajor its major version, 1 or 2.
	Containerd      string
	ContainerdMajor int
	// CNIBin is the folder of the CNI plugins.
	CNIBin string
	// Resolvers are the machine's own DNS servers.
	Resolvers []string
	// KeepOOMScore is set where the machine's root may not lower a process's OOM score (no CAP_SYS_RESOURCE).
	KeepOOMScore bool
	// MasqueradeAll is set where the kernel does not show bridged packets to nftables: a reply between two pods would
	// otherwise bypass the translation of the Service's address.
	MasqueradeAll bool
	// ProxyEnv are the variables by which containerd finds the outside world's registries.
	ProxyEnv []string
	// PauseImage is the image of the container that holds a pod's network.
	PauseImage string
}

// ControlPlane describes the parts of a cluster without a node: controllers' tests need no more.
func ControlPlane(c Config) []Part {
	return []Part{etcd(c), apiServer(c), controllerManager(c)}
}

// All describes the parts of the whole cluster, each after those that it depends on.
func All(c Config) []Part {
	return append(ControlPlane(c),
		scheduler(c), registry(c), objectStore(c),
		containerdPart(c), kubelet(c), kubeProxy(c),
		coreDNS(c), metricsServer(c), storageProvisioner(c),
	)
}

// APIServerURL is the address of the API server.
func (c Config) APIServerURL() string { return "https://" + address(c.Address, c.Ports.API) }

// program returns the command line of a part that is in brazier-cluster.
func (c Config) program(name string, flags ...string) []string {
	return append([]string{c.Layout.Cluster(), name}, flags...)
}

func address(host string, port int) string { return host + ":" + strconv.Itoa(port) }
