package objectstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/versity/versitygw/backend/meta"
)

// TestServe puts the store to what Spark and Brazier do with it, over TLS. There is one test because the gateway allows
// one instance of itself in a process.
func TestServe(t *testing.T) {
	connect, root := start(t)
	client := connect("secret")
	bucket := aws.String("brazier")

	body := []byte("spend,country\n1,FR\n")
	put, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("raw/invoices.csv"), Body: bytes.NewReader(body), ContentType: aws.String("text/csv"),
	})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("raw/invoices.csv")})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !bytes.Equal(content, body) {
		t.Errorf("got %q, want %q", content, body)
	}
	if aws.ToString(got.ETag) != aws.ToString(put.ETag) || aws.ToString(got.ContentType) != "text/csv" {
		t.Errorf("metadata is lost: etag %q, want %q; type %q", aws.ToString(got.ETag), aws.ToString(put.ETag), aws.ToString(got.ContentType))
	}

	t.Run("Copy", func(t *testing.T) {
		_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: bucket, Key: aws.String("raw/renamed.csv"), CopySource: aws.String("brazier/raw/invoices.csv"),
		})
		if err != nil {
			t.Fatalf("S3A renames what a task has written by copying it: %v", err)
		}
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("raw/renamed.csv")})
		if err != nil || aws.ToInt64(head.ContentLength) != int64(len(body)) {
			t.Errorf("the copy has %d bytes, want %d (error %v)", aws.ToInt64(head.ContentLength), len(body), err)
		}
		if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("raw/renamed.csv")}); err != nil {
			t.Errorf("delete the copy: %v", err)
		}
	})

	t.Run("Conditional", func(t *testing.T) {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: aws.String("raw/invoices.csv"), Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"),
		})
		wantCode(t, err, "PreconditionFailed")
	})
	t.Run("Multipart", func(t *testing.T) { multipart(t, client, bucket) })
	t.Run("List", func(t *testing.T) {
		listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/")})
		if err != nil {
			t.Fatal(err)
		}
		if len(listed.Contents) != 0 || len(listed.CommonPrefixes) != 2 {
			t.Errorf("got %d objects and %d prefixes; want big/ and raw/ only", len(listed.Contents), len(listed.CommonPrefixes))
		}
	})
	t.Run("WrongKey", func(t *testing.T) {
		_, err := connect("guess").ListBuckets(t.Context(), &s3.ListBucketsInput{})
		wantCode(t, err, "SignatureDoesNotMatch")
	})
	t.Run("Private", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(root, "brazier", "raw", "invoices.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("the object's file has mode %#o, want 0600", mode)
		}
	})
}

// multipart uploads a file in two parts, as s3a does with whatever is larger than its buffer.
func multipart(t *testing.T, client *s3.Client, bucket *string) {
	key := aws.String("big/part.parquet")
	upload, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 5<<20+17) // S3's smallest part, and a last one
	if _, err := rand.Read(want); err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for i, piece := range [][]byte{want[:5<<20], want[5<<20:]} {
		number := aws.Int32(int32(i + 1))
		part, err := client.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: bucket, Key: key, UploadId: upload.UploadId, PartNumber: number, Body: bytes.NewReader(piece),
		})
		if err != nil {
			t.Fatalf("part %d: %v", i+1, err)
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
	}
	if _, err := client.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{
		Bucket: bucket, Key: key, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}); err != nil {
		t.Fatalf("complete: %v", err)
	}
	tail, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key, Range: aws.String("bytes=5242870-")})
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Body.Close()
	got, err := io.ReadAll(tail.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want[5242870:]) {
		t.Errorf("the range across both parts has %d bytes that differ from what was sent", len(got))
	}
}

func TestMetadataFor(t *testing.T) {
	tests := map[string]struct {
		reason      string
		sidecar     bool
		wantSidecar func(attributes bool) bool
	}{
		"New":  {reason: "The file system's own attributes are best, where it has them.", wantSidecar: func(attributes bool) bool { return !attributes }},
		"Kept": {reason: "A folder of metadata that is there already stays in use.", sidecar: true, wantSidecar: func(bool) bool { return true }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "objects")
			if err := makeFolders(root, nil); err != nil {
				t.Fatal(err)
			}
			if tt.sidecar {
				if err := os.Mkdir(filepath.Join(filepath.Dir(root), "metadata-of-objects"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			attributes, err := userAttributes(root)
			if err != nil {
				t.Fatal(err)
			}
			storer, sidecar, err := metadataFor(root)
			if err != nil {
				t.Fatal(err)
			}
			_, isSidecar := storer.(meta.SideCar)
			if want := tt.wantSidecar(attributes); isSidecar != want || (sidecar != "") != want {
				t.Errorf("%s\ngot %T and folder %q on a file system with attributes=%v", tt.reason, storer, sidecar, attributes)
			}
			if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
				t.Errorf("the probe left %v behind (%v)", left, err)
			}
		})
	}
}

// start serves a store with the bucket brazier until the test ends. It returns how to connect with a secret key, and the
// store's folder.
func start(t *testing.T) (connect func(secret string) *s3.Client, root string) {
	t.Helper()
	certificate, key, roots := certificates(t)
	opts := options{
		root: filepath.Join(t.TempDir(), "objects"), address: freeAddress(t), region: "us-east-1",
		certificate: certificate, key: key, buckets: []string{"brazier"},
	}
	httpClient := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}

	// posix.New changes the working folder of the process; t.Chdir puts it back.
	t.Chdir(t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, opts, keyPair{access: "brazier", secret: "secret"}) }()
	t.Cleanup(func() {
		httpClient.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	waitHealthy(t, httpClient, "https://"+opts.address+HealthPath, ended)
	connect = func(secret string) *s3.Client {
		return s3.New(s3.Options{
			BaseEndpoint: aws.String("https://" + opts.address),
			Region:       opts.region,
			UsePathStyle: true,
			HTTPClient:   httpClient,
			Credentials:  credentials.NewStaticCredentialsProvider("brazier", secret, ""),
		})
	}
	return connect, opts.root
}

// waitHealthy asks until the server answers: each refusal returns at once, so that this is a matter of milliseconds.
func waitHealthy(t *testing.T, client *http.Client, url string, ended <-chan error) {
	t.Helper()
	for {
		select {
		case err := <-ended:
			t.Fatalf("the store ended before it answered: %v", err)
		case <-t.Context().Done():
			t.Fatal("the store never answered")
		default:
		}
		response, err := client.Get(url)
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s", url, response.Status)
		}
		return
	}
}

// certificates writes a server's certificate and key to files and returns their paths and who to trust for them.
func certificates(t *testing.T) (certificate, key string, roots *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Close()
	pair := server.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return writePEM(t, "CERTIFICATE", pair.Certificate[0]), writePEM(t, "PRIVATE KEY", private), roots
}

func writePEM(t *testing.T, kind string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if apiError, ok := errors.AsType[smithy.APIError](err); !ok || apiError.ErrorCode() != code {
		t.Errorf("got %v, want the error %s", err, code)
	}
}
