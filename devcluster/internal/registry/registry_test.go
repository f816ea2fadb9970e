package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const secured = `
version: 0.1
storage: {filesystem: {rootdirectory: /images}}
http:
  addr: 10.97.0.1:5000
  tls: {certificate: /c, key: /k, clientcas: [/ca]}
`
	tests := map[string]struct {
		reason  string
		content string
		wantErr string
	}{
		"Secured": {reason: "Certificates on both sides are all that it takes.", content: secured},
		"Open": {
			reason:  "A registry that takes images from every pod lets a pod replace what others run.",
			content: strings.ReplaceAll(secured, ", clientcas: [/ca]", ""),
			wantErr: "http.tls needs certificate, key and clientcas",
		},
		"Garbage": {reason: "The file is named.", content: "a: [", wantErr: "config.yaml"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			config, err := parse([]string{"--config", path})
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if config.HTTP.Addr != "10.97.0.1:5000" || config.Storage.Type() != "filesystem" {
				t.Errorf("%s\ngot address %q and storage %q", tt.reason, config.HTTP.Addr, config.Storage.Type())
			}
		})
	}
}

func TestParseNeedsAFile(t *testing.T) {
	for _, args := range [][]string{nil, {"--config", "/does/not/exist"}, {"--other"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("parse(%q): got no error, want one", args)
		}
	}
}
