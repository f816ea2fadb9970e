// Package leftovers removes from the machine what a cluster's processes have made and nobody removes when they are
// killed: processes of containers, mounts, network namespaces, sockets, links to logs. It takes care to touch nothing
// that is not the cluster's.
package leftovers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"brazier.sh/brazier/internal/localcluster/cgroup"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

const (
	// grace is how long processes may take to end by themselves, patience how long the kernel may take to end them.
	grace    = 5 * time.Second
	patience = 10 * time.Second
	interval = 20 * time.Millisecond
)

// Kill ends the processes whose command line match accepts, politely at first, and returns when they have ended.
func Kill(ctx context.Context, match func(argv []string) bool) error {
	return end(ctx, func() []int {
		var pids []int
		for _, running := range supervise.Find(match) {
			if running.PID != os.Getpid() {
				pids = append(pids, running.PID)
			}
		}
		return pids
	}, syscall.SIGTERM, syscall.SIGKILL)
}

// KillGroup ends all processes in a control group and below it.
func KillGroup(ctx context.Context, name string) error {
	return end(ctx, func() []int { return cgroup.Processes(name) }, syscall.SIGKILL)
}

// end sends the signals, one after the other, to the processes that find returns until it returns none.
func end(ctx context.Context, find func() []int, signals ...syscall.Signal) error {
	var left []int
	for i, signal := range signals {
		wait := grace
		if i == len(signals)-1 {
			wait = patience
		}
		deadline := time.Now().Add(wait)
		sent := map[int]bool{}
		for {
			if left = find(); len(left) == 0 {
				return nil
			}
			for _, pid := range left {
				if !sent[pid] {
					_ = syscall.Kill(pid, signal) // It fails only if the process has ended.
					sent[pid] = true
				}
			}
			if time.Now().After(deadline) {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			time.Sleep(interval)
		}
	}
	return fmt.Errorf("processes %v do not end", left)
}

// Unmount unmounts everything in the folders, the deepest first. What is busy is detached: it goes when its user does.
func Unmount(folders ...string) error {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var failed error
	for _, mount := range mountsIn(string(data), folders) {
		if err := unix.Unmount(mount, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			failed = errors.Join(failed, fmt.Errorf("unmount %s: %w", mount, err))
		}
	}
	return failed
}

// mountsIn returns the mount points below the folders, the last mounted first.
func mountsIn(table string, folders []string) []string {
	var found []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		mount := unescape(fields[1])
		for _, folder := range folders {
			if strings.HasPrefix(mount, folder+"/") {
				found = append(found, mount)
			}
		}
	}
	slices.Reverse(found)
	return found
}

// unescape undoes what the kernel does to spaces and the like in mount points (seq_file's mangle): \040.
func unescape(path string) string {
	var plain strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if code, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		plain.WriteByte(path[i])
	}
	return plain.String()
}

// RemoveLogLinks removes the links to the containers' logs that the kubelet makes in a folder which it has no setting
// for (pkg/kubelet/kuberuntime, legacyContainerLogsDir).
func RemoveLogLinks(logs string) error {
	const folder = "/var/log/containers"
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list links to logs: %w", err)
	}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		target, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(target, logs+"/") {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove link to a log: %w", err)
		}
	}
	return removeEmpty(folder)
}

// RemoveEmptyFolders removes the folders that containerd and the CNI plugins make wherever they are told to work, if
// nobody else has anything in them.
func RemoveEmptyFolders() error {
	return errors.Join(
		removeEmpty("/run/containerd/s"), removeEmpty("/run/containerd"),
		removeEmpty("/var/lib/cni/results"), removeEmpty("/var/lib/cni"),
	)
}

func removeEmpty(folder string) error {
	err := os.Remove(folder)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return nil
	}
	return err
}

// RemoveShimSockets removes the sockets of killed shims, which are in containerd's folder whichever containerd they are
// of. The state folder of each container says which is its own.
func RemoveShimSockets(run string) error {
	addresses, err := filepath.Glob(filepath.Join(run, "containerd", "state", "io.containerd.runtime.v2.task", "*", "*", "address"))
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	for _, address := range addresses {
		data, err := os.ReadFile(address)
		if err != nil {
			return fmt.Errorf("read the address of a container: %w", err)
		}
		socket := strings.TrimPrefix(strings.TrimSpace(string(data)), "unix://")
		if !strings.HasPrefix(socket, "/run/containerd/s/") {
			continue
		}
		if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the socket of a container: %w", err)
		}
	}
	return nil
}
