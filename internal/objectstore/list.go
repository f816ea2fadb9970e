package objectstore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// Keys returns the keys of all objects that begin with prefix, in order.
func (b *Bucket) Keys(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	objects := b.blobs.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", b.URL(prefix), err)
		}
		keys = append(keys, object.Key)
	}
}

// DeleteAll deletes every object whose key begins with prefix. That some are gone already is no error.
func (b *Bucket) DeleteAll(ctx context.Context, prefix string) error {
	keys, err := b.Keys(ctx, prefix)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := b.blobs.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("delete %s: %w", b.URL(key), err)
		}
	}
	return nil
}
