// Package layout says where everything of the embedded cluster is: folders, files, addresses, ports and names. It does
// no I/O but to look for the programs that the cluster is made of.
package layout

import (
	"path/filepath"
)

// Names and addresses of the one node. They are fixed, so that image references and endpoints stay the same for good.
const (
	// NodeName is the name of the node.
	NodeName = "brazier"
	// Bridge is the network interface that pods are attached to and that the node's address belongs to.
	Bridge = "brazier0"
	// NodeAddress is where everything listens that pods or the API server must reach.
	NodeAddress = "10.97.0.1"
	// PodCIDR is where pods get their addresses from; the node's own is its first.
	PodCIDR = "10.97.0.0/24"
	// ServiceCIDR is where Services get their addresses from.
	ServiceCIDR = "10.98.0.0/16"
	// APIServiceAddress is the address of the Service kubernetes in namespace default: the first of ServiceCIDR.
	APIServiceAddress = "10.98.0.1"
	// Domain is the cluster's DNS domain.
	Domain = "cluster.local"
	// Loopback is where everything listens that only the node itself must reach.
	Loopback = "127.0.0.1"
)

// Ports of the parts. Those of Kubernetes are upstream's defaults.
const (
	EtcdPort              = 2379
	EtcdPeerPort          = 2380
	APIPort               = 6443
	ControllerManagerPort = 10257
	SchedulerPort         = 10259
	KubeletPort           = 10250
	KubeletHealthPort     = 10248
	ProxyMetricsPort      = 10249
	ProxyHealthPort       = 10256
	DNSPort               = 53
	DNSReadyPort          = 10053
	RegistryPort          = 5000
	ObjectStorePort       = 9000
	MetricsPort           = 4443
)

// Registry is the address of the embedded registry, as image references have it.
const Registry = NodeAddress + ":5000"

// ObjectStore is the endpoint of the embedded object store.
const ObjectStore = "https://" + NodeAddress + ":9000"

// Region is what clients of the object store sign for.
const Region = "us-east-1"

// Bucket is the bucket of the object store that applications use unless told otherwise.
const Bucket = "brazier"

// DefaultRun is where sockets and process files are. It is one for the machine, as the bridge is: there is one embedded
// cluster on a machine, wherever its home is.
const DefaultRun = "/run/brazier"

// Layout is where one embedded cluster keeps its things.
type Layout struct {
	// Home holds all that outlives a reboot.
	Home string `json:"home"`
	// Run holds sockets and process files; it may vanish in a reboot.
	Run string `json:"run"`
	// Bin holds brazier-cluster and brazier-pause.
	Bin string `json:"bin"`
}

// Cluster is the program that holds the parts of the cluster.
func (l Layout) Cluster() string { return filepath.Join(l.Bin, "brazier-cluster") }

// Pause is the program of the pause image.
func (l Layout) Pause() string { return filepath.Join(l.Bin, "brazier-pause") }

// PKI is the folder of certificates and keys.
func (l Layout) PKI() string { return filepath.Join(l.Home, "pki") }

// CA is the certificate of the authority that every server of the cluster is verified with.
func (l Layout) CA() string { return l.Cert("ca") }

// Cert is the certificate called name.
func (l Layout) Cert(name string) string { return filepath.Join(l.PKI(), name+".crt") }

// Key is the private key called name.
func (l Layout) Key(name string) string { return filepath.Join(l.PKI(), name+".key") }

// Config is the folder of the parts' configuration files.
func (l Layout) Config(name string) string { return filepath.Join(l.Home, "config", name) }

// PartKubeconfig is the kubeconfig with which the part called name talks to the API server.
func (l Layout) PartKubeconfig(name string) string { return l.Config(name + ".kubeconfig") }

// Kubeconfig is the administrator's kubeconfig.
func (l Layout) Kubeconfig() string { return filepath.Join(l.Home, "kubeconfig") }

// Data is the folder where the part called name keeps its data.
func (l Layout) Data(name string) string { return filepath.Join(l.Home, name) }

// Logs is the folder of the parts' logs.
func (l Layout) Logs() string { return filepath.Join(l.Home, "logs") }

// Log is the log of the part called name.
func (l Layout) Log(name string) string { return filepath.Join(l.Logs(), name+".log") }

// ObjectStoreKeys is the file with the object store's key pair, lines of KEY=VALUE.
func (l Layout) ObjectStoreKeys() string { return filepath.Join(l.Home, "object-store.env") }

// ContainerdSocket is where the cluster's own containerd listens.
func (l Layout) ContainerdSocket() string {
	return filepath.Join(l.Run, "containerd", "containerd.sock")
}

// SupervisorSocket is where the supervisor answers.
func (l Layout) SupervisorSocket() string { return filepath.Join(l.Run, "supervisor.sock") }
