// Package registry is the OCI registry that containerd pulls from: CNCF Distribution, configured by a file. It keeps
// images on the local disk only; the drivers for clouds are not linked.
package registry

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // storage.filesystem
)

// Run serves until a signal says otherwise.
func Run(args []string) error {
	config, err := parse(args)
	if err != nil {
		return err
	}
	// Distribution sends traces to localhost unless OpenTelemetry's own variable says not to.
	if err := os.Setenv("OTEL_TRACES_EXPORTER", "none"); err != nil {
		return fmt.Errorf("turn tracing off: %w", err)
	}
	server, err := registry.NewRegistry(context.Background(), config)
	if err != nil {
		return fmt.Errorf("set up the registry: %w", err)
	}
	return server.ListenAndServe()
}

// parse reads the configuration file that the flags name, and refuses one that would let anybody push.
func parse(args []string) (*configuration.Configuration, error) {
	flags := flag.NewFlagSet("registry", flag.ContinueOnError)
	path := flags.String("config", "", "the registry's configuration `file`")
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("parse flags: %w", err)
	}
	if *path == "" {
		return nil, fmt.Errorf("--config is empty; name the registry's configuration file")
	}
	content, err := os.ReadFile(*path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	config, err := configuration.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", *path, err)
	}
	if tls := config.HTTP.TLS; tls.Certificate == "" || tls.Key == "" || len(tls.ClientCAs) == 0 {
		return nil, fmt.Errorf("%s: http.tls needs certificate, key and clientcas; without them any pod could push images", *path)
	}
	return config, nil
}
