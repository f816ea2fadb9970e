package part

import (
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/pki"
)

// Names of certificates that more than one part uses.
const (
	certAdmin       = "admin"
	certSupervisor  = "supervisor"
	certEtcdClient  = "kube-apiserver-etcd-client"
	certKubelet     = "kubelet"
	caEtcd          = "etcd-ca"
	caFrontProxy    = "front-proxy-ca"
	caRegistry      = "registry-ca"
	certRegistry    = "registry"
	certObjectStore = "object-store"
	// serviceAccounts is the key with which service accounts' tokens are signed.
	serviceAccounts = "service-accounts"
)

// RegistryClient is the certificate with which images are pulled and pushed.
const RegistryClient = "registry-client"

// KubeletClientUser is whom the API server is to the kubelet; ClusterRole system:kubelet-api-admin is bound to it.
const KubeletClientUser = "brazier:kube-apiserver-kubelet-client"

// Users whose rights the cluster's addons give.
const (
	CoreDNSUser            = "brazier:coredns"
	MetricsServerUser      = "brazier:metrics-server"
	StorageProvisionerUser = "brazier:storage-provisioner"
)

// ServiceAccountKey is the name of the key with which service accounts' tokens are signed.
func ServiceAccountKey() string { return serviceAccounts }

// ControlPlaneAuthorities are the certificates that ControlPlane's parts need.
func ControlPlaneAuthorities(c Config) []pki.Authority {
	return []pki.Authority{
		{Name: "ca", CommonName: "brazier", Leaves: []pki.Leaf{
			server("kube-apiserver", "kube-apiserver", append(apiServerNames(), c.Address)...),
			client("kube-apiserver-kubelet-client", KubeletClientUser),
			client(certAdmin, "brazier:admin", "system:masters"),
			client(certSupervisor, "brazier:supervisor", "system:monitoring"),
			both("kube-controller-manager", "system:kube-controller-manager", nil, "localhost", layout.Loopback),
		}},
		{Name: caEtcd, CommonName: "brazier-etcd", Leaves: []pki.Leaf{
			both("etcd", "etcd", nil, "localhost", layout.Loopback),
			client(certEtcdClient, "kube-apiserver"),
		}},
		{Name: caFrontProxy, CommonName: "brazier-front-proxy", Leaves: []pki.Leaf{
			client("front-proxy-client", "front-proxy-client"),
		}},
	}
}

// Authorities are the certificates that All's parts need.
func Authorities(c Config) []pki.Authority {
	all := ControlPlaneAuthorities(c)
	all[0].Leaves = append(all[0].Leaves,
		both("kube-scheduler", "system:kube-scheduler", nil, "localhost", layout.Loopback),
		both(certKubelet, "system:node:"+layout.NodeName, []string{"system:nodes"}, layout.NodeName, layout.NodeAddress),
		client("kube-proxy", "system:kube-proxy"),
		client("coredns", CoreDNSUser),
		both("metrics-server", MetricsServerUser, nil, "metrics-server.kube-system.svc", layout.NodeAddress),
		client("storage-provisioner", StorageProvisionerUser),
		server(certRegistry, "registry", layout.NodeAddress),
		server(certObjectStore, "object-store", layout.NodeAddress),
	)
	// The registry trusts an authority of its own, so that no other certificate of the cluster opens it.
	return append(all, pki.Authority{Name: caRegistry, CommonName: "brazier-registry", Leaves: []pki.Leaf{
		client(RegistryClient, RegistryClient),
	}})
}

// apiServerNames are the names by which the API server is called from inside the cluster.
func apiServerNames() []string {
	return []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + layout.Domain,
		layout.APIServiceAddress,
	}
}

func server(name, commonName string, hosts ...string) pki.Leaf {
	return pki.Leaf{Name: name, CommonName: commonName, Server: true, Hosts: hosts}
}

func client(name, commonName string, organizations ...string) pki.Leaf {
	return pki.Leaf{Name: name, CommonName: commonName, Organizations: organizations, Client: true}
}

func both(name, commonName string, organizations []string, hosts ...string) pki.Leaf {
	return pki.Leaf{
		Name: name, CommonName: commonName, Organizations: organizations,
		Server: true, Client: true, Hosts: hosts,
	}
}

// tlsFiles are the files of a certificate and its key.
func tlsFiles(l layout.Layout, names ...string) []string {
	var files []string
	for _, name := range names {
		files = append(files, l.Cert(name), l.Key(name))
	}
	return files
}
