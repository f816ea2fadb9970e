package image

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"brazier.sh/brazier/internal/terminal"
)

// guarded starts a registry that wants a client certificate, as the embedded cluster's does. It returns its address,
// how a client reaches it, and how many blobs were sent to it.
func guarded(t *testing.T) (address string, access Registry, sent *atomic.Int64) {
	t.Helper()
	access = Registry{
		CA: filepath.Join(t.TempDir(), "ca.crt"), Cert: filepath.Join(t.TempDir(), "client.crt"), Key: filepath.Join(t.TempDir(), "client.key"),
	}
	authority := clientCertificate(t, access)
	sent = &atomic.Int64{}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			sent.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	writePEM(t, access.CA, "CERTIFICATE", server.Certificate().Raw)
	return server.Listener.Addr().String(), access, sent
}

// clientCertificate writes a certificate that signs itself, and returns the pool that trusts it.
func clientCertificate(t *testing.T, access Registry) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, IsCA: true, BasicConstraintsValid: true,
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, access.Cert, "CERTIFICATE", raw)
	writePEM(t, access.Key, "PRIVATE KEY", private)
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}

func writePEM(t *testing.T, file, kind string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func someImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestPush(t *testing.T) {
	address, access, sent := guarded(t)
	image, streams := someImage(t), terminal.Streams{Err: io.Discard}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "again"} {
		got, err := Push(t.Context(), image, address+"/spark:4.3.0", access, streams)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := address + "/spark@" + digest.String(); got != want {
			t.Errorf("%s: the reference by digest is %q, want %q", name, got, want)
		}
	}
	if got := sent.Load(); got != 3 {
		t.Errorf("%d blobs were sent; two layers and a configuration are three, and the second push sends none", got)
	}
}

func TestPushFails(t *testing.T) {
	address, access, _ := guarded(t)
	tests := map[string]struct {
		reason string
		ref    string
		access Registry
		fault  string
	}{
		"NoCertificate": {reason: "Whoever does not show who it is cannot push.", ref: address + "/spark:1", access: Registry{CA: access.CA}, fault: "certificate"},
		"Untrusted":     {reason: "A registry of an unknown authority is not spoken to.", ref: address + "/spark:1", access: Registry{}, fault: "x509"},
		"NoReference":   {reason: "A reference has a form.", ref: "Not A Ref", access: access, fault: "write for example"},
		"NoAuthority":   {reason: "A file that is not there is named.", ref: address + "/spark:1", access: Registry{CA: "/nowhere/ca.crt"}, fault: "/nowhere/ca.crt"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Push(t.Context(), someImage(t), tt.ref, tt.access, terminal.Streams{Err: io.Discard})
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s\nwant an error with %q, got %v", tt.reason, tt.fault, err)
			}
		})
	}
}

func TestSaveAndLoad(t *testing.T) {
	image, file := someImage(t), filepath.Join(t.TempDir(), "spark.tar")
	if err := Save(image, "spark:4.3.0", file); err != nil {
		t.Fatal(err)
	}
	loaded, done, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	want, _ := image.Digest()
	if got, err := loaded.Digest(); got != want || err != nil {
		t.Errorf("the image that was loaded is %v, %v, and %v was saved", got, err, want)
	}
}
