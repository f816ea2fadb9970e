// Package cgroup makes and removes the control group that the cluster's pods are in, on cgroup v1 (also beside v2,
// "hybrid") and v2. The kubelet makes what is below it.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const root = "/sys/fs/cgroup"

// V2 reports whether the machine has cgroup v2 alone.
func V2() bool {
	var info unix.Statfs_t
	return unix.Statfs(root, &info) == nil && info.Type == unix.CGROUP2_SUPER_MAGIC
}

// Controllers returns the controllers that pods could be bound by.
func Controllers() ([]string, error) {
	if V2() {
		data, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
		return strings.Fields(string(data)), err
	}
	hierarchies, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var controllers []string
	for _, hierarchy := range hierarchies {
		// A hierarchy of several has a name with all of them, such as cpu,cpuacct.
		controllers = append(controllers, strings.Split(filepath.Base(hierarchy), ",")...)
	}
	return controllers, nil
}

// hierarchies returns the mounted hierarchies of cgroup v1.
func hierarchies() ([]string, error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && fields[2] == "cgroup" && filepath.Dir(fields[1]) == root {
			found = append(found, fields[1])
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(found))), nil
}

// Ensure makes the group called name in every hierarchy.
func Ensure(name string) error {
	if V2() {
		return ensureV2(name)
	}
	hierarchies, err := hierarchies()
	if err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		if err := makeGroup(filepath.Join(hierarchy, name)); err != nil {
			return err
		}
	}
	return nil
}

// makeGroup makes a group that everybody can look into, as all others are.
func makeGroup(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make control group: %w", err)
	}
	return nil
}

// ensureV2 makes the group and hands it all controllers, as the kubelet expects of its root.
func ensureV2(name string) error {
	group := filepath.Join(root, name)
	if err := makeGroup(group); err != nil {
		return err
	}
	for _, dir := range []string{root, group} {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		if err != nil {
			return fmt.Errorf("read controllers: %w", err)
		}
		for _, controller := range strings.Fields(string(data)) {
			err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0)
			if err != nil {
				return fmt.Errorf("hand controller %s to %s: %w", controller, dir, err)
			}
		}
	}
	return nil
}

// Remove removes the group called name, with all below it, from every hierarchy. Its processes have to be gone.
func Remove(name string) error {
	groups := []string{filepath.Join(root, name)}
	if !V2() {
		hierarchies, err := hierarchies()
		if err != nil {
			return err
		}
		groups = []string{filepath.Join(root, "unified", name)}
		for _, hierarchy := range hierarchies {
			groups = append(groups, filepath.Join(hierarchy, name))
		}
	}
	var failed error
	for _, group := range groups {
		failed = errors.Join(failed, removeTree(group))
	}
	return failed
}

// removeTree removes the deepest groups first: a group with groups in it stays, and its files cannot be removed.
func removeTree(group string) error {
	var dirs []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list control groups: %w", err)
	}
	for _, dir := range slices.Backward(dirs) {
		if err := removeGroup(dir); err != nil {
			return fmt.Errorf("remove control group: %w", err)
		}
	}
	return nil
}

// removeGroup tries for a while: a process that was killed leaves its group a moment later.
func removeGroup(dir string) error {
	deadline := time.Now().Add(3 * time.Second)
	for {
		err := os.Remove(dir)
		switch {
		case err == nil || errors.Is(err, fs.ErrNotExist):
			return nil
		case !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline):
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Processes returns the processes in the group called name and below it. Groups that vanish meanwhile have none.
func Processes(name string) []int {
	patterns := []string{filepath.Join(root, name)}
	if hierarchies, err := hierarchies(); err == nil && !V2() {
		patterns = nil
		for _, hierarchy := range hierarchies {
			patterns = append(patterns, filepath.Join(hierarchy, name))
		}
	}
	found := map[int]bool{}
	for _, group := range patterns {
		_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil //nolint:nilerr // a group that has vanished
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			for _, field := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil {
					found[pid] = true
				}
			}
			return nil
		})
	}
	return slices.Sorted(maps.Keys(found))
}
