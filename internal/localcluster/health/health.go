// Package health sees whether a part of the cluster does its work, in the way that its description says.
package health

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"brazier.sh/brazier/internal/localcluster/part"
)

// timeout is how long a part may take to answer.
const timeout = 3 * time.Second

// Probe returns nil if the part that check describes does its work, else why it does not.
func Probe(ctx context.Context, check part.Check) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	switch {
	case check.URL != "":
		return get(ctx, check)
	case check.Socket != "":
		return connect(ctx, check.Socket)
	default:
		return nil
	}
}

func connect(ctx context.Context, socket string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return conn.Close()
}

// get asks over a connection of its own: a part that was restarted must not be judged by an old one.
func get(ctx context.Context, check part.Check) error {
	config, err := tlsConfig(check)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, check.URL, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err != nil {
		return fmt.Errorf("read the answer of %s: %w", check.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", check.URL, response.Status, firstFailure(string(body)))
	}
	return nil
}

// firstFailure picks, from the list of checks that Kubernetes' servers answer with, the first that failed.
func firstFailure(body string) string {
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "[-]") {
			return strings.TrimSpace(line)
		}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	return line
}

func tlsConfig(check part.Check) (*tls.Config, error) {
	if check.CA == "" {
		return nil, nil //nolint:nilnil // plain HTTP, on loopback
	}
	ca, err := os.ReadFile(check.CA)
	if err != nil {
		return nil, fmt.Errorf("read certificate authority: %w", err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(ca) {
		return nil, errors.New(check.CA + " holds no certificate")
	}
	if check.Cert != "" {
		pair, err := tls.LoadX509KeyPair(check.Cert, check.Key)
		if err != nil {
			return nil, fmt.Errorf("load client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
