package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusal(t *testing.T) {
	tests := map[string]struct {
		reason string
		left   attended
		want   string
	}{
		"Nothing": {reason: "There is nobody to leave to themselves."},
		"Applications": {
			reason: "They end by themselves, so that waiting is a way.",
			left:   attended{applications: []string{"a/1", "a/2", "a/3", "a/4", "a/5", "b/1", "b/2"}},
			want: "7 applications have not ended: a/1, a/2, a/3, a/4, a/5 and 2 more; without an operator nobody would see applications end, " +
				"retry them or tidy up after them. Wait for applications to end, delete them, or leave them to themselves with --leave-running",
		},
		"ConnectServers": {
			reason: "They never end, so that nobody is told to wait for them.",
			left:   attended{connects: []string{"a/shell", "b/shell"}},
			want: "2 Connect servers are kept running: a/shell, b/shell; without an operator nobody would start Connect servers again that end. " +
				"Delete them, or leave them to themselves with --leave-running",
		},
		"Both": {
			reason: "Each is told of in its own words.",
			left:   attended{applications: []string{"a/1"}, connects: []string{"a/shell"}},
			want: "1 application has not ended: a/1, and 1 Connect server is kept running: a/shell; without an operator nobody would see applications end, " +
				"retry them or tidy up after them, or start Connect servers again that end. " +
				"Wait for applications to end, delete what is left, or leave them to themselves with --leave-running",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := tt.left.refusal(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
