package localcluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/internal/localcluster/layout"
)

func TestOwns(t *testing.T) {
	c := &Cluster{Layout: layout.Layout{Home: "/var/lib/brazier", Run: "/run/brazier"}}
	tests := map[string]struct {
		reason string
		argv   []string
		want   bool
	}{
		"Part":        {"A part names files of the home.", []string{"/usr/bin/brazier-cluster", "etcd", "--data-dir=/var/lib/brazier/etcd"}, true},
		"Containerd":  {"It is the machine's program, with our configuration.", []string{"/usr/bin/containerd", "--config", "/var/lib/brazier/config/containerd.toml"}, true},
		"Shim":        {"Containers' shims name our containerd's socket.", []string{"/usr/bin/containerd-shim-runc-v2", "-address", "/run/brazier/containerd/containerd.sock"}, true},
		"OtherHome":   {"A cluster of another home is another's, though the name begins alike.", []string{"brazier-cluster", "etcd", "--data-dir=/var/lib/brazier2/etcd"}, false},
		"SystemsOwn":  {"The machine may have a containerd of its own.", []string{"/usr/bin/containerd"}, false},
		"Administers": {"Whoever reads a log or uses the kubeconfig must not be killed.", []string{"kubectl", "--kubeconfig=/var/lib/brazier/kubeconfig", "get", "pods"}, false},
		"Itself":      {"Neither must this program.", []string{"brazier", "down", "--home", "/var/lib/brazier/"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := c.owns(tt.argv); got != tt.want {
				t.Errorf("%s: got %v", tt.reason, got)
			}
		})
	}
}

func TestProxyEnv(t *testing.T) {
	tests := map[string]struct {
		reason string
		env    map[string]string
		want   []string
	}{
		"None": {reason: "Without a proxy there is nothing to say."},
		"Proxy": {
			reason: "The cluster's own registry is never behind the proxy, and the user's exceptions stay.",
			env:    map[string]string{"https_proxy": "http://proxy:3128", "NO_PROXY": "internal.example.com"},
			want:   []string{"HTTPS_PROXY=http://proxy:3128", "NO_PROXY=10.97.0.0/24,10.98.0.0/16,127.0.0.1,localhost,internal.example.com"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := proxyEnv(func(name string) string { return tt.env[name] })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestNodeReady(t *testing.T) {
	node := func(boot string, status corev1.ConditionStatus) *corev1.Node {
		return &corev1.Node{Status: corev1.NodeStatus{
			NodeInfo:   corev1.NodeSystemInfo{BootID: boot},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: status, Message: "no network"}},
		}}
	}
	tests := map[string]struct {
		reason string
		node   *corev1.Node
		want   string
	}{
		"Ready":      {reason: "It says so.", node: node("now", corev1.ConditionTrue)},
		"NotReady":   {reason: "It says why not.", node: node("now", corev1.ConditionFalse), want: "the node is not ready: no network"},
		"BeforeBoot": {reason: "What it said before a reboot is no longer true.", node: node("then", corev1.ConditionTrue), want: "the kubelet has not said anything since the machine was started"},
		"Silent":     {reason: "It is only just registered.", node: &corev1.Node{Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{BootID: "now"}}}, want: "the node has not said whether it is ready"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := nodeReady(tt.node, "now"); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
