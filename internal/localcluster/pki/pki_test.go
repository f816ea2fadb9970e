package pki

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func authorities(hosts ...string) []Authority {
	return []Authority{{Name: "ca", CommonName: "test", Leaves: []Leaf{
		{Name: "server", CommonName: "server", Server: true, Hosts: hosts},
		{Name: "client", CommonName: "alice", Organizations: []string{"admins"}, Client: true},
	}}}
}

func TestEnsure(t *testing.T) {
	tests := map[string]struct {
		reason string
		damage func(t *testing.T, dir string)
		after  time.Duration
		hosts  []string
		want   []string
	}{
		"Nothing": {
			reason: "What is good stays, so that no part restarts without need.",
			hosts:  []string{"localhost", "127.0.0.1"},
		},
		"OtherHosts": {
			reason: "A server that is called by another name needs a certificate that says so.",
			hosts:  []string{"localhost", "127.0.0.1", "10.97.0.1"},
			want:   []string{"server.crt", "server.key"},
		},
		"NearExpiry": {
			reason: "Certificates are renewed well before they end; the authority lives longer.",
			after:  leafLife - renewBefore + time.Hour,
			hosts:  []string{"localhost", "127.0.0.1"},
			want:   []string{"client.crt", "client.key", "server.crt", "server.key"},
		},
		"AuthorityNearExpiry": {
			reason: "A new authority has to sign everything anew.",
			after:  authorityLife - renewBefore + time.Hour,
			hosts:  []string{"localhost", "127.0.0.1"},
			want:   []string{"ca.crt", "ca.key", "client.crt", "client.key", "server.crt", "server.key"},
		},
		"KeyOfAnother": {
			reason: "A crash between the two writes leaves a key that is not the certificate's.",
			damage: func(t *testing.T, dir string) { copyFile(t, dir, "client.key", "server.key") },
			hosts:  []string{"localhost", "127.0.0.1"},
			want:   []string{"server.crt", "server.key"},
		},
		"Emptied": {
			reason: "A full disk leaves empty files.",
			damage: func(t *testing.T, dir string) {
				if err := os.Truncate(filepath.Join(dir, "client.crt"), 0); err != nil {
					t.Fatal(err)
				}
			},
			hosts: []string{"localhost", "127.0.0.1"},
			want:  []string{"client.crt", "client.key"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := New(dir, noon).Ensure(authorities("localhost", "127.0.0.1")); err != nil {
				t.Fatal(err)
			}
			if tt.damage != nil {
				tt.damage(t, dir)
			}
			before := contents(t, dir)
			if err := New(dir, noon.Add(tt.after)).Ensure(authorities(tt.hosts...)); err != nil {
				t.Fatal(err)
			}
			var changed []string
			for file, content := range contents(t, dir) {
				if before[file] != content {
					changed = append(changed, file)
				}
			}
			slices.Sort(changed)
			if diff := cmp.Diff(tt.want, changed); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestCertificatesAreWhatTheySay(t *testing.T) {
	dir := t.TempDir()
	if err := New(dir, noon).Ensure(authorities("localhost", "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(contents(t, dir)["ca.crt"]))

	for name, usage := range map[string]x509.ExtKeyUsage{
		"server": x509.ExtKeyUsageServerAuth, "client": x509.ExtKeyUsageClientAuth,
	} {
		cert := leaf(t, dir, name)
		options := x509.VerifyOptions{Roots: roots, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{usage}}
		if _, err := cert.Verify(options); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := leaf(t, dir, "server").VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"admins"}, leaf(t, dir, "client").Subject.Organization); diff != "" {
		t.Errorf("to Kubernetes the organizations are the user's groups\n-want +got:\n%s", diff)
	}
}

func TestOnlyTheOwnerReads(t *testing.T) {
	dir := t.TempDir()
	store := New(dir, noon)
	if err := store.Ensure(authorities("localhost")); err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureKey("tokens"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", entry.Name(), info.Mode().Perm())
		}
	}
}

func TestEnsureKeyKeepsTheKey(t *testing.T) {
	dir := t.TempDir()
	store := New(dir, noon)
	if err := store.EnsureKey("tokens"); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	if err := store.EnsureKey("tokens"); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, contents(t, dir)) {
		t.Error("the key changed: every token that was signed with it is now worthless")
	}
	if err := os.WriteFile(filepath.Join(dir, "tokens.key"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureKey("tokens"); err == nil {
		t.Error("a damaged signing key was replaced in silence")
	}
}

func leaf(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(data)
	}
	return files
}

func copyFile(t *testing.T, dir, from, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, from))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, to), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
