package objectstore_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/objectstore"
)

// TestS3 speaks to the object store of the embedded cluster, over TLS with a CA of its own.
func TestS3(t *testing.T) {
	if testing.Short() {
		t.Skip("this test starts an object store")
	}
	settings := startStore(t)
	bucket, err := objectstore.Open(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bucket.Close() })

	// More than one part of an upload, and a name that is to come through as it is.
	file := filepath.Join(t.TempDir(), "invoices_2026.csv.gz")
	content := bytes.Repeat([]byte("an invoice\n"), 1<<20)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var reported int64
	first, err := bucket.PutFile(t.Context(), "uploads/default", file, func(done, _ int64) { reported = done })
	if err != nil {
		t.Fatal(err)
	}
	if first.Present || reported != int64(len(content)) {
		t.Errorf("first upload: got %+v and a progress of %d", first, reported)
	}
	if want := "s3a://brazier/" + first.Key; bucket.URL(first.Key) != want {
		t.Errorf("URL: got %s, want %s", bucket.URL(first.Key), want)
	}
	reader, err := bucket.Read(t.Context(), first.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	stored := sha256.New()
	if _, err := io.Copy(stored, reader); err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(content); !bytes.Equal(stored.Sum(nil), want[:]) {
		t.Error("what was read differs from what was written")
	}
	second, err := bucket.PutFile(t.Context(), "uploads/default", file, nil)
	if err != nil || !second.Present || second.Key != first.Key {
		t.Errorf("second upload: got %+v and %v, want the first one's key and nothing sent", second, err)
	}
	if _, exists, err := bucket.Size(t.Context(), "none"); err != nil || exists {
		t.Errorf("an object that is not there: got %t and %v", exists, err)
	}

	t.Run("OtherCA", func(t *testing.T) {
		other := settings
		other.CA, _ = certificate(t)
		if err := put(t.Context(), other); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("a server that the CA does not vouch for must not be spoken to, got %v", err)
		}
	})
	t.Run("OtherKey", func(t *testing.T) {
		other := settings
		other.SecretAccessKey = "another"
		if err := put(t.Context(), other); err == nil || strings.Contains(err.Error(), "another") {
			t.Errorf("a wrong key must be refused and never be shown, got %v", err)
		}
	})
}

func put(ctx context.Context, settings objectstore.Settings) error {
	bucket, err := objectstore.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }()
	return bucket.Put(ctx, "a", strings.NewReader("x"), 1, nil)
}

// startStore starts an object store that ends with the test.
func startStore(t *testing.T) objectstore.Settings {
	t.Helper()
	bin, err := layout.FindBin()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	ca, key := certificate(t)
	files := map[string][]byte{
		"tls.crt": ca, "tls.key": key,
		"credentials": []byte("AWS_ACCESS_KEY_ID=test\nAWS_SECRET_ACCESS_KEY=test-secret\n"),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	store := exec.CommandContext(t.Context(), filepath.Join(bin, "brazier-cluster"), "object-store",
		"--root", filepath.Join(folder, "store"), "--address", address, "--bucket", "brazier",
		"--tls-cert", filepath.Join(folder, "tls.crt"), "--tls-key", filepath.Join(folder, "tls.key"),
		"--credentials", filepath.Join(folder, "credentials"))
	store.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log bytes.Buffer
	store.Stdout, store.Stderr = &log, &log
	if err := store.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = store.Process.Kill()
		_ = store.Wait() // It was killed.
	})
	awaitHealthy(t, "https://"+address+"/healthz", ca, &log)
	return objectstore.Settings{
		Bucket: "brazier", Endpoint: "https://" + address, Region: "us-east-1", AccessKeyID: "test", SecretAccessKey: "test-secret", CA: ca,
	}
}

func awaitHealthy(t *testing.T, url string, ca []byte, log *bytes.Buffer) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return false, err
		}
		response, err := client.Do(request)
		if err != nil {
			return false, nil // It does not listen yet.
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK, nil
	})
	if err != nil {
		t.Fatalf("the object store does not get healthy: %v\n%s", err, log)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// certificate makes a certificate for 127.0.0.1 that vouches for itself, and its key, both PEM.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "object-store"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
}
