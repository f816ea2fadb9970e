package logs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "part.log")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTail(t *testing.T) {
	var long strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	tests := map[string]struct {
		reason  string
		content string
		lines   int
		want    string
	}{
		"All":      {reason: "A negative number means all.", content: "a\nb\n", lines: -1, want: "a\nb\n"},
		"Last":     {reason: "The line break at the end begins no line.", content: "a\nb\nc\n", lines: 2, want: "b\nc\n"},
		"Unended":  {reason: "A line that is being written counts.", content: "a\nb\nc", lines: 2, want: "b\nc"},
		"Fewer":    {reason: "A short log is shown from its beginning.", content: "a\nb\n", lines: 9, want: "a\nb\n"},
		"None":     {reason: "Only what is written from now on.", content: "a\nb\n", lines: 0, want: ""},
		"Empty":    {reason: "A part that has said nothing.", content: "", lines: 3, want: ""},
		"ByBlocks": {reason: "A long log is read from its end.", content: long.String(), lines: 1, want: "line 9999\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := Print(t.Context(), &got, write(t, tt.content), tt.lines, false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.String()); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestManyLinesAcrossBlocks(t *testing.T) {
	content := strings.Repeat(strings.Repeat("x", 100)+"\n", 2000)
	var got bytes.Buffer
	if err := Print(t.Context(), &got, write(t, content), 1500, false); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(got.String(), "\n"); lines != 1500 {
		t.Errorf("got %d lines, want 1500", lines)
	}
}

// TestFollowSeesWhatComesAfterRotation follows a log that the supervisor empties in between.
func TestFollowSeesWhatComesAfterRotation(t *testing.T) {
	path := write(t, "a long first line\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Print(ctx, writer, path, -1, true) }()
	expect(t, reader, "a long first line\n")
	if err := os.WriteFile(path, []byte("second\n"), 0o600); err != nil { // truncates, as rotation does
		t.Fatal(err)
	}
	expect(t, reader, "second\n")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func expect(t *testing.T, reader io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}
