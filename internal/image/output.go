package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
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
