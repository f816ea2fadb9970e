// Package pause makes the image of the container that holds a pod's network, from one static program, and puts it into
// the embedded registry, from where containerd pulls it like any other.
package pause

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/registry"
)

// Reference returns the image's reference; its tag changes with the program.
func Reference(l layout.Layout) (string, error) {
	program, err := os.ReadFile(l.Pause())
	if err != nil {
		return "", fmt.Errorf("brazier-pause, the program of the pause image, is not beside brazier-cluster; run \"make build\": %w", err)
	}
	sum := sha256.Sum256(program)
	return layout.Registry + "/brazier/pause:" + hex.EncodeToString(sum[:6]), nil
}

// Store puts the image into the registry, unless it is there.
func Store(ctx context.Context, l layout.Layout, reference string) error {
	tag, err := name.ParseReference(reference)
	if err != nil {
		return fmt.Errorf("pause image: %w", err)
	}
	transport, err := registry.Transport(l)
	if err != nil {
		return err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(transport)}
	if _, err := remote.Head(tag, options...); err == nil {
		return nil
	}
	image, err := build(l)
	if err != nil {
		return fmt.Errorf("make pause image: %w", err)
	}
	if err := remote.Write(tag, image, options...); err != nil {
		return fmt.Errorf("push pause image: %w", err)
	}
	return nil
}

func build(l layout.Layout) (v1.Image, error) {
	program, err := os.ReadFile(l.Pause())
	if err != nil {
		return nil, err
	}
	layerTar, err := archive(program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layerTar)), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.AppendLayers(base, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"}
	return mutate.ConfigFile(image, config)
}

// archive is the image's only layer.
func archive(program []byte) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	header := &tar.Header{Typeflag: tar.TypeReg, Name: "pause", Mode: 0o555, Size: int64(len(program))}
	if err := writer.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := writer.Write(program); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
