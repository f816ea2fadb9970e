package network

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	ourJump   = `CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"brazier\" id: \"1\"" -m multiport --dports 8088 -j CNI-DN-1`
	otherJump = `CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"podman\" id: \"2\"" -m multiport --dports 80 -j CNI-DN-2`
)

func saved(rules ...string) []byte {
	lines := []string{"*nat", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":CNI-DN-1 - [0:0]", ":CNI-HOSTPORT-DNAT - [0:0]"}
	for _, rule := range rules {
		lines = append(lines, "-A "+rule)
	}
	return []byte(strings.Join(append(lines, "COMMIT"), "\n"))
}

func TestPortMapRemoval(t *testing.T) {
	const parent = "PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT"
	tests := map[string]struct {
		reason string
		saved  []byte
		want   []string
	}{
		"Alone": {
			reason: "Where nobody else has host ports the plugin's own chains go too, with the jumps to them.",
			saved:  saved(parent, ourJump, "PREROUTING -p tcp -j MINE"),
			want: []string{
				"*nat", "-D " + ourJump, "-D " + parent, "-F CNI-DN-1", "-F CNI-HOSTPORT-DNAT", "-X CNI-DN-1", "-X CNI-HOSTPORT-DNAT", "COMMIT", "",
			},
		},
		"WithAnother": {
			reason: "Another network's host ports go on working.",
			saved:  saved(parent, ourJump, otherJump),
			want:   []string{"*nat", "-D " + ourJump, "-F CNI-DN-1", "-X CNI-DN-1", "COMMIT", ""},
		},
		"Nothing": {
			reason: "A machine that never had a host port is left alone.",
			saved:  []byte("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"),
			want:   []string{""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := strings.Split(portMapRemoval(tt.saved), "\n")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func FuzzPortMapRemoval(f *testing.F) {
	f.Add(saved(ourJump, otherJump))
	f.Add([]byte(":\n-A \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if script := portMapRemoval(text); script != "" && !strings.HasPrefix(script, "*nat\n") {
			t.Errorf("not a script: %q", script)
		}
	})
}

func TestEmpty(t *testing.T) {
	const base = "table ip nat {\n\tchain PREROUTING {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n%s\t}\n}\n"
	if !empty(strings.Replace(base, "%s", "", 1)) {
		t.Error("a table of base chains without a rule holds nothing")
	}
	if empty(strings.Replace(base, "%s", "\t\tip daddr 192.0.2.1 drop\n", 1)) {
		t.Error("a table with a rule was taken for empty: somebody would lose it")
	}
}
