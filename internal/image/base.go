package image

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"brazier.sh/brazier/internal/image/layer"
)

// The user that Spark runs as. Its group is root, so that a cluster that gives containers users of its own choice,
// which it puts into that group, can write where Spark writes.
const (
	sparkUID  = 185
	sparkGID  = 0
	sparkUser = "185:0"
	sparkHome = "/home/spark"
	passwd    = "spark:x:185:0:Spark:/home/spark:/bin/bash\n" //nolint:gosec // the user has no password
)

// debsOf returns the Debian packages of a platform's base.
func debsOf(p platform) []string {
	return append(slices.Clone(p.Debs), fmt.Sprintf("openjdk-%d-jre-headless", p.Java))
}

// makeBase makes the Debian system that an image stands on, in root.
func makeBase(ctx context.Context, p platform, root string) error {
	sources, err := hostSources("/etc", p.Suite)
	if err != nil {
		return err
	}
	options, err := aptOptions(ctx)
	if err != nil {
		return err
	}
	// In namespaces of its own nothing of it outlives it when it is killed, above all no mount of /dev.
	args := []string{
		"--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "mmdebstrap",
		"--variant=minbase", "--mode=root", "--format=directory", "--quiet",
		"--include=" + strings.Join(debsOf(p), ","),
	}
	for _, option := range options {
		args = append(args, "--aptopt="+option)
	}
	args = append(args, p.Suite, root)
	if sources != "" {
		args = append(args, "-")
	}
	command := exec.CommandContext(ctx, "unshare", args...)
	command.Stdin = strings.NewReader(sources)
	command.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(layer.Epoch().Unix(), 10))
	if _, err := run(command); err != nil {
		return fmt.Errorf("make Debian base: %w", err)
	}
	return finishBase(root)
}

// finishBase adds Spark's user, and writes again what Debian writes differently each time: Java's trusted
// certificates, in which it notes the hour.
func finishBase(root string) error {
	users, err := os.OpenFile(filepath.Join(root, "etc/passwd"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("add Spark's user: %w", err)
	}
	defer users.Close()
	if _, err := users.WriteString(passwd); err != nil {
		return fmt.Errorf("add Spark's user: %w", err)
	}
	bundle, err := os.ReadFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		return fmt.Errorf("read trusted certificates: %w", err)
	}
	trusted, err := trustStore(bundle)
	if err != nil {
		return fmt.Errorf("write Java's trusted certificates: %w", err)
	}
	return os.WriteFile(filepath.Join(root, "etc/ssl/certs/java/cacerts"), trusted, 0o644)
}

// trustStore returns the certificates of a PEM bundle as a store that Java reads without a password.
func trustStore(bundle []byte) ([]byte, error) {
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, certificate)
	}
	return pkcs12.Passwordless.EncodeTrustStore(certificates, "")
}

// inBase says what of a Debian system belongs in an image: not what the machine that built it left behind, nor
// what nobody reads in a container, nor Python's bytecode, which is made for all of the image at once.
func inBase(name string, info fs.FileInfo) bool {
	dir, file := path.Split(name)
	switch {
	case file == "__pycache__":
		return false
	case within(name, "dev", "proc", "sys", "run", "tmp", "var/tmp", "var/log", "var/cache", "var/lib/apt/lists",
		"etc/apt/sources.list.d", "usr/share/locale", "usr/share/info"):
		return false
	case slices.Contains([]string{
		"etc/hostname", "etc/resolv.conf", "etc/machine-id", "etc/apt/sources.list",
		"etc/apt/apt.conf.d/99mmdebstrap", "var/lib/dpkg/status-old", "var/lib/dpkg/diversions-old",
		"etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-",
	}, name):
		return false
	case strings.HasPrefix(dir, "usr/share/man/"): // the folders stay: the JRE's installation fails without them
		return info.IsDir()
	case strings.HasPrefix(dir, "usr/share/doc/"): // the licences stay
		return info.IsDir() || file == "copyright" || info.Mode()&fs.ModeSymlink != 0
	default:
		return true
	}
}

// within reports whether name is below, but not itself, one of the folders.
func within(name string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(name, folder+"/") })
}
