package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// whiteout marks, in the OCI image format, a file of a layer below as removed.
const whiteout = ".wh."

// capability is the one extended attribute that belongs to a file's content: what its program may do.
const capability = "security.capability"

// Owner is who a file belongs to.
type Owner struct{ UID, GID int }

// Tree is a folder that becomes a layer.
type Tree struct {
	// Root is the folder that stands for the image's root.
	Root string
	// Keep says of a path below Root, slash-separated, whether it is part of the layer; a folder that is not takes
	// what is in it along. Nil keeps everything.
	Keep func(name string, info fs.FileInfo) bool
	// Owner says who a path belongs to. Nil leaves it to who it belongs to on disk.
	Owner func(name string) Owner
	// Gone are paths of the layers below that this layer removes.
	Gone []string
}

// WriteTar writes the tree as a tar stream.
func (t Tree) WriteTar(w io.Writer) error {
	out := &treeWriter{Tree: t, tar: tar.NewWriter(w), linked: map[uint64]string{}}
	if err := filepath.WalkDir(t.Root, out.visit); err != nil {
		return fmt.Errorf("write layer of %s: %w", t.Root, err)
	}
	for _, name := range slices.Sorted(slices.Values(t.Gone)) {
		dir, file := path.Split(name)
		header := &tar.Header{Typeflag: tar.TypeReg, Name: dir + whiteout + file, Mode: 0o644, ModTime: Epoch()}
		if err := out.tar.WriteHeader(header); err != nil {
			return fmt.Errorf("write removal of %s: %w", name, err)
		}
	}
	return out.tar.Close()
}

// treeWriter is one writing of a tree.
type treeWriter struct {
	Tree

	tar    *tar.Writer
	linked map[uint64]string // inode of a file with several names, to the first of them
}

func (w *treeWriter) visit(file string, entry fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	name, err := filepath.Rel(w.Root, file)
	if err != nil || name == "." {
		return err
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	if w.Keep != nil && !w.Keep(name, info) {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	return w.write(file, name, info)
}

func (w *treeWriter) write(file, name string, info fs.FileInfo) error {
	header, err := w.header(file, name, info)
	if err != nil || header == nil {
		return err
	}
	if err := w.tar.WriteHeader(header); err != nil {
		return err
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(w.tar, in)
	return errors.Join(err, in.Close())
}

// header describes one file, or returns nil for what does not belong in an image: sockets, pipes and devices.
func (w *treeWriter) header(file, name string, info fs.FileInfo) (*tar.Header, error) {
	var target string
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode.IsDir():
	case mode&fs.ModeSymlink != 0:
		link, err := os.Readlink(file)
		if err != nil {
			return nil, err
		}
		target = link
	default:
		return nil, nil
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return nil, err
	}
	header.Name = name
	if info.IsDir() {
		header.Name += "/"
	}
	header.Uname, header.Gname = "", ""
	header.ModTime = Epoch()
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	if w.Owner != nil {
		owner := w.Owner(name)
		header.Uid, header.Gid = owner.UID, owner.GID
	}
	if info.Mode().IsRegular() {
		return header, w.describe(header, file, name, info)
	}
	return header, nil
}

// describe adds to header what only regular files have: another name of the same file, and capabilities.
func (w *treeWriter) describe(header *tar.Header, file, name string, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		if first, seen := w.linked[stat.Ino]; seen {
			header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
			return nil
		}
		w.linked[stat.Ino] = name
	}
	value := make([]byte, 64)
	n, err := unix.Lgetxattr(file, capability, value)
	if err == nil {
		header.PAXRecords = map[string]string{"SCHILY.xattr." + capability: string(value[:n])}
	} else if !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) {
		return fmt.Errorf("read capabilities of %s: %w", file, err)
	}
	return nil
}
