package operated

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is what the kernel tells of a process.
type Process struct {
	// Parent is who has started it.
	Parent int
	// CPU is how much CPU time it has used, its threads' together.
	CPU time.Duration
}

// ReadProcess reads proc(5): the fourth field, and the 14th and the 15th in clock ticks, of which Linux has 100 a second.
func ReadProcess(pid int) (Process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return Process{}, err
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Process{}, err
		}
		ticks += n
	}
	return Process{parent, time.Duration(ticks) * 10 * time.Millisecond}, nil
}

// ReadMemory returns how much memory a process has resident, and the most that it ever had, in bytes.
func ReadMemory(pid int) (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for name, value := range map[string]*int64{"VmRSS": &now, "VmHWM": &most} {
		_, rest, _ := strings.Cut(string(text), name+":")
		if _, err := fmt.Sscan(rest, value); err != nil {
			return 0, 0, fmt.Errorf("read %s of the process: %w", name, err)
		}
		*value <<= 10
	}
	return now, most, nil
}
