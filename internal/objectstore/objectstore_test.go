package objectstore_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"brazier.sh/brazier/internal/objectstore"
)

func secret(data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: objectstore.SecretName},
		Data:       map[string][]byte{},
	}
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret
}

func TestFromSecret(t *testing.T) {
	complete := map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_ENDPOINT_URL_S3": "https://store", "AWS_REGION": "us-east-1",
		"BRAZIER_BUCKET": "brazier", "ca.crt": "pem",
	}
	without := func(key string) map[string]string {
		rest := map[string]string{}
		for k, v := range complete {
			if k != key {
				rest[k] = v
			}
		}
		return rest
	}
	tests := map[string]struct {
		reason  string
		data    map[string]string
		want    objectstore.Settings
		wantErr string
	}{
		"Complete": {
			reason: "The Secret that an embedded cluster writes is read whole.",
			data:   complete,
			want: objectstore.Settings{
				Bucket: "brazier", Endpoint: "https://store", Region: "us-east-1", AccessKeyID: "id", SecretAccessKey: "key", CA: []byte("pem"),
			},
		},
		"AtAWS": {
			reason: "Without an endpoint the store is the region's own.",
			data:   without("AWS_ENDPOINT_URL_S3"),
			want: objectstore.Settings{
				Bucket: "brazier", Region: "us-east-1", AccessKeyID: "id", SecretAccessKey: "key", CA: []byte("pem"),
			},
		},
		"Folder": {
			reason: "A folder needs no keys.",
			data:   map[string]string{"BRAZIER_BUCKET": "file:///tmp"},
			want:   objectstore.Settings{Bucket: "file:///tmp"},
		},
		"NoBucket": {reason: "A missing key is named.", data: without("BRAZIER_BUCKET"), wantErr: "secret team/brazier-object-store: the key BRAZIER_BUCKET"},
		"NoKey":    {reason: "A missing key is named.", data: without("AWS_SECRET_ACCESS_KEY"), wantErr: "AWS_SECRET_ACCESS_KEY"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := objectstore.FromSecret(secret(tt.data))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("%s\ngot error %v, want one with %q", tt.reason, err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", tt.reason, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tt.reason, diff)
			}
		})
	}
}

func TestOfNamespace(t *testing.T) {
	folder := t.TempDir()
	cluster := fake.NewClientset(secret(map[string]string{"BRAZIER_BUCKET": "file://" + folder}))
	bucket, err := objectstore.OfNamespace(t.Context(), cluster, "team")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	if want, got := "file://"+folder+"/a/b", bucket.URL("a/b"); got != want {
		t.Errorf("URL: got %s, want %s", got, want)
	}

	_, err = objectstore.OfNamespace(t.Context(), cluster, "other")
	if err == nil || !strings.Contains(err.Error(), `namespace "other" has no Secret brazier-object-store`) {
		t.Errorf("a namespace without an object store must be named with the way out, got %v", err)
	}
}

func TestOpenRejectsWhatIsNoCertificate(t *testing.T) {
	_, err := objectstore.Open(t.Context(), objectstore.Settings{Bucket: "b", Region: "r", CA: []byte("no PEM")})
	if err == nil || !strings.Contains(err.Error(), "ca.crt") {
		t.Errorf("a CA that cannot be read must not fall back to the machine's own, got %v", err)
	}
}

func open(t *testing.T) (bucket *objectstore.Bucket, folder string) {
	t.Helper()
	folder = t.TempDir()
	bucket, err := objectstore.Open(t.Context(), objectstore.Settings{Bucket: "file://" + folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })
	return bucket, folder
}

func read(t *testing.T, bucket *objectstore.Bucket, key string) string {
	t.Helper()
	reader, err := bucket.Read(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestPutFileSendsContentOnce(t *testing.T) {
	bucket, folder := open(t)
	file := filepath.Join(t.TempDir(), "job.py")
	if err := os.WriteFile(file, []byte("print(1)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const key = "uploads/team/cc42155088fca5730758db72b2a5bca33112a941dfaa2d43098ec422ce4ea213/job.py"

	var last [2]int64
	progress := func(done, total int64) { last = [2]int64{done, total} }
	first, err := bucket.PutFile(t.Context(), "uploads/team", file, progress)
	if err != nil {
		t.Fatal(err)
	}
	if first.Present || first.Size != 9 || first.Key != key {
		t.Errorf("first upload: got %+v", first)
	}
	if last != [2]int64{9, 9} {
		t.Errorf("progress must end at the file's size, got %v", last)
	}
	if got := read(t, bucket, first.Key); got != "print(1)\n" {
		t.Errorf("content: got %q", got)
	}

	second, err := bucket.PutFile(t.Context(), "uploads/team", file, progress)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(objectstore.Upload{Key: first.Key, Size: 9, Present: true}, second); diff != "" {
		t.Errorf("the same content must not be sent again\n-want +got:\n%s", diff)
	}

	// What an upload that was cut off may leave in a plain folder has another size, and is written anew.
	if err := os.WriteFile(filepath.Join(folder, first.Key), []byte("pri"), 0o600); err != nil {
		t.Fatal(err)
	}
	third, err := bucket.PutFile(t.Context(), "uploads/team", file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if third.Present || read(t, bucket, third.Key) != "print(1)\n" {
		t.Errorf("an object of another size must be replaced, got %+v", third)
	}
}

func TestPutFileNamesAMissingFile(t *testing.T) {
	bucket, _ := open(t)
	if _, err := bucket.PutFile(t.Context(), "uploads", "/no/such/job.py", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that is os.ErrNotExist", err)
	}
}

func TestPutLeavesNothingOfAReaderThatFails(t *testing.T) {
	bucket, _ := open(t)
	broken := errors.New("the disk is gone")
	content := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))
	if err := bucket.Put(t.Context(), "a", content, -1, nil); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, exists, err := bucket.Size(t.Context(), "a"); err != nil || exists {
		t.Errorf("half an object was left behind (exists %t, error %v)", exists, err)
	}
}

func TestPutStopsWithItsContext(t *testing.T) {
	bucket, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bucket.Put(ctx, "a", strings.NewReader("x"), 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
