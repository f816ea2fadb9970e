package preflight

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// usable is a machine with nothing in the way, and need what is asked of it.
func usable() Machine {
	return Machine{
		OS: "linux", Controllers: []string{"cpu", "cpuacct", "cpuset", "memory", "pids"}, Overlay: true,
		Home: "/var/lib/brazier", Free: 50 << 30,
		Links:  []Link{{Name: "eth0", Type: "device", Addresses: []string{"192.0.2.2/24"}}},
		Routes: []Route{{Destination: "0.0.0.0/0", Link: "eth0"}, {Destination: "192.0.2.0/24", Link: "eth0"}},
	}
}

func need() Need {
	return Need{
		Addresses: []string{"10.97.0.1:53", "10.97.0.1:6443", "127.0.0.1:2379"},
		Networks:  []string{"10.97.0.0/24", "10.98.0.0/16"},
		Bridge:    "brazier0", BridgeAddress: "10.97.0.1/24",
		FreeBytes: 5 << 30,
	}
}

func TestCheck(t *testing.T) {
	other := Process{PID: 42, Argv: []string{"/usr/bin/etcd", "--name=default"}}
	tests := map[string]struct {
		reason string
		change func(*Machine)
		want   string
	}{
		"Usable": {
			reason: "A machine with nothing in the way is taken as it is.",
			change: func(*Machine) {},
		},
		"NotLinux": {
			reason: "Nothing else matters where containers cannot run.",
			change: func(m *Machine) { m.OS, m.UID = "darwin", 501 },
			want: "this is darwin, and containers need Linux; run Brazier on a Linux machine, " +
				"or give a cluster that is there: brazier up --kubeconfig FILE",
		},
		"NotRoot": {
			reason: "Without root there is still a way to use Brazier.",
			change: func(m *Machine) { m.UID = 1000 },
			want: "you are user 1000, and starting containers needs root; run it with sudo, " +
				"or give a cluster that is there: brazier up --kubeconfig FILE",
		},
		"NoControllers": {
			reason: "The kubelet would refuse to start, in words of its own.",
			change: func(m *Machine) { m.Controllers = []string{"cpu", "cpuset", "cpuacct"} },
			want: "no control group controller memory, pids, without which pods cannot be bounded; " +
				"mount the hierarchy of each under /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1",
		},
		"CgroupV2": {
			reason: "Version 2 has no controller cpuacct: cpu does its work.",
			change: func(m *Machine) { m.CgroupV2, m.Controllers = true, []string{"cpu", "cpuset", "memory", "pids"} },
		},
		"NoOverlay": {
			reason: "containerd would fail at the first image.",
			change: func(m *Machine) { m.Overlay = false },
			want: "the kernel has no overlayfs, which images are put together with; load it (modprobe overlay) " +
				"or use a kernel that has it",
		},
		"DiskFull": {
			reason: "The kubelet would evict every pod.",
			change: func(m *Machine) { m.Free = 3 << 29 },
			want: "/var/lib/brazier has 1.5 GiB free, and 5 GiB is the least that images and jobs need; " +
				"free some, or choose another disk with --home",
		},
		"PortTaken": {
			reason: "The user has to know whom to stop.",
			change: func(m *Machine) {
				m.Sockets = []Socket{{Network: "tcp", Address: "127.0.0.1:2379", Process: other}}
			},
			want: "127.0.0.1:2379 is taken by etcd (process 42), which listens on 127.0.0.1:2379; stop that, or have it listen elsewhere",
		},
		"PortTakenEverywhere": {
			reason: "A wildcard address takes the port of every address.",
			change: func(m *Machine) { m.Sockets = []Socket{{Network: "tcp", Address: "[::]:6443"}} },
			want: "10.97.0.1:6443 is taken by a process that cannot be seen from here, which listens on [::]:6443; " +
				"stop that, or have it listen elsewhere",
		},
		"PortOfOurs": {
			reason: "Parts that run already are what the cluster is made of.",
			change: func(m *Machine) {
				m.Sockets = []Socket{{Network: "tcp", Address: "127.0.0.1:2379", Process: Process{PID: 42, Ours: true}}}
			},
		},
		"OtherAddresses": {
			reason: "systemd-resolved and dnsmasq listen on port 53 of other addresses, or of all with UDP.",
			change: func(m *Machine) {
				m.Sockets = []Socket{
					{Network: "tcp", Address: "127.0.0.53:53", Process: other},
					{Network: "udp", Address: "0.0.0.0:53", Process: other},
					{Network: "tcp", Address: "0.0.0.0:22", Process: other},
				}
			},
		},
		"ForeignBridge": {
			reason: "Another cluster of another home, or somebody's own bridge of that name.",
			change: func(m *Machine) {
				m.Links = append(m.Links, Link{Name: "brazier0", Type: "bridge", Addresses: []string{"10.5.0.1/16"}})
			},
			want: "there is a bridge brazier0 with the address 10.5.0.1/16, and Brazier's has 10.97.0.1/24; remove it (ip link delete brazier0)",
		},
		"ForeignLink": {
			reason: "Only a bridge can have pods attached.",
			change: func(m *Machine) { m.Links = append(m.Links, Link{Name: "brazier0", Type: "dummy"}) },
			want:   "there is a network interface brazier0 of type dummy, and Brazier's bridge has that name; remove it (ip link delete brazier0)",
		},
		"OwnBridge": {
			reason: "The last run's bridge is used again, with its link-local IPv6 address and its route.",
			change: func(m *Machine) {
				m.Links = append(m.Links, Link{Name: "brazier0", Type: "bridge", Addresses: []string{"10.97.0.1/24", "fe80::1/64"}})
				m.Routes = append(m.Routes, Route{Destination: "10.97.0.0/24", Link: "brazier0"})
			},
		},
		"OverlappingRoute": {
			reason: "A VPN that takes all of 10.0.0.0/8 would lose part of it.",
			change: func(m *Machine) { m.Routes = append(m.Routes, Route{Destination: "10.98.4.0/24", Link: "tun0"}) },
			want: "the cluster's network 10.98.0.0/16 overlaps with 10.98.4.0/24, which the machine reaches through tun0; " +
				"remove that route (ip route delete 10.98.4.0/24) or leave that network, such as a VPN",
		},
		"OtherKubelet": {
			reason: "Two kubelets remove each other's pods.",
			change: func(m *Machine) {
				m.Processes = []Process{
					{PID: 7, Argv: []string{"/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"}},
					{PID: 8, Argv: []string{"brazier-cluster", "kubelet"}, Ours: true},
				}
			},
			want: "kubelet of another cluster runs here (process 7); a machine can be a node of one cluster only: " +
				"stop that one, or use it: brazier up --kubeconfig FILE",
		},
		"OtherPods": {
			reason: "Pods without a kubelet are what a cluster leaves that was not taken down.",
			change: func(m *Machine) {
				m.Processes = []Process{{PID: 9, Argv: []string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "x"}}}
			},
			want: "a pod of another cluster runs here (process 9); a machine can be a node of one cluster only: " +
				"stop that one, or use it: brazier up --kubeconfig FILE",
		},
		"DockersContainers": {
			reason: "Docker's containers have shims too, and do no harm.",
			change: func(m *Machine) {
				m.Processes = []Process{{PID: 9, Argv: []string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "x"}}}
			},
		},
		"OtherHome": {
			reason: "All that is in the way then is that cluster; to name its ports one by one would hide it.",
			change: func(m *Machine) {
				m.OtherHome = "/srv/brazier"
				m.Sockets = []Socket{{Network: "tcp", Address: "127.0.0.1:2379", Process: other}}
			},
			want: "another Brazier cluster runs on this machine, with its home in /srv/brazier, and there can be one at a time; " +
				"stop it: brazier down --home /srv/brazier",
		},
		"Everything": {
			reason: "Whoever clears one thing away should not meet the next.",
			change: func(m *Machine) { m.UID, m.Overlay = 1000, false },
			want: "you are user 1000, and starting containers needs root; run it with sudo, " +
				"or give a cluster that is there: brazier up --kubeconfig FILE\n" +
				"the kernel has no overlayfs, which images are put together with; load it (modprobe overlay) " +
				"or use a kernel that has it",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			machine := usable()
			tt.change(&machine)
			got := ""
			if err := Check(machine, need()); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestParseSockets(t *testing.T) {
	table := `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:094B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5741 1 0000000000000000 100 0 0 10 0
   1: 0100007F:A1B2 0100007F:094B 01 00000000:00000000 00:00000000 00000000     0        0 5742 1 0000000000000000 100 0 0 10 0
   2: 00000000000000000000000000000000:192B 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0 100 0 0 10 0
`
	sockets, err := parseSockets(table, "tcp", stateListen)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, socket := range sockets {
		got[socket.inode] = socket.address.String()
	}
	want := map[string]string{"5741": "127.0.0.1:2379", "99": "[::]:6443"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("only what listens counts, at the address that it is bound to\n-want +got:\n%s", diff)
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("0100007F:094B")
	f.Add("00000000000000000000000000000000:192B")
	f.Add(":")
	f.Fuzz(func(t *testing.T, text string) {
		if address, err := parseAddress(text); err == nil && !address.IsValid() {
			t.Errorf("%q gave an address that is none", text)
		}
	})
}

func TestResolvers(t *testing.T) {
	conf := "# comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver fd00::53\nnameserver\nnameserver not-an-address\n"
	want := []string{"192.0.2.53", "fd00::53"}
	if diff := cmp.Diff(want, resolvers(conf)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
