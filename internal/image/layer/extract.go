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
	"strings"

	"golang.org/x/sys/unix"
)

// Extract unpacks a layer, as a tar stream, over what is already in root. It needs root's rights, since files keep
// their owners, and does not let an entry reach outside of root.
func Extract(in io.Reader, root string) error {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("open %s: %w", root, err)
	}
	defer dir.Close()

	for archive := tar.NewReader(in); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read layer: %w", err)
		}
		if err := extract(dir, header, archive); err != nil {
			return fmt.Errorf("extract %s: %w", header.Name, err)
		}
	}
}

func extract(root *os.Root, header *tar.Header, content io.Reader) error {
	name := path.Clean(header.Name)
	if folder, file := path.Split(name); strings.HasPrefix(file, whiteout) {
		return root.RemoveAll(path.Join(folder, strings.TrimPrefix(file, whiteout)))
	}
	mode := header.FileInfo().Mode()
	switch header.Typeflag {
	case tar.TypeDir:
		if err := root.Mkdir(name, mode.Perm()); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	case tar.TypeReg:
		if err := extractFile(root, name, content); err != nil {
			return err
		}
	case tar.TypeLink:
		return errors.Join(remove(root, name), root.Link(path.Clean(header.Linkname), name))
	case tar.TypeSymlink:
		if err := errors.Join(remove(root, name), root.Symlink(header.Linkname, name)); err != nil {
			return err
		}
		return root.Lchown(name, header.Uid, header.Gid)
	default:
		return fmt.Errorf("entry of type %q does not belong in a layer of Brazier's", header.Typeflag)
	}
	// The owner first: a change of owner clears the bits for set-user-ID.
	return errors.Join(
		root.Lchown(name, header.Uid, header.Gid),
		root.Chmod(name, mode),
		setCapability(root, name, header.PAXRecords["SCHILY.xattr."+capability]),
		root.Chtimes(name, header.ModTime, header.ModTime),
	)
}

func extractFile(root *os.Root, name string, content io.Reader) error {
	if err := remove(root, name); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// remove makes way for a new entry, as a layer's file replaces that of a layer below.
func remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func setCapability(root *os.Root, name, value string) error {
	if value == "" {
		return nil
	}
	return unix.Lsetxattr(filepath.Join(root.Name(), name), capability, []byte(value), 0)
}
