package part

import (
	"fmt"
	"strconv"
	"strings"

	"brazier.sh/brazier/internal/localcluster/layout"
)

func coreDNS(c Config) Part {
	l, name := c.Layout, "coredns"
	return Part{
		Name: name,
		Argv: c.program(name, "-conf", l.Config("Corefile")),
		Files: []File{
			kubeconfig(c, name),
			{Path: l.Config("Corefile"), Content: corefile(c)},
		},
		Reads:   append(tlsFiles(l, name), l.CA()),
		After:   []string{"kube-apiserver"},
		Healthy: Check{URL: "http://" + address(layout.Loopback, layout.DNSReadyPort) + "/ready"},
		Listens: []string{
			address(layout.NodeAddress, layout.DNSPort), address(layout.Loopback, layout.DNSReadyPort),
		},
	}
}

// corefile answers for the cluster's names from memory, without a cache: a driver's Service must be found the moment it
// is there, though an executor asked for it too early. All else goes to the machine's own servers.
func corefile(c Config) string {
	text := fmt.Sprintf(`%[1]s:%[2]d in-addr.arpa:%[2]d {
    bind %[3]s
    errors
    ready %[4]s
    kubernetes %[1]s %[5]s %[6]s {
        kubeconfig %[7]s
        ttl 5
    }
}
`, layout.Domain, layout.DNSPort, layout.NodeAddress, address(layout.Loopback, layout.DNSReadyPort),
		layout.PodCIDR, layout.ServiceCIDR, c.Layout.PartKubeconfig("coredns"))
	if len(c.Node.Resolvers) == 0 {
		return text
	}
	return text + fmt.Sprintf(`.:%d {
    bind %s
    errors
    cache 30
    forward . %s
}
`, layout.DNSPort, layout.NodeAddress, strings.Join(c.Node.Resolvers, " "))
}

func registry(c Config) Part {
	l, name := c.Layout, "registry"
	return Part{
		Name: name,
		Argv: c.program(name, "--config", l.Config("registry.yaml")),
		Files: []File{{Path: l.Config("registry.yaml"), Content: fmt.Sprintf(`version: 0.1
log:
  level: warn
  accesslog: {disabled: true}
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
http:
  addr: %s
  tls:
    certificate: %s
    key: %s
    clientcas: [%s]
`, l.Data("registry"), layout.Registry, l.Cert(certRegistry), l.Key(certRegistry), l.Cert(caRegistry))}},
		Dirs:  []string{l.Data("registry")},
		Reads: append(tlsFiles(l, certRegistry), l.Cert(caRegistry)),
		Healthy: Check{
			URL: "https://" + layout.Registry + "/v2/", CA: l.CA(), Cert: l.Cert(RegistryClient), Key: l.Key(RegistryClient),
		},
		Listens: []string{address(layout.NodeAddress, layout.RegistryPort)},
	}
}

func objectStore(c Config) Part {
	l, name := c.Layout, "object-store"
	return Part{
		Name: name,
		Argv: c.program(name,
			"--root="+l.Data("object-store"),
			"--address="+address(layout.NodeAddress, layout.ObjectStorePort),
			"--tls-cert="+l.Cert(certObjectStore),
			"--tls-key="+l.Key(certObjectStore),
			"--credentials="+l.ObjectStoreKeys(),
			"--region="+layout.Region,
			"--bucket="+layout.Bucket,
		),
		Dirs:    []string{l.Data("object-store")},
		Reads:   append(tlsFiles(l, certObjectStore), l.ObjectStoreKeys()),
		Healthy: Check{URL: layout.ObjectStore + "/healthz", CA: l.CA()},
		Listens: []string{address(layout.NodeAddress, layout.ObjectStorePort)},
	}
}

func metricsServer(c Config) Part {
	l, name := c.Layout, "metrics-server"
	return Part{
		Name: name,
		Argv: c.program(name, append(delegated(l, name),
			"--bind-address="+layout.NodeAddress,
			"--secure-port="+strconv.Itoa(layout.MetricsPort),
			"--kubelet-certificate-authority="+l.CA(),
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-use-node-status-port",
			"--metric-resolution=15s",
			"--profiling=false",
		)...),
		Files:   []File{kubeconfig(c, name)},
		Reads:   append(tlsFiles(l, name), l.CA()),
		After:   []string{"kube-apiserver", "kubelet"},
		Healthy: Check{URL: "https://" + address(layout.NodeAddress, layout.MetricsPort) + "/livez", CA: l.CA()},
		Listens: []string{address(layout.NodeAddress, layout.MetricsPort)},
	}
}

func storageProvisioner(c Config) Part {
	l, name := c.Layout, "storage-provisioner"
	return Part{
		Name: name,
		Argv: c.program(name,
			"--kubeconfig="+l.PartKubeconfig(name),
			"--root="+l.Data("volumes"),
		),
		Files: []File{kubeconfig(c, name)},
		Dirs:  []string{l.Data("volumes")},
		Reads: append(tlsFiles(l, name), l.CA()),
		After: []string{"kube-apiserver"},
	}
}
