package layer

import (
	"errors"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// blob is a layer in the store: a v1.Layer whose digests are known, so that nothing is read to describe it.
type blob struct {
	Blob  v1.Hash `json:"digest"`
	Plain v1.Hash `json:"diffID"`
	Bytes int64   `json:"size"`

	path string
}

var _ v1.Layer = (*blob)(nil)

func (b *blob) Digest() (v1.Hash, error) { return b.Blob, nil }

func (b *blob) DiffID() (v1.Hash, error) { return b.Plain, nil }

func (b *blob) Size() (int64, error) { return b.Bytes, nil }

func (b *blob) MediaType() (types.MediaType, error) { return types.OCILayerZStd, nil }

func (b *blob) Compressed() (io.ReadCloser, error) { return os.Open(b.path) }

func (b *blob) Uncompressed() (io.ReadCloser, error) {
	file, err := os.Open(b.path)
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &decoded{Decoder: decoder, file: file}, nil
}

// decoded is the plain content of a blob; closing it closes the blob's file too.
type decoded struct {
	*zstd.Decoder

	file *os.File
}

func (d *decoded) Close() error {
	d.Decoder.Close()
	return d.file.Close()
}
