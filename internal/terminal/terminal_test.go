package terminal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestProgress(t *testing.T) {
	tests := map[string]struct {
		reason      string
		done, total int64
		unit        Unit
		elapsed     time.Duration
		want        string
	}{
		"Download": {
			reason: "A download shows its share, its rate and the time left.",
			done:   120e6, total: 480e6, unit: Bytes, elapsed: 10 * time.Second,
			want: "25% of 480 MB, 12 MB/s, 30s left",
		},
		"UnknownTotal": {
			reason: "Without a total there is no share and no time left.",
			done:   500_000, unit: Bytes, elapsed: time.Second,
			want: "500 kB, 500 kB/s",
		},
		"Complete": {
			reason: "Nothing is left when all is done.",
			done:   10, total: 10, unit: Items, elapsed: 2 * time.Second,
			want: "100% of 10, 5/s",
		},
		"NotBegun": {
			reason: "No rate can be told from nothing.",
			done:   0, total: 10, unit: Items, elapsed: time.Second,
			want: "0% of 10",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := progress(tt.done, tt.total, tt.unit, tt.elapsed)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestStepAppends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		streams := Streams{Err: &log}

		step := streams.Step("downloading %s", "Spark")
		step.Progress(1e6, 100e6, Bytes) // Too early for another line.
		time.Sleep(20 * time.Second)     // The bubble's clock, not ours.
		step.Progress(50e6, 100e6, Bytes)
		time.Sleep(20 * time.Second)
		step.Done("%d MB", 100)
		step.Fail(errors.New("said after the end"))

		want := "• downloading Spark\n" +
			"• downloading Spark  50% of 100 MB, 2 MB/s, 20s left\n" +
			"✓ downloading Spark  40s  100 MB\n"
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Errorf("lines of a step that is not on a terminal\n-want +got:\n%s", diff)
		}
	})
}

func TestStepRedraws(t *testing.T) {
	var screen bytes.Buffer
	step := &Step{out: &screen, interactive: true, width: 20, name: strings.Repeat("x", 40)}
	step.draw("•", "", false)
	if got := len([]rune(strings.TrimPrefix(screen.String(), "\r\x1b[K"))); got != 19 {
		t.Errorf("a line that is redrawn has %d columns on a terminal of 20; it must not wrap", got)
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	Streams{Out: &out}.Table([]string{"COUNTRY", "REVENUE"}, [][]string{{"Österreich", "1,204.50"}, {"UK", "7.00"}})
	want := "COUNTRY      REVENUE\n" +
		"Österreich  1,204.50\n" +
		"UK              7.00\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("numbers are aligned to the right, and width counts characters\n-want +got:\n%s", diff)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, streams := range map[string]Streams{"File": {Out: file, Err: file}, "Buffer": {Out: new(bytes.Buffer), Err: new(bytes.Buffer)}} {
		if streams.ColourOut() || streams.Colour() {
			t.Errorf("%s: what is no terminal gets no colours", name)
		}
	}
	if got := Plain.Paint("x"); got != "x" {
		t.Errorf("what is not set off stays as it is, got %q", got)
	}
	if got := Bad.Paint("x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
}
