package part

import (
	"slices"
	"strconv"

	"brazier.sh/brazier/internal/localcluster/layout"
)

func etcd(c Config) Part {
	l := c.Layout
	url := "https://" + address(layout.Loopback, c.Ports.Etcd)
	peer := "https://" + address(layout.Loopback, c.Ports.EtcdPeer)
	flags := []string{
		"--name=" + layout.NodeName,
		"--data-dir=" + l.Data("etcd"),
		"--listen-client-urls=" + url,
		"--advertise-client-urls=" + url,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=" + layout.NodeName + "=" + peer,
		"--client-cert-auth=true",
		"--trusted-ca-file=" + l.Cert(caEtcd),
		"--cert-file=" + l.Cert("etcd"),
		"--key-file=" + l.Key("etcd"),
		"--peer-client-cert-auth=true",
		"--peer-trusted-ca-file=" + l.Cert(caEtcd),
		"--peer-cert-file=" + l.Cert("etcd"),
		"--peer-key-file=" + l.Key("etcd"),
		"--auto-compaction-mode=periodic",
		"--auto-compaction-retention=1h",
		"--log-level=warn",
	}
	if c.Ephemeral {
		// It has nobody to wait for before it elects itself, and no disk either.
		flags = append(flags, "--unsafe-no-fsync", "--heartbeat-interval=10", "--election-timeout=100")
	}
	return Part{
		Name:  "etcd",
		Argv:  c.program("etcd", flags...),
		Dirs:  []string{l.Data("etcd")},
		Reads: append(tlsFiles(l, "etcd"), l.Cert(caEtcd)),
		Healthy: Check{
			URL: url + "/health", CA: l.Cert(caEtcd), Cert: l.Cert(certEtcdClient), Key: l.Key(certEtcdClient),
		},
		Listens: []string{address(layout.Loopback, c.Ports.Etcd), address(layout.Loopback, c.Ports.EtcdPeer)},
	}
}

// APIServer is the name of the API server's part.
const APIServer = "kube-apiserver"

func apiServer(c Config) Part {
	l := c.Layout
	flags := slices.Concat(
		[]string{
			"--bind-address=" + c.Address,
			"--advertise-address=" + c.Address,
			"--secure-port=" + strconv.Itoa(c.Ports.API),
			"--service-cluster-ip-range=" + layout.ServiceCIDR,
			"--tls-cert-file=" + l.Cert("kube-apiserver"),
			"--tls-private-key-file=" + l.Key("kube-apiserver"),
			"--profiling=false",
			// Which pods may be privileged is decided by Pod Security admission, namespace by namespace.
			"--allow-privileged=true",
			"--enable-admission-plugins=NodeRestriction",
		},
		storage(c), authentication(l), towardsKubelet(l), aggregation(l),
	)
	if c.Address == layout.Loopback {
		// The Service kubernetes cannot have a loopback address as its endpoint.
		flags = append(flags, "--endpoint-reconciler-type=none")
	}
	return Part{
		Name: APIServer,
		Argv: c.program("kube-apiserver", flags...),
		Reads: append(
			tlsFiles(l, "kube-apiserver", "kube-apiserver-kubelet-client", certEtcdClient, "front-proxy-client"),
			l.CA(), l.Cert(caEtcd), l.Cert(caFrontProxy), l.Key(serviceAccounts)),
		After: []string{"etcd"},
		Healthy: Check{
			URL: c.APIServerURL() + "/readyz", CA: l.CA(), Cert: l.Cert(certSupervisor), Key: l.Key(certSupervisor),
		},
		Listens: []string{address(c.Address, c.Ports.API)},
	}
}

func storage(c Config) []string {
	return []string{
		"--etcd-servers=https://" + address(layout.Loopback, c.Ports.Etcd),
		"--etcd-cafile=" + c.Layout.Cert(caEtcd),
		"--etcd-certfile=" + c.Layout.Cert(certEtcdClient),
		"--etcd-keyfile=" + c.Layout.Key(certEtcdClient),
	}
}

func authentication(l layout.Layout) []string {
	return []string{
		"--anonymous-auth=false",
		"--client-ca-file=" + l.CA(),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc." + layout.Domain,
		"--service-account-key-file=" + l.PKI() + "/" + serviceAccounts + ".pub",
		"--service-account-signing-key-file=" + l.Key(serviceAccounts),
	}
}

func towardsKubelet(l layout.Layout) []string {
	return []string{
		"--kubelet-certificate-authority=" + l.CA(),
		"--kubelet-client-certificate=" + l.Cert("kube-apiserver-kubelet-client"),
		"--kubelet-client-key=" + l.Key("kube-apiserver-kubelet-client"),
		// The node's name need not resolve on the machine.
		"--kubelet-preferred-address-types=InternalIP",
	}
}

// aggregation lets metrics-server, a process of the machine, answer for its API group: the API server calls the
// address of its endpoint, since Services' addresses need not work before kube-proxy runs.
func aggregation(l layout.Layout) []string {
	return []string{
		"--enable-aggregator-routing=true",
		"--proxy-client-cert-file=" + l.Cert("front-proxy-client"),
		"--proxy-client-key-file=" + l.Key("front-proxy-client"),
		"--requestheader-client-ca-file=" + l.Cert(caFrontProxy),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
	}
}

func controllerManager(c Config) Part {
	l, name := c.Layout, "kube-controller-manager"
	return Part{
		Name: name,
		Argv: c.program(name, append(delegated(l, name),
			"--bind-address="+layout.Loopback,
			"--secure-port="+strconv.Itoa(c.Ports.ControllerManager),
			"--leader-elect=false",
			"--profiling=false",
			"--use-service-account-credentials=true",
			// At its start it makes an account and a token for each of some forty controllers, which at the default of 20
			// requests a second takes five seconds.
			"--kube-api-qps=200",
			"--kube-api-burst=400",
			"--service-account-private-key-file="+l.Key(serviceAccounts),
			"--root-ca-file="+l.CA(),
			"--client-ca-file="+l.CA(),
			"--cluster-signing-cert-file="+l.CA(),
			"--cluster-signing-key-file="+l.Key("ca"),
			"--service-cluster-ip-range="+layout.ServiceCIDR,
		)...),
		Files:   []File{kubeconfig(c, name)},
		Reads:   append(tlsFiles(l, name, "ca"), l.Key(serviceAccounts)),
		After:   []string{"kube-apiserver"},
		Healthy: Check{URL: "https://" + address(layout.Loopback, c.Ports.ControllerManager) + "/healthz", CA: l.CA()},
		Listens: []string{address(layout.Loopback, c.Ports.ControllerManager)},
	}
}

func scheduler(c Config) Part {
	l, name := c.Layout, "kube-scheduler"
	return Part{
		Name: name,
		Argv: c.program(name, append(delegated(l, name),
			"--bind-address="+layout.Loopback,
			"--secure-port="+strconv.Itoa(layout.SchedulerPort),
			"--leader-elect=false",
			"--profiling=false",
		)...),
		Files:   []File{kubeconfig(c, name)},
		Reads:   append(tlsFiles(l, name), l.CA()),
		After:   []string{"kube-apiserver"},
		Healthy: Check{URL: "https://" + address(layout.Loopback, layout.SchedulerPort) + "/healthz", CA: l.CA()},
		Listens: []string{address(layout.Loopback, layout.SchedulerPort)},
	}
}
