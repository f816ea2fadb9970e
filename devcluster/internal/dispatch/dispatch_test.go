package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMainRunsTheNamedPart(t *testing.T) {
	restoreArgs(t)
	var got, seen []string
	parts := []Part{
		{Name: "other", Run: func([]string) error { return errors.New("must not run") }},
		{Name: "kubelet", Run: func(args []string) error {
			got, seen = args, os.Args
			return nil
		}},
	}
	if code := Main(parts, []string{"brazier-cluster", "kubelet", "--v=2"}, nil, nil); code != 0 {
		t.Errorf("Main returned %d, want 0", code)
	}
	if diff := cmp.Diff([]string{"--v=2"}, got); diff != "" {
		t.Errorf("the part gets its own flags only\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kubelet", "--v=2"}, seen); diff != "" {
		t.Errorf("upstream's commands read os.Args\n-want +got:\n%s", diff)
	}
}

func TestMainFails(t *testing.T) {
	restoreArgs(t)
	parts := []Part{
		{Name: "etcd", Run: func([]string) error { return errors.New("disk full") }},
		{Name: "kubelet"},
	}
	const usage = "usage: brazier-cluster PART [flags], where PART is one of etcd, kubelet, versions\n"
	tests := map[string]struct {
		reason   string
		args     []string
		wantCode int
		want     string
	}{
		"NoPart": {
			reason:   "Whoever types nothing learns what there is to type.",
			args:     []string{"brazier-cluster"},
			wantCode: 2,
			want:     "brazier-cluster: no part named\n" + usage,
		},
		"UnknownPart": {
			reason:   "A mistyped part is named, and so are the ones that there are.",
			args:     []string{"brazier-cluster", "etdc", "--x"},
			wantCode: 2,
			want:     "brazier-cluster: \"etdc\" is not a part\n" + usage,
		},
		"PartFails": {
			reason:   "A part's error says which part, and is no fault of the command line.",
			args:     []string{"brazier-cluster", "etcd"},
			wantCode: 1,
			want:     "brazier-cluster: etcd: disk full\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			if code := Main(parts, tt.args, nil, &stderr); code != tt.wantCode {
				t.Errorf("%s\nMain returned %d, want %d", tt.reason, code, tt.wantCode)
			}
			if diff := cmp.Diff(tt.want, stderr.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	info := &debug.BuildInfo{Deps: []*debug.Module{
		{Path: "example.org/a", Version: "v1.2.3"},
		{Path: "example.org/b", Version: "v0.0.0", Replace: &debug.Module{Path: "example.org/b", Version: "v0.37.2"}},
	}}
	for path, want := range map[string]string{"example.org/a": "1.2.3", "example.org/b": "0.37.2", "example.org/c": "unknown"} {
		if got := version(info, path); got != want {
			t.Errorf("version of %s: got %s, want %s", path, got, want)
		}
	}
}

func TestVersionsNamesEveryPart(t *testing.T) {
	var stdout bytes.Buffer
	parts := []Part{{Name: "etcd", Module: "example.org/none"}, {Name: "kubelet", Module: "example.org/none"}}
	if code := Main(parts, []string{"brazier-cluster", "versions"}, &stdout, os.Stderr); code != 0 {
		t.Fatalf("Main returned %d, want 0", code)
	}
	got := map[string]string{}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("versions is not JSON: %v\n%s", err, stdout.String())
	}
	if diff := cmp.Diff(map[string]string{"etcd": "unknown", "kubelet": "unknown"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// restoreArgs puts os.Args back when the test ends, since Main replaces it.
func restoreArgs(t *testing.T) {
	t.Helper()
	before := os.Args
	t.Cleanup(func() { os.Args = before })
}
