package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/internal/image/layer"
)

// state is what tells whether a file was changed. The layers below were unpacked with one time for all files, which no
// file has that was written since.
type state struct {
	mode     fs.FileMode
	uid, gid uint32
	size     int64
	modified int64
	target   string
}

// changes runs work in the file system of a layer and returns what it changed there.
func (b *builder) changes(ctx context.Context, on v1.Layer, dir string, work func(context.Context, Root) error) (layer.Tree, error) {
	r, err := unpack(ctx, []v1.Layer{on}, filepath.Join(dir, "root"))
	if err != nil {
		return layer.Tree{}, err
	}
	before, err := states(r.dir)
	if err != nil {
		return layer.Tree{}, err
	}
	if err := work(ctx, r); err != nil {
		return layer.Tree{}, err
	}
	after, err := states(r.dir)
	if err != nil {
		return layer.Tree{}, err
	}
	wanted := changed(before, after)
	return layer.Tree{
		Root: r.dir, Owner: rootOwned, Gone: gone(before, after),
		Keep: func(name string, info fs.FileInfo) bool {
			return wanted[name] && (inBase(name, info) || isNewBytecode(name))
		},
	}, nil
}

// isNewBytecode keeps the bytecode of packages that were added, which inBase leaves out.
func isNewBytecode(name string) bool {
	return within(name, "usr/local/lib", "usr/lib/python3")
}

func states(root string) (map[string]state, error) {
	found := map[string]state{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil || name == "." {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		seen := state{mode: info.Mode()}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			seen.uid, seen.gid = stat.Uid, stat.Gid
		}
		switch {
		case info.Mode().IsRegular():
			seen.size, seen.modified = info.Size(), info.ModTime().UnixNano()
		case info.Mode()&fs.ModeSymlink != 0:
			if seen.target, err = os.Readlink(file); err != nil {
				return err
			}
		}
		found[name] = seen
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at image: %w", err)
	}
	return found, nil
}

// changed returns the paths that are new or other than they were, and the folders that lead to them.
func changed(before, after map[string]state) map[string]bool {
	wanted := map[string]bool{}
	for name, now := range after {
		if then, known := before[name]; known && then == now {
			continue
		}
		for ; name != "."; name = path.Dir(name) {
			wanted[name] = true
		}
	}
	return wanted
}

// gone returns the paths that are no more; of a folder that is gone, the folder alone.
func gone(before, after map[string]state) []string {
	var names []string
	for name := range before {
		_, there := after[name]
		parent := path.Dir(name)
		if _, parentThere := after[parent]; !there && (parent == "." || parentThere) && !within(name, "var/cache", "var/log", "var/lib/apt") {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// installDebs installs Debian packages in the image, from where this machine has its own.
func (r Root) installDebs(ctx context.Context, suite string, debs []string) error {
	sources, err := hostSources("/etc", suite)
	if err != nil {
		return err
	}
	options, err := aptOptions(ctx)
	if err != nil {
		return err
	}
	temporary := map[string]string{
		"etc/apt/sources.list.d/brazier.sources": sources,
		"etc/apt/apt.conf.d/99brazier":           strings.Join(append(options, ""), ";\n"),
		"usr/sbin/policy-rc.d":                   "#!/bin/sh\nexit 101\n", // nothing that is installed is to be started
	}
	for name, content := range temporary {
		if err := writeFile(r.dir, name, 0o755, strings.NewReader(content)); err != nil {
			return fmt.Errorf("prepare apt: %w", err)
		}
	}
	if err := r.copyIn("/etc/resolv.conf"); err != nil {
		return err
	}
	script := "apt-get update -q && apt-get install -q -y --no-install-recommends \"$@\""
	env := append(proxies(), "DEBIAN_FRONTEND=noninteractive", "PYTHONDONTWRITEBYTECODE=1", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		fmt.Sprintf("SOURCE_DATE_EPOCH=%d", layer.Epoch().Unix()))
	if _, err := run(r.Command(ctx, "0:0", env, append([]string{"/bin/sh", "-c", script, "sh"}, debs...)...)); err != nil {
		return fmt.Errorf("install Debian packages: %w", err)
	}
	for name := range temporary {
		if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
			return fmt.Errorf("clean up after apt: %w", err)
		}
	}
	return r.compilePython(ctx, "/usr/lib/python3")
}

// installWheels installs Python packages in the image by pip, which is among the wheels and runs from its own.
func (r Root) installWheels(ctx context.Context, wheels string, packages []string) error {
	names, err := filepath.Glob(filepath.Join(wheels, "*.whl"))
	if err != nil {
		return err
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = writeFile(r.dir, path.Join(wheelsDir, filepath.Base(name)), 0o644, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("lay out wheels: %w", err)
		}
	}
	script := `pip=$(echo /` + wheelsDir + `/pip-*.whl) && exec /usr/bin/python3 "$pip/pip" install -q --no-index --no-compile --no-cache-dir \
--root-user-action=ignore --break-system-packages --find-links=/` + wheelsDir + ` "$@"`
	env := []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
	if _, err := run(r.Command(ctx, "0:0", env, append([]string{"/bin/sh", "-c", script, "sh"}, packages...)...)); err != nil {
		return fmt.Errorf("install Python packages: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(r.dir, wheelsDir)); err != nil {
		return fmt.Errorf("clean up after pip: %w", err)
	}
	return r.compilePython(ctx, "/usr/local/lib")
}

// copyIn copies a file of this machine to the same place in the image.
func (r Root) copyIn(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	defer file.Close()
	if err := writeFile(r.dir, strings.TrimPrefix(name, "/"), 0o644, io.Reader(file)); err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	return nil
}

// proxies returns this machine's environment variables for proxies.
func proxies() []string {
	var found []string
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, ok := os.LookupEnv(name); ok {
			found = append(found, name+"="+value)
		}
	}
	return found
}
