package applog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCursorKeepsWhatIsOutOfOrder(t *testing.T) {
	// Standard output and standard error are two writers; their lines may carry times that go back.
	var c Cursor
	c.resume()
	var shown []string
	for _, text := range []string{"2026-11-23T12:00:00.2Z b", "2026-11-23T12:00:00.1Z a", "the server's own words"} {
		if line, fresh := c.take(text); fresh {
			shown = append(shown, line.Text)
		}
	}
	if diff := cmp.Diff([]string{"b", "a", "the server's own words"}, shown); diff != "" {
		t.Errorf("a stream that does not begin anew is shown whole\n-want +got:\n%s", diff)
	}
}

func FuzzCursor(f *testing.F) {
	f.Add("2026-11-23T12:00:00.1Z one\n2026-11-23T12:00:00.1Z one\n2026-11-23T12:00:00.2Z two")
	f.Fuzz(func(t *testing.T, log string) {
		lines := strings.Split(log, "\n")
		var c Cursor
		c.resume()
		for _, line := range lines {
			if _, fresh := c.take(line); !fresh {
				t.Fatalf("%q was left out of a log that is shown for the first time", line)
			}
		}
	})
}
