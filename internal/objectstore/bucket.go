// Package objectstore keeps files where a cluster's pods can reach them: in a bucket of an S3 object store, or, for
// tests, in a folder. It knows of no application and decides no names but those that follow from content.
package objectstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

const fileScheme = "file://"

// Bucket is an open bucket. Close it when done.
type Bucket struct {
	blobs *blob.Bucket
	root  string
}

// Open opens the bucket that settings name. It does not speak to the store yet.
func Open(ctx context.Context, settings Settings) (*Bucket, error) {
	if settings.folder() {
		return openFolder(settings.Bucket)
	}
	client, err := newClient(settings)
	if err != nil {
		return nil, err
	}
	blobs, err := s3blob.OpenBucket(ctx, client, settings.Bucket, nil)
	if err != nil {
		return nil, fmt.Errorf("open bucket %q: %w", settings.Bucket, err)
	}
	return &Bucket{blobs: blobs, root: "s3a://" + settings.Bucket}, nil
}

func openFolder(url string) (*Bucket, error) {
	// Sidecar files of attributes would look like data to whoever reads the folder.
	blobs, err := fileblob.OpenBucket(strings.TrimPrefix(url, fileScheme), &fileblob.Options{
		NoTempDir: true,
		Metadata:  fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %q: %w", url, err)
	}
	return &Bucket{blobs: blobs, root: strings.TrimSuffix(url, "/")}, nil
}

// newClient speaks to the endpoint in path style, since a private store has no DNS name for each bucket.
func newClient(settings Settings) (*s3.Client, error) {
	transport := awshttp.NewBuildableClient()
	if len(settings.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(settings.CA) {
			return nil, errors.New("object store: ca.crt holds no certificate in PEM form")
		}
		transport = transport.WithTransportOptions(func(t *http.Transport) {
			t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		})
	}
	options := s3.Options{
		Region:       settings.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(settings.AccessKeyID, settings.SecretAccessKey, ""),
		HTTPClient:   transport,
		UsePathStyle: true,
	}
	if settings.Endpoint != "" {
		options.BaseEndpoint = aws.String(settings.Endpoint)
	}
	return s3.New(options), nil
}

// Close lets go of the bucket.
func (b *Bucket) Close() error {
	if err := b.blobs.Close(); err != nil {
		return fmt.Errorf("close bucket: %w", err)
	}
	return nil
}

// URL returns how Spark calls the object of that key.
func (b *Bucket) URL(key string) string { return b.root + "/" + key }

// Size returns the size of an object and whether there is one.
func (b *Bucket) Size(ctx context.Context, key string) (size int64, exists bool, err error) {
	attributes, err := b.blobs.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for %s: %w", b.URL(key), err)
	}
	return attributes.Size, true, nil
}

// Read returns the content of an object; the caller closes it.
func (b *Bucket) Read(ctx context.Context, key string) (io.ReadCloser, error) {
	reader, err := b.blobs.NewReader(ctx, key, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.URL(key), err)
	}
	return reader, nil
}
