package objectstore

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// options are what the command line says.
type options struct {
	root        string
	address     string
	certificate string
	key         string
	credentials string
	region      string
	buckets     []string
}

// parse reads the flags and checks what would otherwise fail late or open the store to others.
func parse(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("object-store", flag.ContinueOnError)
	flags.StringVar(&opts.root, "root", "", "the `folder` that holds the buckets")
	flags.StringVar(&opts.address, "address", "", "the one `IP:port` to listen on")
	flags.StringVar(&opts.certificate, "tls-cert", "", "the server's certificate, a PEM `file`")
	flags.StringVar(&opts.key, "tls-key", "", "the certificate's private key, a PEM `file`")
	flags.StringVar(&opts.credentials, "credentials", "",
		"a `file` of AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=… lines that only its owner can read; the environment without it")
	flags.StringVar(&opts.region, "region", "us-east-1", "the region that clients sign for")
	flags.Func("bucket", "a `bucket` to make if it is not there; may be repeated", func(name string) error {
		opts.buckets = append(opts.buckets, name)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return options{}, fmt.Errorf("parse flags: %w", err)
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("%q is not a flag; object-store takes flags only", flags.Arg(0))
	}
	return opts, opts.validate()
}

func (o options) validate() error {
	for name, value := range map[string]string{
		"--root": o.root, "--tls-cert": o.certificate, "--tls-key": o.key, "--region": o.region,
	} {
		if value == "" {
			return fmt.Errorf("%s is empty; the object store needs it", name)
		}
	}
	if !filepath.IsAbs(o.root) {
		return fmt.Errorf("--root: %q is not an absolute path", o.root)
	}
	if err := validateAddress(o.address); err != nil {
		return err
	}
	for _, bucket := range o.buckets {
		if !bucketName.MatchString(bucket) {
			return fmt.Errorf("--bucket: %q is not a bucket name; use 3 to 63 of a-z, 0-9, . and -", bucket)
		}
	}
	return nil
}

// bucketName is S3's rule for general purpose buckets, but for the reserved prefixes and suffixes.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// validateAddress refuses host names, because the gateway listens on all that they resolve to, and the wildcard address.
func validateAddress(address string) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("--address: %q is not an IP address and a port; write for example 127.0.0.1:9000", address)
	}
	if parsed.Addr().IsUnspecified() {
		return fmt.Errorf("--address: %q would listen on every interface; name the address of one", address)
	}
	return nil
}

// A keyPair is the one account of the store.
type keyPair struct {
	access, secret string
}

// String keeps the secret out of logs and errors.
func (k keyPair) String() string { return k.access }

// readKeys reads the key pair from the file at path or, where path is empty, from the environment. Never from
// arguments: every user of the machine can read those.
func readKeys(path string, getenv func(string) string) (keyPair, error) {
	const id, key = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
	source := "the environment"
	if path != "" {
		values, err := readPrivate(path)
		if err != nil {
			return keyPair{}, fmt.Errorf("--credentials: %w", err)
		}
		source, getenv = path, func(name string) string { return values[name] }
	}
	keys := keyPair{access: getenv(id), secret: getenv(key)}
	if keys.access == "" || keys.secret == "" {
		return keyPair{}, fmt.Errorf("%s has no %s or no %s; both are needed", source, id, key)
	}
	return keys, nil
}

// readPrivate reads NAME=value lines from a file that only its owner may read.
func readPrivate(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %#o, so that others can read the secret; chmod 600 it", path, mode)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	values, err := parseLines(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return values, nil
}

// parseLines reads NAME=value lines; empty ones and those that start with # are skipped. Errors name lines by number
// only, since a line that cannot be read may be a secret.
func parseLines(content []byte) (map[string]string, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d is not NAME=value", number)
		}
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.New("a line is too long")
	}
	return values, nil
}
