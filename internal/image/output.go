package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// Save writes an image to a tar file in the OCI layout, which containerd, Podman and Docker import under the
// name of ref.
func Save(image v1.Image, ref, file string) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return fmt.Errorf("save image: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
		Annotations: map[string]string{"org.opencontainers.image.ref.name": ref, "io.containerd.image.name": ref},
	}})
	if _, err := layout.Write(filepath.Join(dir, "layout"), index); err != nil {
		return fmt.Errorf("save image: %w", err)
	}
	partial := filepath.Join(dir, "image.tar")
	if err := tarFolder(filepath.Join(dir, "layout"), partial); err != nil {
		return fmt.Errorf("save image: %w", err)
	}
	return os.Rename(partial, file)
}

func tarFolder(dir, file string) error {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(out)
	return errors.Join(archive.AddFS(os.DirFS(dir)), archive.Close(), out.Close())
}

// Load opens an image that Save wrote. The image is read from a folder that done removes.
func Load(file string) (image v1.Image, done func(), err error) {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return nil, nil, fmt.Errorf("open image: %w", err)
	}
	done = func() { _ = os.RemoveAll(dir) }
	image, err = load(file, dir)
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("open image %s: %w", file, err)
	}
	return image, done, nil
}

func load(file, dir string) (v1.Image, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	for entries := tar.NewReader(in); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(dir, path.Clean(header.Name), 0o600, entries); err != nil {
			return nil, err
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; it is not an OCI layout, as `brazier image build --output` writes it", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("it holds %d images; Brazier pushes a file with one", len(manifest.Manifests))
	}
	return index.Image(manifest.Manifests[0].Digest)
}
