package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"brazier.sh/brazier/internal/terminal"
)

// Registry says how to reach a registry. The zero value trusts whom the machine trusts, and logs in as `docker login`
// was told.
type Registry struct {
	// CA is a file of certificates of authorities to trust beside the machine's own.
	CA string
	// Cert and Key are files by which the client shows who it is.
	Cert, Key string
}

// Push pushes an image under ref, and only what the registry does not have yet. It returns the reference by digest.
func Push(ctx context.Context, image v1.Image, ref string, registry Registry, streams terminal.Streams) (string, error) {
	tag, err := name.NewTag(ref)
	if err != nil {
		return "", fmt.Errorf("tag: %w; write for example registry.example.com/spark:4.3.0", err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	pinned := tag.Digest(digest.String()).String()
	options, err := registry.options(ctx)
	if err != nil {
		return "", err
	}
	step := streams.Step("pushing %s", ref)
	if there, err := remote.Head(tag, options...); err == nil && there.Digest == digest {
		step.Done("already there")
		return pinned, nil
	}
	if err := push(tag, image, step, options); err != nil {
		err = fmt.Errorf("push %s: %w", ref, err)
		step.Fail(err)
		return "", err
	}
	step.Done("")
	return pinned, nil
}

func push(tag name.Tag, image v1.Image, step *terminal.Step, options []remote.Option) error {
	updates := make(chan v1.Update, 64)
	done := make(chan error, 1)
	go func() { done <- remote.Write(tag, image, append(options, remote.WithProgress(updates))...) }()
	for update := range updates { // remote.Write closes it
		if update.Error == nil {
			step.Progress(update.Complete, update.Total, terminal.Bytes)
		}
	}
	return <-done
}

func (r Registry) options(ctx context.Context) ([]remote.Option, error) {
	transport, err := r.transport()
	if err != nil {
		return nil, err
	}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(transport),
	}, nil
}

func (r Registry) transport() (http.RoundTripper, error) {
	transport := remote.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is declared as one
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CA != "" {
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, fmt.Errorf("read the registry's authority: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("read the machine's authorities: %w", err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the registry's authority: %s holds no certificate", r.CA)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	if r.Cert != "" {
		pair, err := tls.LoadX509KeyPair(r.Cert, r.Key)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate for the registry: %w", err)
		}
		transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return transport, nil
}
