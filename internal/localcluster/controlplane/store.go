package controlplane

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"brazier.sh/brazier/internal/localcluster/part"
)

// Store returns the URL of etcd and what it trusts its clients by, for who has to fill the API server sooner than it
// would take requests.
func (c *ControlPlane) Store() (url string, trust *tls.Config, err error) {
	check := part.ControlPlane(c.config)[0].Healthy
	authority, err := os.ReadFile(check.CA)
	if err != nil {
		return "", nil, fmt.Errorf("read the authority of etcd: %w", err)
	}
	certificate, err := tls.LoadX509KeyPair(check.Cert, check.Key)
	if err != nil {
		return "", nil, fmt.Errorf("read the certificate of etcd's clients: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return "", nil, errors.New("the authority of etcd is no certificate")
	}
	return strings.TrimSuffix(check.URL, "/health"), &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, Certificates: []tls.Certificate{certificate},
	}, nil
}
