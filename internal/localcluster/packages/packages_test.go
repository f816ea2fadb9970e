package packages

import (
	"testing"
)

func TestParseVersion(t *testing.T) {
	tests := map[string]struct {
		reason  string
		out     string
		version string
		major   int
		wantErr bool
	}{
		"Debian12": {
			reason: "Debian adds its own marks.",
			out:    "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3\n", version: "1.6.20~ds1", major: 1,
		},
		"Version2": {
			reason: "Version 2 has another path and a v.",
			out:    "containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b71\n", version: "2.1.4", major: 2,
		},
		"TooOld": {
			reason: "Before 1.6 containerd does not speak the kubelet's version of CRI.",
			out:    "containerd github.com/containerd/containerd 1.5.9 x\n", wantErr: true,
		},
		"Rubbish": {reason: "Something else is called containerd.", out: "hello\n", wantErr: true},
		"NoNumber": {
			reason: "A build without a version cannot be judged.",
			out:    "containerd github.com/containerd/containerd unknown x\n", wantErr: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			version, major, err := parseVersion(tt.out)
			if (err != nil) != tt.wantErr || version != tt.version || major != tt.major {
				t.Errorf("%s: got %q, %d, %v", tt.reason, version, major, err)
			}
		})
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("containerd github.com/containerd/containerd 1.6.20 x")
	f.Fuzz(func(t *testing.T, out string) {
		if version, _, err := parseVersion(out); err == nil && version == "" {
			t.Errorf("%q gave no version and no error", out)
		}
	})
}
