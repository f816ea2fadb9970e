package part

import (
	"path/filepath"
	"strconv"
	"strings"

	"brazier.sh/brazier/internal/localcluster/containerd"
	"brazier.sh/brazier/internal/localcluster/layout"
)

// CgroupRoot is the control group that pods are in. It is not the root, so that the pods of two clusters on a machine,
// or of one that was here before, are never taken for each other.
const CgroupRoot = "/brazier"

// kubeletRoot is where the kubelet keeps pods' volumes.
func kubeletRoot(l layout.Layout) string { return l.Data("kubelet") }

func containerdPart(c Config) Part {
	l := c.Layout
	config := containerd.Config{
		Major:        c.Node.ContainerdMajor,
		Root:         l.Data("containerd"),
		State:        filepath.Join(l.Run, "containerd", "state"),
		RuncRoot:     filepath.Join(l.Run, "runc"),
		Socket:       l.ContainerdSocket(),
		CNIBin:       c.Node.CNIBin,
		CNIConfig:    l.Config("cni"),
		Registries:   l.Config("registries"),
		PauseImage:   c.Node.PauseImage,
		KeepOOMScore: c.Node.KeepOOMScore,
	}
	hosts := containerd.Host{
		Server: "https://" + layout.Registry, CA: l.CA(), Cert: l.Cert(RegistryClient), Key: l.Key(RegistryClient),
	}
	return Part{
		Name: "containerd",
		Argv: []string{c.Node.Containerd, "--config", l.Config("containerd.toml")},
		Env:  c.Node.ProxyEnv,
		Files: []File{
			{Path: l.Config("containerd.toml"), Content: config.TOML()},
			{Path: l.Config("cni/10-brazier.conflist"), Content: cniConflist},
			{Path: l.Config("registries/" + layout.Registry + "/hosts.toml"), Content: hosts.TOML()},
		},
		Dirs:    []string{config.Root, config.State, filepath.Dir(config.Socket), config.RuncRoot},
		Healthy: Check{Socket: config.Socket},
	}
}

// cniConflist attaches pods to the node's bridge. The translation of addresses towards the world is package network's.
const cniConflist = `{
  "cniVersion": "0.4.0",
  "name": "brazier",
  "plugins": [
    {
      "type": "bridge",
      "bridge": "` + layout.Bridge + `",
      "isGateway": true,
      "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "dataDir": "` + layout.DefaultRun + `/cni",
        "ranges": [[{"subnet": "` + layout.PodCIDR + `", "gateway": "` + layout.NodeAddress + `"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`

func kubelet(c Config) Part {
	l, name := c.Layout, "kubelet"
	return Part{
		Name: name,
		Argv: c.program(name,
			"--config="+l.Config("kubelet.yaml"),
			"--kubeconfig="+l.PartKubeconfig(name),
			"--root-dir="+kubeletRoot(l),
			"--hostname-override="+layout.NodeName,
			"--node-ip="+layout.NodeAddress,
		),
		Files: []File{
			kubeconfig(c, name),
			{Path: l.Config("kubelet.yaml"), Content: kubeletConfig(c)},
			{Path: l.Config("resolv.conf"), Content: resolvConf(c.Node.Resolvers)},
		},
		Dirs:    []string{kubeletRoot(l), l.Logs() + "/pods"},
		Reads:   append(tlsFiles(l, certKubelet), l.CA()),
		After:   []string{"containerd", "kube-apiserver"},
		Healthy: Check{URL: "http://" + address(layout.Loopback, layout.KubeletHealthPort) + "/healthz"},
		Listens: []string{
			address(layout.NodeAddress, layout.KubeletPort), address(layout.Loopback, layout.KubeletHealthPort),
		},
	}
}

// resolvConf is what pods with dnsPolicy Default get: the machine's own servers, but for those that only the machine
// itself can reach, which CoreDNS asks on the pods' behalf.
func resolvConf(resolvers []string) string {
	var lines strings.Builder
	for _, resolver := range resolvers {
		if !strings.HasPrefix(resolver, "127.") && resolver != "::1" {
			lines.WriteString("nameserver " + resolver + "\n")
		}
	}
	if lines.Len() == 0 {
		return "nameserver " + layout.NodeAddress + "\n"
	}
	return lines.String()
}

func kubeProxy(c Config) Part {
	l, name := c.Layout, "kube-proxy"
	flags := []string{
		"--kubeconfig=" + l.PartKubeconfig(name),
		"--proxy-mode=nftables",
		"--hostname-override=" + layout.NodeName,
		"--cluster-cidr=" + layout.PodCIDR,
		"--nodeport-addresses=" + layout.NodeAddress + "/32",
		"--healthz-bind-address=" + address(layout.Loopback, layout.ProxyHealthPort),
		"--metrics-bind-address=" + address(layout.Loopback, layout.ProxyMetricsPort),
		// The machine's own limits of connections stay as they are.
		"--conntrack-max-per-core=0",
		"--conntrack-tcp-timeout-established=0",
		"--conntrack-tcp-timeout-close-wait=0",
	}
	if c.Node.KeepOOMScore {
		flags = append(flags, "--oom-score-adj=0")
	}
	if c.Node.MasqueradeAll {
		flags = append(flags, "--masquerade-all=true")
	}
	return Part{
		Name:  name,
		Argv:  c.program(name, flags...),
		Files: []File{kubeconfig(c, name)},
		Reads: append(tlsFiles(l, name), l.CA()),
		After: []string{"kube-apiserver"},
		// Not healthz, which also asks whether the node is to get traffic.
		Healthy: Check{URL: "http://" + address(layout.Loopback, layout.ProxyHealthPort) + "/livez"},
		Listens: []string{
			address(layout.Loopback, layout.ProxyHealthPort), address(layout.Loopback, layout.ProxyMetricsPort),
		},
	}
}

func kubeletConfig(c Config) string {
	l := c.Layout
	oomScore := -999
	if c.Node.KeepOOMScore {
		oomScore = 0
	}
	return strings.NewReplacer(
		"{address}", layout.NodeAddress,
		"{port}", strconv.Itoa(layout.KubeletPort),
		"{healthPort}", strconv.Itoa(layout.KubeletHealthPort),
		"{ca}", l.CA(),
		"{cert}", l.Cert(certKubelet),
		"{key}", l.Key(certKubelet),
		"{containerd}", l.ContainerdSocket(),
		"{cgroupRoot}", CgroupRoot,
		"{domain}", layout.Domain,
		"{resolvConf}", l.Config("resolv.conf"),
		"{podLogs}", l.Logs()+"/pods",
		"{plugins}", kubeletRoot(l)+"/volume-plugins",
		"{oomScore}", strconv.Itoa(oomScore),
	).Replace(kubeletTemplate)
}

const kubeletTemplate = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {address}
port: {port}
readOnlyPort: 0
healthzBindAddress: 127.0.0.1
healthzPort: {healthPort}
tlsCertFile: {cert}
tlsPrivateKeyFile: {key}
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: {ca}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://{containerd}
cgroupDriver: cgroupfs
cgroupRoot: {cgroupRoot}
failCgroupV1: false
failSwapOn: false
clusterDNS: [{address}]
clusterDomain: {domain}
resolvConf: {resolvConf}
podLogsDir: {podLogs}
volumePluginDir: {plugins}
maxPods: 110
oomScoreAdj: {oomScore}
# Services are translated by kube-proxy's nftables; nobody needs the kubelet's iptables chains.
makeIPTablesUtilChains: false
# What the parts of the cluster themselves need, under load. Of the processor nothing is kept back: on a machine of two
# cores a driver and an executor have to fit.
systemReserved: {memory: 1536Mi}
# Thresholds of space, not of shares: a disk that is 90% full of other things has room enough for jobs. For the same
# reason images are removed when space runs out, not when the disk passes a share of its size.
evictionHard:
  memory.available: 200Mi
  nodefs.available: 2Gi
  imagefs.available: 2Gi
  nodefs.inodesFree: 1%
evictionMinimumReclaim: {nodefs.available: 500Mi, imagefs.available: 500Mi}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
containerLogMaxSize: 20Mi
containerLogMaxFiles: 3
serializeImagePulls: false
maxParallelImagePulls: 3
nodeStatusReportFrequency: 1m
`
