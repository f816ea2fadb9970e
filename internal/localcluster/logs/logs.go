// Package logs shows the logs of the embedded cluster's parts: files that grow, and that the supervisor empties after
// it has copied them aside.
package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// poll is how often a followed log is looked at.
const poll = 200 * time.Millisecond

// Print writes the last lines of the log, or all of it where lines is negative, to out. If follow is set it goes on with
// what is written to the log, until ctx ends.
func Print(ctx context.Context, out io.Writer, path string, lines int, follow bool) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if lines >= 0 {
		if err := seekLines(file, lines); err != nil {
			return fmt.Errorf("find the last %d lines: %w", lines, err)
		}
	}
	for {
		if _, err := io.Copy(out, file); err != nil {
			return fmt.Errorf("show log: %w", err)
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
		if err := rewind(file); err != nil {
			return fmt.Errorf("follow log: %w", err)
		}
	}
}

// rewind starts again at the beginning of a log that was emptied.
func rewind(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	at, err := file.Seek(0, io.SeekCurrent)
	if err == nil && info.Size() < at {
		_, err = file.Seek(0, io.SeekStart)
	}
	return err
}

// seekLines moves to where the last lines begin, reading backwards by blocks.
func seekLines(file *os.File, lines int) error {
	const block = 32 << 10
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || lines == 0 {
		return err
	}
	buffer := make([]byte, block)
	found := 0
	for start := end; start > 0; {
		size := min(block, start)
		start -= size
		if _, err := file.ReadAt(buffer[:size], start); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for i := bytes.LastIndexByte(buffer[:size], '\n'); i >= 0; i = bytes.LastIndexByte(buffer[:i], '\n') {
			if start+int64(i)+1 == end {
				continue // It closes the last line, it does not begin another.
			}
			if found++; found == lines {
				_, err := file.Seek(start+int64(i)+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
