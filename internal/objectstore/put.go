package objectstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"

	"gocloud.dev/blob"
)

// Progress is told how many bytes of how many have been read; total is below zero where it is not known.
type Progress func(done, total int64)

// errChanged is met when a file is written to while it is uploaded: its content would not be that of its key.
var errChanged = errors.New("the file has changed while it was uploaded; upload it again when nothing writes to it")

// Upload says what became of a file.
type Upload struct {
	// Key is where the file's content lies.
	Key string
	// Size is the file's, in bytes.
	Size int64
	// Present says that the content was there already and nothing was sent.
	Present bool
}

// Put writes an object from content, which has size bytes, or an unknown number of them when size is below zero.
// A reader that fails leaves no object behind.
func (b *Bucket) Put(ctx context.Context, key string, content io.Reader, size int64, progress Progress) error {
	// The only way to make a driver give up an object that it has begun is to cancel its context.
	ctx, abort := context.WithCancelCause(ctx)
	defer abort(nil)

	reader := &meter{content: content, total: size, progress: progress, fail: abort}
	err := b.blobs.Upload(ctx, key, reader, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("write %s: %w", b.URL(key), err)
}

// PutFile uploads a file under a key that follows from its content, <prefix>/<sha256>/<name>, and sends nothing when an
// object of that key and size is there already.
func (b *Bucket) PutFile(ctx context.Context, prefix, file string, progress Progress) (Upload, error) {
	content, err := os.Open(file)
	if err != nil {
		return Upload{}, err // The error names the file and what was tried.
	}
	defer func() { _ = content.Close() }() // It is only read.

	sum := sha256.New()
	size, err := io.Copy(sum, contextReader{ctx, content})
	if err != nil {
		return Upload{}, fmt.Errorf("read %s: %w", file, err)
	}
	upload := Upload{Key: path.Join(prefix, hex.EncodeToString(sum.Sum(nil)), filepath.Base(file)), Size: size}
	if have, exists, err := b.Size(ctx, upload.Key); err != nil {
		return Upload{}, err
	} else if exists && have == size {
		upload.Present = true
		return upload, nil
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return Upload{}, fmt.Errorf("read %s: %w", file, err)
	}
	same := &verifier{content: content, got: sha256.New(), want: sum.Sum(nil)}
	if err := b.Put(ctx, upload.Key, same, size, progress); err != nil {
		return Upload{}, fmt.Errorf("upload %s: %w", file, err)
	}
	return upload, nil
}

// meter counts what is read through it. It hides every other method of content, so that a driver cannot read past it.
type meter struct {
	content     io.Reader
	done, total int64
	progress    Progress
	fail        context.CancelCauseFunc
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.content.Read(p)
	m.done += int64(n)
	if m.progress != nil {
		m.progress(m.done, m.total)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.fail(err)
	}
	return n, err // io.Reader's contract: io.EOF comes as it is.
}

// verifier reads content and ends in an error where that is not what it was to be.
type verifier struct {
	content io.Reader
	got     hash.Hash
	want    []byte
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.content.Read(p)
	v.got.Write(p[:n]) // A hash never fails to take bytes: hash.Hash.
	if errors.Is(err, io.EOF) && string(v.got.Sum(nil)) != string(v.want) {
		return n, errChanged
	}
	return n, err // io.Reader's contract: io.EOF comes as it is.
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx     context.Context
	content io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err // io.Reader's contract.
	}
	return r.content.Read(p) // io.Reader's contract.
}
