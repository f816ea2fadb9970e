package leftovers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMountsIn(t *testing.T) {
	table := `/dev/sda1 / ext4 rw 0 0
tmpfs /var/lib/brazier/kubelet/pods/1/volumes/a tmpfs rw 0 0
overlay /run/brazier/containerd/state/x\040y/rootfs overlay rw 0 0
tmpfs /var/lib/brazier-other/a tmpfs rw 0 0
tmpfs /var/lib/brazier/kubelet/pods/1/volumes/a/b tmpfs rw 0 0
`
	want := []string{
		"/var/lib/brazier/kubelet/pods/1/volumes/a/b",
		"/run/brazier/containerd/state/x y/rootfs",
		"/var/lib/brazier/kubelet/pods/1/volumes/a",
	}
	if diff := cmp.Diff(want, mountsIn(table, []string{"/var/lib/brazier", "/run/brazier"})); diff != "" {
		t.Errorf("mounts in mounts come first, and a folder whose name only begins alike is another\n-want +got:\n%s", diff)
	}
}

func TestNamespacesIn(t *testing.T) {
	result := `{"kind":"cniCacheV1","result":{"interfaces":[{"name":"brazier0"},{"name":"veth1"},
		{"name":"eth0","sandbox":"/var/run/netns/cni-1"},{"name":"x","sandbox":"/var/run/netns/somebodys"}]}}`
	got, err := namespacesIn([]byte(result))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/var/run/netns/cni-1"}, got); diff != "" {
		t.Errorf("only namespaces that containerd has made are removed\n-want +got:\n%s", diff)
	}
}

func FuzzUnescape(f *testing.F) {
	f.Add(`/a\040b`)
	f.Add(`\`)
	f.Add(`\999`)
	f.Fuzz(func(t *testing.T, text string) {
		if got := unescape(text); len(got) > len(text) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
