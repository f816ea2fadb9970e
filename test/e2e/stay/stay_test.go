package stay_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"brazier.sh/brazier/test/e2e/stay"
)

func TestRun(t *testing.T) {
	type outcome struct {
		Did  []string
		Code int
		Said string
	}
	tests := map[string]struct {
		reason string
		stay   stay.Stay
		fails  []string
		code   int
		want   outcome
	}{
		"Fresh": {
			reason: "Where nothing was nothing is left.",
			stay:   stay.Stay{Fresh: true},
			want:   outcome{Did: []string{"up", "tests", "down --purge"}},
		},
		"Stopped": {
			reason: "The data of a cluster that was there stays.",
			want:   outcome{Did: []string{"up", "tests", "down"}},
		},
		"Running": {
			reason: "A cluster that ran before runs after.",
			stay:   stay.Stay{WasUp: true},
			want:   outcome{Did: []string{"up", "tests"}},
		},
		"TestsFail": {
			reason: "The code is that of the tests, and they are no reason to leave a cluster.",
			stay:   stay.Stay{Fresh: true},
			code:   3,
			want:   outcome{Did: []string{"up", "tests", "down --purge"}, Code: 3},
		},
		"UpFails": {
			reason: "What came up before the part that did not would run for ever.",
			stay:   stay.Stay{Fresh: true},
			fails:  []string{"up"},
			want:   outcome{Did: []string{"up", "down --purge"}, Code: 1, Said: "brazier up: up failed\n"},
		},
		"UpFailsWhereItRan": {
			reason: "Somebody else's cluster is not ours to stop, in whatever state it is.",
			stay:   stay.Stay{WasUp: true},
			fails:  []string{"up"},
			want:   outcome{Did: []string{"up"}, Code: 1, Said: "brazier up: up failed\n"},
		},
		"DownFails": {
			reason: "A cluster that is left is a failure of its own.",
			fails:  []string{"down"},
			want:   outcome{Did: []string{"up", "tests", "down"}, Code: 1, Said: "brazier down: down failed\n"},
		},
		"AllFails": {
			reason: "Both are told.",
			fails:  []string{"up", "down"},
			want:   outcome{Did: []string{"up", "down"}, Code: 1, Said: "brazier up: up failed\nbrazier down: down failed\n"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got outcome
			var said bytes.Buffer
			tt.stay.Errors = &said
			tt.stay.Brazier = func(args ...string) error {
				got.Did = append(got.Did, strings.Join(args, " "))
				if slices.Contains(tt.fails, args[0]) {
					return errors.New(args[0] + " failed")
				}
				return nil
			}
			got.Code = tt.stay.Run(func() int {
				got.Did = append(got.Did, "tests")
				return tt.code
			})
			got.Said = said.String()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}
