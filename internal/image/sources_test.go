package image

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostSources(t *testing.T) {
	tests := map[string]struct {
		reason string
		files  map[string]string
		want   string
	}{
		"Stanzas": {
			reason: "The machine's mirror serves the image's release too; what is not Debian's is left out.",
			files: map[string]string{
				"os-release": "ID=debian\nVERSION_CODENAME=bookworm\n",
				"apt/sources.list.d/debian.sources": `# mirror
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://vendor.example
Suites: nodistro
Components: main

Types: deb
Enabled: no
URIs: http://off.example
Suites: bookworm
Components: main
`,
			},
			want: `Types: deb
URIs: http://mirror.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: trixie-security
Components: main
Signed-By: 
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

`,
		},
		"Lines": {
			reason: "The older style means the same.",
			files: map[string]string{
				"os-release": "VERSION_CODENAME=\"bookworm\"\n",
				"apt/sources.list": `# deb http://not.example bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian bookworm main non-free # ours
deb-src https://mirror.example/debian bookworm main
deb http://vendor.example bookworm-pgdg main
`,
			},
			want: "Types: deb\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n\n",
		},
		"AnotherSystem": {
			reason: "Where the machine has no Debian packages of its own, mmdebstrap knows where they are.",
			files: map[string]string{
				"os-release": "ID=arch\n", "apt/sources.list": "deb http://mirror.example/debian bookworm main\n",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			etc := t.TempDir()
			if err := os.MkdirAll(filepath.Join(etc, "apt/sources.list.d"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := hostSources(etc, "trixie")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestAcquireOptions(t *testing.T) {
	dump := `APT::Architecture "amd64";
Acquire::Check-Valid-Until "false";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::Languages "none";
DPkg::Post-Invoke:: "rm -f /x";
`
	want := []string{`Acquire::Check-Valid-Until "false"`, `Acquire::http::Proxy "http://proxy.example:3128"`}
	if diff := cmp.Diff(want, acquireOptions(dump)); diff != "" {
		t.Errorf("only how packages are reached is handed on, never what this machine does after an installation\n-want +got:\n%s", diff)
	}
}
