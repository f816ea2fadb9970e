// Package objectstore is the S3 object store of the embedded cluster: the Versity gateway over a folder of the local
// disk. It serves S3 over TLS on one address and nothing else: no web interface, no telemetry, no event notifications,
// no versions of objects, one account.
package objectstore

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// maxRequests is how many connections and requests the gateway serves at once. An executor opens up to 500 connections
// (fs.s3a.connection.maximum in Hadoop 3.4 and later), so this is enough for eight of them at their worst.
const maxRequests = 4096

// maxCopy is the largest object that one request may copy: S3's own limit. The gateway's default is documented as this
// and is none at all, and S3A renames by copying.
const maxCopy = 5 << 30

// HealthPath answers 200 to whoever asks, without a signature. It hides a bucket of that name.
const HealthPath = "/healthz"

// Run serves until a signal says otherwise.
func Run(args []string) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	keys, err := readKeys(opts.credentials, os.Getenv)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return serve(ctx, opts, keys)
}

func serve(ctx context.Context, opts options, keys keyPair) error {
	if err := makeFolders(opts.root, opts.buckets); err != nil {
		return err
	}
	storer, sidecar, err := metadataFor(opts.root)
	if err != nil {
		return err
	}
	settings := posix.PosixOpts{SideCarDir: sidecar, CopyObjectThreshold: maxCopy}
	settings.SetNewDirPerm(0o700)
	settings.SetNewFilePerm(0o600)
	backend, err := posix.New(opts.root, storer, settings)
	if err != nil {
		return fmt.Errorf("open %s: %w", opts.root, err)
	}
	defer backend.Shutdown()

	err = embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess:    keys.access,
		RootUserSecret:    keys.secret,
		Region:            opts.region,
		Ports:             []string{opts.address},
		CertFile:          opts.certificate,
		KeyFile:           opts.key,
		MaxConnections:    maxRequests,
		MaxRequests:       maxRequests,
		MultipartMaxParts: 10000, // S3's own limit
		HealthPath:        HealthPath,
		KeepAlive:         true, // a TLS handshake for each of Spark's small reads would cost more than the reads
		Quiet:             true,
	})
	if err != nil {
		return fmt.Errorf("serve on %s: %w", opts.address, err)
	}
	return nil
}

// makeFolders makes the root and, in it, a folder for each bucket: that is all that a bucket is to the gateway.
func makeFolders(root string, buckets []string) error {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return fmt.Errorf("make the object store's folder: %w", err)
	}
	for _, bucket := range buckets {
		if err := os.MkdirAll(filepath.Join(root, bucket), 0o700); err != nil {
			return fmt.Errorf("make bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// metadataFor chooses where ETags, content types and the like of the objects in root are kept: in extended attributes of
// the files, or in a folder beside root where the file system has none. A folder that is there already is kept to, since
// the metadata of earlier objects is in it.
func metadataFor(root string) (storer meta.MetadataStorer, sidecar string, err error) {
	sidecar = filepath.Join(filepath.Dir(root), "metadata-of-"+filepath.Base(root))
	_, err = os.Stat(sidecar)
	switch {
	case err == nil:
	case !os.IsNotExist(err):
		return nil, "", fmt.Errorf("look for the metadata folder: %w", err)
	default:
		supported, err := userAttributes(root)
		if err != nil {
			return nil, "", err
		}
		if supported {
			return meta.XattrMeta{}, "", nil
		}
		if err := os.Mkdir(sidecar, 0o700); err != nil {
			return nil, "", fmt.Errorf("make the metadata folder: %w", err)
		}
	}
	storer, err = meta.NewSideCar(sidecar)
	if err != nil {
		return nil, "", fmt.Errorf("open the metadata folder %s: %w", sidecar, err)
	}
	return storer, sidecar, nil
}
