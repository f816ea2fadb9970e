// Package registry is how programs of this machine reach the embedded cluster's registry, which lets in only those that
// hold its client certificate.
package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"brazier.sh/brazier/internal/image"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

// Transport returns a transport that is verified with the cluster's authority and carries the client certificate.
func Transport(l layout.Layout) (*http.Transport, error) {
	authority, err := os.ReadFile(l.CA())
	if err != nil {
		return nil, fmt.Errorf("reach the registry: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(l.Cert(part.RegistryClient), l.Key(part.RegistryClient))
	if err != nil {
		return nil, fmt.Errorf("reach the registry: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("reach the registry: " + l.CA() + " holds no certificate")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // It is on this machine.
	transport.TLSClientConfig = &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12,
	}
	return transport, nil
}

// Access returns the files by which images are pushed.
func Access(l layout.Layout) image.Registry {
	return image.Registry{CA: l.CA(), Cert: l.Cert(part.RegistryClient), Key: l.Key(part.RegistryClient)}
}

// Ensure puts the image under ref, unless something is there already: a ref's tag has to stand for its content.
func Ensure(ctx context.Context, l layout.Layout, ref string, build func() (v1.Image, error)) error {
	tag, err := name.NewTag(ref)
	if err != nil {
		return fmt.Errorf("image reference: %w", err)
	}
	transport, err := Transport(l)
	if err != nil {
		return err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(transport)}
	if _, err := remote.Head(tag, options...); err == nil {
		return nil
	}
	made, err := build()
	if err != nil {
		return fmt.Errorf("make image %s: %w", ref, err)
	}
	if err := remote.Write(tag, made, options...); err != nil {
		return fmt.Errorf("push image %s: %w", ref, err)
	}
	return nil
}
