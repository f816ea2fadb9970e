package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/internal/image/layer"
)

// Root is the unpacked file system of an image, in which programs of the image can be run.
type Root struct {
	dir string
}

// Unpack lays an image out in dir, a new folder, so that its programs can be run without a container runtime.
func Unpack(ctx context.Context, image v1.Image, dir string) (Root, error) {
	layers, err := image.Layers()
	if err != nil {
		return Root{}, fmt.Errorf("unpack image: %w", err)
	}
	return unpack(ctx, layers, dir)
}

// unpack lays layers out, one over the other, in a new folder.
func unpack(ctx context.Context, layers []v1.Layer, dir string) (Root, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return Root{}, fmt.Errorf("unpack image: %w", err)
	}
	for _, each := range layers {
		if ctx.Err() != nil {
			return Root{}, context.Cause(ctx)
		}
		content, err := each.Uncompressed()
		if err != nil {
			return Root{}, fmt.Errorf("unpack image: %w", err)
		}
		if err := errors.Join(layer.Extract(content, dir), content.Close()); err != nil {
			return Root{}, fmt.Errorf("unpack image: %w", err)
		}
	}
	// What a container runtime would bring: Spark asks for the address of its host.
	hosts := strings.NewReader("127.0.0.1 localhost\n")
	if err := writeFile(dir, "etc/hosts", 0o644, hosts); err != nil {
		return Root{}, fmt.Errorf("unpack image: %w", err)
	}
	return Root{dir: dir}, nil
}

// lay copies the files of a folder into the image.
func (r Root) lay(files fs.FS, from, to string) error {
	names, err := fs.Glob(files, from+"/*")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := writeFile(r.dir, path.Join(to, path.Base(name)), 0o644, bytes.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

// enter is what runs before a program of the image: it mounts, in a mount namespace of its own that ends with the
// program, what every program expects to find. The kernel's log of processes is the program's own.
const enter = `set -e
hostname localhost
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
user=$2 root=$1; shift 2
exec chroot --userspec="$user" "$root" /usr/bin/env -i "$@"`

// Command returns a program of the image, to be run in it as user (uid:gid). It sees the machine's network, and
// nothing else of the machine but its devices; env is all of its environment.
func (r Root) Command(ctx context.Context, user string, env []string, args ...string) *exec.Cmd {
	wrapped := append([]string{
		"--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts", "--propagation", "private",
		"sh", "-c", enter, "sh", r.dir, user,
	}, env...)
	return exec.CommandContext(ctx, "unshare", append(wrapped, args...)...)
}
