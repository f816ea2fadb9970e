package submission

import (
	"context"
	"fmt"
	"path"
	"path/filepath"

	"brazier.sh/brazier/internal/objectstore"
	"brazier.sh/brazier/internal/terminal"
)

// uploader sends files to a namespace's part of a bucket.
type uploader struct {
	streams   terminal.Streams
	bucket    *objectstore.Bucket
	namespace string
	// temp is a folder for what is packed.
	temp string
}

// send uploads a file, or a folder packed to one, and writes its address in the place that named it.
func (u uploader) send(ctx context.Context, file local) error {
	source := file.path
	if file.pack != nil {
		packed, err := file.pack(file.path, u.temp)
		if err != nil {
			return fmt.Errorf("pack %s: %w", file.path, err)
		}
		source = packed
	}
	url, err := u.put(ctx, source)
	if err != nil {
		return err
	}
	*file.value = withAlias(url, file.alias)
	return nil
}

func withAlias(url, alias string) string {
	if alias == "" {
		return url
	}
	return url + "#" + alias
}

// put uploads one file and returns its address. The namespace is in the key, so that a store can grant each team its own
// files.
func (u uploader) put(ctx context.Context, file string) (string, error) {
	step := u.streams.Step("uploading %s", filepath.Base(file))
	upload, err := u.bucket.PutFile(ctx, path.Join("uploads", u.namespace), file, func(done, total int64) {
		step.Progress(done, total, terminal.Bytes)
	})
	if err != nil {
		step.Fail(err)
		return "", err
	}
	url := u.bucket.URL(upload.Key)
	if upload.Present {
		step.Done("%s, is there already", terminal.Bytes.Format(float64(upload.Size)))
	} else {
		step.Done("%s to %s", terminal.Bytes.Format(float64(upload.Size)), url)
	}
	return url, nil
}
