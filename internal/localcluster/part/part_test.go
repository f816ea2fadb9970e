package part

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/internal/localcluster/layout"
)

var update = flag.Bool("update", false, "rewrite golden files")

func config() Config {
	return Config{
		Layout:  layout.Layout{Home: "/var/lib/brazier", Run: "/run/brazier", Bin: "/usr/local/bin"},
		Address: layout.NodeAddress,
		Ports:   DefaultPorts(),
		Node: Node{
			Containerd: "/usr/bin/containerd", ContainerdMajor: 1, CNIBin: "/usr/lib/cni",
			Resolvers: []string{"127.0.0.53", "192.0.2.53"}, PauseImage: layout.Registry + "/brazier/pause:1",
		},
	}
}

// TestGolden keeps every part's whole description in a file, so that a change of any flag is read in review.
func TestGolden(t *testing.T) {
	v2 := config()
	v2.Node.ContainerdMajor = 2
	v2.Node.KeepOOMScore, v2.Node.MasqueradeAll, v2.Node.Resolvers = true, true, nil
	for dir, parts := range map[string][]Part{"usual": All(config()), "other-machine": All(v2)} {
		for _, p := range parts {
			t.Run(dir+"/"+p.Name, func(t *testing.T) {
				golden(t, filepath.Join("testdata", dir, p.Name+".txt"), render(p))
			})
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update rewrites it)\n-want +got:\n%s", path, diff)
	}
}

func render(p Part) string {
	var text strings.Builder
	section := func(name string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&text, "%s:\n  %s\n", name, strings.Join(lines, "\n  "))
		}
	}
	section("argv", p.Argv)
	section("env", p.Env)
	section("dirs", p.Dirs)
	section("reads", p.Reads)
	section("after", p.After)
	section("listens", p.Listens)
	fmt.Fprintf(&text, "healthy: %+v\n", p.Healthy)
	for _, file := range p.Files {
		fmt.Fprintf(&text, "--- %s\n%s", file.Path, file.Content)
	}
	return text.String()
}

func TestNobodyElseCanConnect(t *testing.T) {
	for _, p := range All(config()) {
		for _, listen := range p.Listens {
			host, _, err := net.SplitHostPort(listen)
			if err != nil {
				t.Fatal(err)
			}
			if host != layout.NodeAddress && host != layout.Loopback {
				t.Errorf("%s listens at %s, which is neither loopback nor the node's own bridge", p.Name, listen)
			}
		}
	}
}

func TestNothingSkipsVerification(t *testing.T) {
	for _, p := range All(config()) {
		if strings.Contains(render(p), "insecure") {
			t.Errorf("%s asks for something insecure:\n%s", p.Name, render(p))
		}
	}
}

func TestOrderHonoursDependencies(t *testing.T) {
	var before []string
	for _, p := range All(config()) {
		for _, dependency := range p.After {
			if !slices.Contains(before, dependency) {
				t.Errorf("%s comes before %s, which it needs", p.Name, dependency)
			}
		}
		before = append(before, p.Name)
	}
}

func TestEveryCertificateIsMade(t *testing.T) {
	c := config()
	made := map[string]bool{c.Layout.Key(serviceAccounts): true, c.Layout.ObjectStoreKeys(): true}
	for _, authority := range Authorities(c) {
		made[c.Layout.Cert(authority.Name)], made[c.Layout.Key(authority.Name)] = true, true
		for _, leaf := range authority.Leaves {
			made[c.Layout.Cert(leaf.Name)], made[c.Layout.Key(leaf.Name)] = true, true
		}
	}
	for _, p := range All(c) {
		files := p.Reads
		for _, file := range []string{p.Healthy.CA, p.Healthy.Cert, p.Healthy.Key} {
			if file != "" {
				files = append(files, file)
			}
		}
		for _, file := range files {
			if !made[file] {
				t.Errorf("%s needs %s, which nobody makes", p.Name, file)
			}
		}
	}
}

func TestResolvConf(t *testing.T) {
	tests := map[string]struct {
		reason    string
		resolvers []string
		want      string
	}{
		"Usual": {
			reason:    "Pods with dnsPolicy Default ask whom the machine asks.",
			resolvers: []string{"192.0.2.53", "192.0.2.54"},
			want:      "nameserver 192.0.2.53\nnameserver 192.0.2.54\n",
		},
		"Stub": {
			reason:    "A resolver on loopback is another one in a pod; CoreDNS can ask it.",
			resolvers: []string{"127.0.0.53"},
			want:      "nameserver 10.97.0.1\n",
		},
		"None": {
			reason: "A machine without DNS still has the cluster's.",
			want:   "nameserver 10.97.0.1\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, resolvConf(tt.resolvers)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
