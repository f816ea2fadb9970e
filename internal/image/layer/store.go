package layer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
)

// lockRetry is how often a store looks whether another build has let go of a layer.
const lockRetry = 200 * time.Millisecond

// abandoned is the age from which what a build has left lying about belongs to no build.
const abandoned = 24 * time.Hour

// Store keeps layers below a folder: blobs by the digest of their content, and for each hash of a layer's inputs the
// layer that they gave. Several processes may use it at once.
type Store struct {
	dir string
}

// OpenStore returns the store in dir and makes it if there is none.
func OpenStore(dir string) (*Store, error) {
	for _, folder := range []string{"blobs", "layers", "locks", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, fmt.Errorf("make layer store: %w", err)
		}
	}
	return &Store{dir: dir}, removeOld(filepath.Join(dir, "tmp"))
}

// removeOld removes what builds left that were killed, long ago enough for none of them to be under way.
func removeOld(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("clean layer store: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < abandoned {
			continue // it may have ended since it was listed
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("clean layer store: %w", err)
		}
	}
	return nil
}

// Key returns the name under which a layer made of these inputs is kept. Whatever the layer's bytes depend on is to
// be among them.
func Key(inputs ...string) string {
	sum := sha256.New()
	for _, input := range inputs {
		fmt.Fprintf(sum, "%d:%s", len(input), input)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// TempDir makes a folder for a build, on the file system of the store; the caller removes it.
func (s *Store) TempDir(name string) (string, error) {
	return os.MkdirTemp(filepath.Join(s.dir, "tmp"), name+"-")
}

// Find returns the layer that is kept under key, or nil.
func (s *Store) Find(key string) (v1.Layer, error) {
	data, err := os.ReadFile(s.index(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read layer store: %w", err)
	}
	var found blob
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("read layer store: %s: %w", s.index(key), err)
	}
	found.path = s.blob(found.Blob)
	if info, err := os.Stat(found.path); err != nil || info.Size() != found.Bytes {
		return nil, nil // the blob was cleaned away or cut short: the layer has to be made again
	}
	return &found, nil
}

// Lock waits until no other build makes the layer of this key and returns the function that lets others go on.
func (s *Store) Lock(ctx context.Context, key string) (unlock func() error, err error) {
	file, err := os.OpenFile(filepath.Join(s.dir, "locks", key), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock layer: %w", err)
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file.Close, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock layer: %w", err), file.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), file.Close())
		case <-time.After(lockRetry):
		}
	}
}

// Put compresses tree and keeps it under key.
func (s *Store) Put(ctx context.Context, key string, tree Tree) (v1.Layer, error) {
	file, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "blob-")
	if err != nil {
		return nil, fmt.Errorf("keep layer: %w", err)
	}
	defer os.Remove(file.Name())

	made, err := compress(ctx, file, tree)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("keep layer: %w", err)
	}
	made.path = s.blob(made.Blob)
	if err := os.Rename(file.Name(), made.path); err != nil {
		return nil, fmt.Errorf("keep layer: %w", err)
	}
	return made, s.record(key, made)
}

func (s *Store) record(key string, made *blob) error {
	data, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("keep layer: %w", err)
	}
	file, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "index-")
	if err != nil {
		return fmt.Errorf("keep layer: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep layer: %w", err)
	}
	return os.Rename(file.Name(), s.index(key))
}

func (s *Store) index(key string) string {
	return filepath.Join(s.dir, "layers", key+".json")
}

func (s *Store) blob(digest v1.Hash) string {
	return filepath.Join(s.dir, "blobs", digest.Hex)
}

// compress writes tree to file. Level 1 of zstd: the bulk of an image is jars, which no level makes smaller.
func compress(ctx context.Context, file io.Writer, tree Tree) (*blob, error) {
	buffered := bufio.NewWriterSize(file, 1<<20)
	compressed := newCounter(buffered)
	encoder, err := zstd.NewWriter(compressed, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, err
	}
	plain := newCounter(encoder)
	err = tree.WriteTar(&cancelled{ctx: ctx, to: plain})
	if err := errors.Join(err, encoder.Close(), buffered.Flush()); err != nil {
		return nil, err
	}
	return &blob{Blob: compressed.digest(), Plain: plain.digest(), Bytes: compressed.bytes}, nil
}

// counter hashes and counts what passes through it.
type counter struct {
	to    io.Writer
	sum   hash.Hash
	bytes int64
}

func newCounter(to io.Writer) *counter {
	return &counter{to: to, sum: sha256.New()}
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.sum.Write(p[:n]) // a hash never fails
	c.bytes += int64(n)
	return n, err
}

func (c *counter) digest() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(c.sum.Sum(nil))}
}

// cancelled is a writer that ends with its context.
type cancelled struct {
	ctx context.Context //nolint:containedctx // io.Writer has no room for it
	to  io.Writer
}

func (c *cancelled) Write(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.to.Write(p)
}
