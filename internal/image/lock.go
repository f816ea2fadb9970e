package image

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Lock is what a recipe was found to consist of when it was locked: every file that is downloaded for it, with its
// checksum. A build of a locked recipe takes these files and no others.
type Lock []Locked

// Locked is one file of a lock.
type Locked struct {
	SHA256 string
	Size   int64
	// Kind is how the file is fetched: pip or jar.
	Kind string
	Name string
}

const lockHeader = "# What the recipe consists of: checksum, size, kind and name of each file. Written by `brazier image lock`.\n"

// ParseLock reads a lock.
func ParseLock(data []byte) (Lock, error) {
	var lock Lock
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		if text := lines.Text(); text != "" && !strings.HasPrefix(text, "#") {
			file, err := parseLocked(text)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w; write the lock anew with `brazier image lock`", n, err)
			}
			lock = append(lock, file)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read lock: %w", err)
	}
	return lock, nil
}

func parseLocked(text string) (Locked, error) {
	fields := strings.Fields(text)
	if len(fields) != 4 {
		return Locked{}, fmt.Errorf("%q is not a checksum, a size, a kind and a name", text)
	}
	size, err := strconv.ParseInt(fields[1], 10, 64)
	switch {
	case !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(fields[0]):
		return Locked{}, fmt.Errorf("%q is not a SHA-256 checksum", fields[0])
	case err != nil || size < 0:
		return Locked{}, fmt.Errorf("%q is not a size", fields[1])
	case fields[2] != "pip" && fields[2] != "jar":
		return Locked{}, fmt.Errorf("%q is not a kind of file; it is pip or jar", fields[2])
	case fields[3] != filepath.Base(fields[3]) || strings.HasPrefix(fields[3], "."):
		return Locked{}, fmt.Errorf("%q is not the name of a file", fields[3])
	}
	return Locked{SHA256: fields[0], Size: size, Kind: fields[2], Name: fields[3]}, nil
}

// String renders the lock as ParseLock reads it.
func (l Lock) String() string {
	var text strings.Builder
	text.WriteString(lockHeader)
	for _, file := range slices.SortedFunc(slices.Values(l), byKindAndName) {
		fmt.Fprintf(&text, "%s %d %s %s\n", file.SHA256, file.Size, file.Kind, file.Name)
	}
	return text.String()
}

func byKindAndName(a, b Locked) int {
	return cmp.Or(cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Name, b.Name))
}

// of returns the files of one kind.
func (l Lock) of(kind string) Lock {
	return slices.DeleteFunc(slices.Clone(l), func(file Locked) bool { return file.Kind != kind })
}

// size returns the bytes of all files.
func (l Lock) size() int64 {
	var total int64
	for _, file := range l {
		total += file.Size
	}
	return total
}

// lockFiles returns the lock of what is in dir.
func lockFiles(dir, kind string) (Lock, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lock files: %w", err)
	}
	var lock Lock
	for _, entry := range entries {
		file, err := lockFile(filepath.Join(dir, entry.Name()), kind)
		if err != nil {
			return nil, err
		}
		lock = append(lock, file)
	}
	return lock, nil
}

func lockFile(name, kind string) (Locked, error) {
	file, err := os.Open(name)
	if err != nil {
		return Locked{}, fmt.Errorf("lock file: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		return Locked{}, fmt.Errorf("lock file: %w", err)
	}
	return Locked{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: size, Kind: kind, Name: filepath.Base(name)}, nil
}

// verify compares what was fetched with what was locked.
func (l Lock) verify(fetched Lock) error {
	locked := map[string]Locked{}
	for _, file := range l {
		locked[file.Name] = file
	}
	for _, file := range fetched {
		want, known := locked[file.Name]
		if !known {
			return fmt.Errorf("%s was fetched but is not in the lock; if the recipe has changed, run `brazier image lock`", file.Name)
		}
		if want.SHA256 != file.SHA256 {
			return fmt.Errorf("%s has the checksum %s, but %s is locked: it was changed where it comes from, or on the way; "+
				"run `brazier image lock` only if you know why", file.Name, file.SHA256, want.SHA256)
		}
		delete(locked, file.Name)
	}
	for name := range locked {
		return fmt.Errorf("%s is in the lock but was not fetched; if the recipe has changed, run `brazier image lock`", name)
	}
	return nil
}
