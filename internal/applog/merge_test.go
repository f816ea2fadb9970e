package applog

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(ms int, name, text string) Line {
	return Line{From: Source{Name: name}, At: noon.Add(time.Duration(ms) * time.Millisecond), Text: text}
}

func texts(lines []Line) []string {
	var all []string
	for _, line := range lines {
		all = append(all, line.From.Name+" "+line.Text)
	}
	return all
}

func TestMerge(t *testing.T) {
	tests := map[string]struct {
		reason string
		logs   [][]Line
		want   []string
	}{
		"InOrderOfTime": {
			reason: "Lines of several logs are told in the order in which they were written.",
			logs: [][]Line{
				{at(0, "driver", "a"), at(30, "driver", "d")},
				{at(10, "executor 1", "b"), at(20, "executor 1", "c"), at(40, "executor 1", "e")},
			},
			want: []string{"driver a", "executor 1 b", "executor 1 c", "driver d", "executor 1 e"},
		},
		"OwnOrderCounts": {
			reason: "A log whose times go back is not sorted: what a traceback says belongs together.",
			logs:   [][]Line{{at(20, "driver", "first"), at(10, "driver", "second")}, {at(15, "executor 1", "x")}},
			want:   []string{"executor 1 x", "driver first", "driver second"},
		},
		"Same": {
			reason: "At the same moment the driver comes first.",
			logs:   [][]Line{{at(0, "driver", "a")}, {at(0, "executor 1", "b")}},
			want:   []string{"driver a", "executor 1 b"},
		},
		"Empty": {reason: "Logs without a line say nothing.", logs: [][]Line{{}, {}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var channels []chan Line
			for _, log := range tt.logs {
				channels = append(channels, channelOf(log))
			}
			var got []Line
			merge(channels, func(line Line) { got = append(got, line) })
			if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestLiveSortsWhatArrivesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		live := NewLive(Reader{})
		var got []Line
		done := make(chan struct{})
		go func() {
			defer close(done)
			live.Run(func(line Line) { got = append(got, line) })
		}()
		live.lines <- at(20, "driver", "b")
		live.lines <- at(10, "executor 1", "a")
		time.Sleep(2 * settle) // The bubble's clock.
		live.lines <- at(5, "executor 2", "late")
		synctest.Wait()
		live.Close()
		<-done
		if diff := cmp.Diff([]string{"executor 1 a", "driver b", "executor 2 late"}, texts(got)); diff != "" {
			t.Errorf("lines that arrive together are sorted, and nothing is kept back for long\n-want +got:\n%s", diff)
		}
	})
}

func TestPrinter(t *testing.T) {
	var out bytes.Buffer
	p := Printer{Out: &out, Names: true, Timestamps: true}
	p.Print(at(5, "driver", "hello"))
	p.Print(at(6, "executor 12", "hello"))
	p.Print(Line{From: Source{Name: "driver"}, Text: "the server's own words"})
	coloured := Printer{Out: &out, Names: true, Colour: true}
	coloured.Print(at(0, "driver", "x"))
	coloured.Print(at(0, "executor 1", "y"))
	plain := Printer{Out: &out}
	plain.Print(at(0, "driver", "as it is"))
	want := "driver     │ 2026-11-23T12:00:00.005Z hello\n" +
		"executor 12 │ 2026-11-23T12:00:00.006Z hello\n" +
		"driver      │ the server's own words\n" +
		"\x1b[36mdriver     │\x1b[0m x\n" +
		"\x1b[33mexecutor 1 │\x1b[0m y\n" +
		"as it is\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
