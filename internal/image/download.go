package image

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"brazier.sh/brazier/internal/terminal"
)

// watchEvery is how often a download's progress is looked at.
const watchEvery = 250 * time.Millisecond

// downloads keeps what was downloaded, by checksum, so that no build downloads it twice.
type downloads struct {
	dir string
}

func (d downloads) path(file Locked) string {
	return filepath.Join(d.dir, file.SHA256+"-"+file.Name)
}

// have reports whether all files of a lock are here.
func (d downloads) have(lock Lock) bool {
	for _, file := range lock {
		if info, err := os.Stat(d.path(file)); err != nil || info.Size() != file.Size {
			return false
		}
	}
	return true
}

// keep verifies that fetched, a folder, holds the files of a lock and nothing else, and takes them over.
func (d downloads) keep(fetched string, lock Lock, kind string) error {
	found, err := lockFiles(fetched, kind)
	if err != nil {
		return err
	}
	if err := lock.verify(found); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("keep downloads: %w", err)
	}
	for _, file := range found {
		if err := os.Rename(filepath.Join(fetched, file.Name), d.path(file)); err != nil {
			return fmt.Errorf("keep downloads: %w", err)
		}
	}
	return nil
}

// place makes the files of a lock appear in dir under their own names.
func (d downloads) place(lock Lock, dir string) error {
	for _, file := range lock {
		if err := os.Link(d.path(file), filepath.Join(dir, file.Name)); err != nil {
			return fmt.Errorf("place %s: %w", file.Name, err)
		}
	}
	return nil
}

// watch reports, until the work that fills dir is done, how much there is of what will be there.
func watch(ctx context.Context, step *terminal.Step, dir string, total int64, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case err := <-done: // it ends with ctx too: every program of a build is bound to it
			return err
		case <-ticker.C:
			if ctx.Err() == nil {
				step.Progress(sizeOf(dir), total, terminal.Bytes)
			}
		}
	}
}

// sizeOf returns the bytes of the files below dir. They come and go while it looks: what it cannot see does not count.
func sizeOf(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // gone since it was listed
		}
		if info, err := entry.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total
}
