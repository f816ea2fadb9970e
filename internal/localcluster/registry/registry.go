// Package registry is how programs of this machine reach the embedded cluster's registry, which lets in only those that
// hold its client certificate.
package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

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
