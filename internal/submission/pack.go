package submission

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// packedAt is the time of everything that is packed, so that the same content gives the same file: the earliest that a
// zip can say.
func packedAt() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// notCode reports whether a file or folder of Python code is left out: what Python compiled for itself, and what is hidden,
// such as .git or .venv.
func notCode(name string) bool {
	return name == "__pycache__" || strings.HasSuffix(name, ".pyc") || strings.HasPrefix(name, ".")
}

// zipPython packs a folder of Python code so that "import" finds what it does when the folder is on Python's path. A folder
// that is itself a package, one with an __init__.py, keeps its name in the zip.
func zipPython(folder, into string) (string, error) {
	root := ""
	if _, err := os.Stat(filepath.Join(folder, "__init__.py")); err == nil {
		root = filepath.Base(folder)
	}
	return packed(filepath.Join(into, filepath.Base(folder)+".zip"), func(out io.Writer) error {
		archive := zip.NewWriter(out)
		err := walk(folder, notCode, func(name, file string, info fs.FileInfo) error {
			if info.Mode()&fs.ModeSymlink != 0 {
				var err error
				if info, err = os.Stat(file); err != nil {
					return err
				}
			}
			if !info.Mode().IsRegular() {
				return fmt.Errorf("%s is neither a file nor a folder; take it out of the folder", file)
			}
			header := &zip.FileHeader{Name: path.Join(root, name), Method: zip.Deflate, Modified: packedAt()}
			header.SetMode(0o644)
			entry, err := archive.CreateHeader(header)
			if err != nil {
				return err
			}
			return copyFile(entry, file)
		})
		return errors.Join(err, archive.Close())
	})
}

// tarFolder packs what is in a folder, with modes and links: an environment of Python has programs in it and links to
// them.
func tarFolder(folder, into string) (string, error) {
	return packed(filepath.Join(into, filepath.Base(folder)+".tar.gz"), func(out io.Writer) error {
		return tarTo(out, func(archive *tar.Writer) error {
			return walk(folder, func(string) bool { return false }, func(name, file string, info fs.FileInfo) error {
				link := ""
				if info.Mode()&fs.ModeSymlink != 0 {
					var err error
					if link, err = os.Readlink(file); err != nil {
						return err
					}
				} else if !info.Mode().IsRegular() {
					return fmt.Errorf("%s is neither a file, a folder nor a link; take it out of the folder", file)
				}
				header, err := tar.FileInfoHeader(info, link)
				if err != nil {
					return err
				}
				if err := archive.WriteHeader(plain(header, name)); err != nil || link != "" {
					return err
				}
				return copyFile(archive, file)
			})
		})
	})
}

// plain is a header without what differs from one machine to the next.
func plain(header *tar.Header, name string) *tar.Header {
	mode := int64(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	return &tar.Header{
		Typeflag: header.Typeflag, Name: name, Linkname: header.Linkname, Size: header.Size, Mode: mode, ModTime: packedAt(), Format: tar.FormatPAX,
	}
}

func tarTo(out io.Writer, write func(*tar.Writer) error) error {
	compressed := gzip.NewWriter(out)
	archive := tar.NewWriter(compressed)
	err := write(archive)
	return errors.Join(err, archive.Close(), compressed.Close())
}

// packed writes a file and returns its path.
func packed(file string, write func(io.Writer) error) (string, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	out, err := os.Create(file)
	if err != nil {
		return "", err
	}
	if err := errors.Join(write(out), out.Close()); err != nil {
		return "", err
	}
	return file, nil
}

// walk visits the files below a folder in order, with their names relative to it, and passes over what leave says. It
// follows no link to a folder, which could lead in a circle.
func walk(folder string, leave func(name string) bool, visit func(name, file string, info fs.FileInfo) error) error {
	return filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case file == folder:
			return nil
		case leave(entry.Name()) && entry.IsDir():
			return fs.SkipDir
		case leave(entry.Name()) || entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(name), file, info)
	})
}

func copyFile(to io.Writer, file string) error {
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // It is only read.
	_, err = io.Copy(to, content)
	return err
}
