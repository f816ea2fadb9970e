package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Process numbers are used again; a process is known by its number together with the time of its start, in clock ticks
// since boot, and by the boot.

// startTicks returns when the process started: field 22 of /proc/PID/stat (proc(5)). The second field, the program's
// name in parentheses, may hold anything, so fields are counted from its end.
func startTicks(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const state, start = 0, 19
	if len(fields) <= start {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields)+2)
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, os.ErrNotExist
	}
	return strconv.ParseUint(fields[start], 10, 64)
}

// bootID stands for the time since the machine's last start.
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}

// Running is a process found by its command line.
type Running struct {
	PID  int
	Argv []string
}

// Find returns the processes whose command line match accepts. A process that ends meanwhile is not found.
func Find(match func(argv []string) bool) []Running {
	var found []Running
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline") // The pattern is well-formed.
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			continue
		}
		argv := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && match(argv) {
			found = append(found, Running{PID: pid, Argv: argv})
		}
	}
	return found
}

// findExact returns the process with exactly this command line, or 0.
func findExact(argv []string) int {
	for _, running := range Find(func(have []string) bool { return slices.Equal(have, argv) }) {
		if _, err := startTicks(running.PID); err == nil {
			return running.PID
		}
	}
	return 0
}

// awaitEnd returns when the process has ended, also one that is not a child of this process.
func awaitEnd(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
	}
}
