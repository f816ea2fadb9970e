// Package binary turns a static Go program into a container image that holds nothing else: no shell, no packages, no
// root. It knows the file and the certificates that it is given; what the program does is its caller's matter, and so is
// where the image goes.
package binary

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	// UID is the user that the program runs as. It is the one that images without a distribution have settled on.
	UID = 65532
	// SystemCertificates is where Debian and many others keep the authorities that the machine trusts.
	SystemCertificates = "/etc/ssl/certs/ca-certificates.crt"

	// certificatesPath is where a Go program looks first.
	certificatesPath = "etc/ssl/certs/ca-certificates.crt"
	// format is part of the tag. It goes up when the same files give another image.
	format = "1"
	// tagLength is how much of a hash is a tag: enough to be unique, short enough to be read.
	tagLength = 16
)

// Source is what an image is made of.
type Source struct {
	// Executable is the file of the program. It has to be static, as the image has no libraries.
	Executable string
	// Certificates is the PEM file of the authorities that the program trusts. Where it does not exist the program
	// trusts only those that it is told of.
	Certificates string
}

// Tag returns a tag that tells this image from every other, without making it.
func (s Source) Tag() (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, format, runtime.GOARCH, filepath.Base(s.Executable))
	for _, path := range []string{s.Executable, s.Certificates} {
		if err := hashFile(sum, path); err != nil && (path == s.Executable || !errors.Is(err, os.ErrNotExist)) {
			return "", fmt.Errorf("hash the image's content: %w", err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:tagLength], nil
}

// Image returns the image. The same files give the same image, byte for byte.
func (s Source) Image() (v1.Image, error) {
	files, err := s.systemFiles()
	if err != nil {
		return nil, err
	}
	name := filepath.Base(s.Executable)
	program, err := os.ReadFile(s.Executable)
	if err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	// What changes most comes last, so that the layer before it is not sent again.
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	for _, content := range [][]file{files, {{path: name, mode: 0o755, content: program}}} {
		layer, err := layerOf(content)
		if err != nil {
			return nil, err
		}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer}); err != nil {
			return nil, fmt.Errorf("append layer: %w", err)
		}
	}
	return configure(image, name)
}

func configure(image v1.Image, name string) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", UID, UID),
		WorkingDir: "/",
		Entrypoint: []string{"/" + name},
		Labels:     map[string]string{"org.opencontainers.image.title": name},
	}
	return mutate.ConfigFile(image, config)
}

// systemFiles are those that programs expect of any system.
func (s Source) systemFiles() ([]file, error) {
	files := []file{
		{path: "etc/group", mode: 0o644, content: fmt.Appendf(nil, "nonroot:x:%d:\n", UID)},
		{path: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "nonroot:x:%d:%d:nonroot:/:/sbin/nologin\n", UID, UID)},
	}
	certificates, err := os.ReadFile(s.Certificates)
	if errors.Is(err, os.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificates: %w", err)
	}
	return append(files, file{path: certificatesPath, mode: 0o644, content: certificates}), nil
}

type file struct {
	path    string
	mode    int64
	content []byte
}

// layerOf packs files, with the folders that they lie in.
func layerOf(files []file) (v1.Layer, error) {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // it crosses a bridge, not an ocean
	if err != nil {
		return nil, fmt.Errorf("pack layer: %w", err)
	}
	out := tar.NewWriter(zip)
	made := make(map[string]bool)
	for _, f := range files {
		if err := errors.Join(addFolders(out, made, f.path), addFile(out, f)); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.path, err)
		}
	}
	if err := errors.Join(out.Close(), zip.Close()); err != nil {
		return nil, fmt.Errorf("pack layer: %w", err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

func addFolders(out *tar.Writer, made map[string]bool, path string) error {
	parts := strings.Split(path, "/")
	for i := 1; i < len(parts); i++ {
		folder := strings.Join(parts[:i], "/") + "/"
		if made[folder] {
			continue
		}
		made[folder] = true
		header := &tar.Header{Typeflag: tar.TypeDir, Name: folder, Mode: 0o755, ModTime: time.Unix(0, 0)}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
	}
	return nil
}

func addFile(out *tar.Writer, f file) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0),
	}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err := out.Write(f.content)
	return err
}

// hashFile adds the length and the content of a file to sum.
func hashFile(sum io.Writer, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintln(sum, info.Size())
	_, err = io.Copy(sum, in)
	return err
}
