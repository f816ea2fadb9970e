//go:build e2e

// Package e2e tests the whole: the built binaries, a real node with real containers, real Spark. It needs root, and
// the binaries in bin/ (make test-e2e builds them). It leaves the machine as it found it: a cluster that ran before
// runs after, one that did not is taken down again.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brazier.sh/brazier/test/e2e/stay"
)

// home is where the embedded cluster keeps its state (brazier up --home).
const home = "/var/lib/brazier"

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getuid() != 0 {
		fmt.Fprintln(os.Stderr, "the end-to-end tests start a node and containers: run them as root")
		return 1
	}
	_, err := os.Stat(home)
	return stay.Stay{
		Fresh: errors.Is(err, os.ErrNotExist),
		WasUp: command(context.Background(), "brazier", "status").Run() == nil,
		Brazier: func(args ...string) error {
			cmd := command(context.Background(), "brazier", args...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			return cmd.Run()
		},
		Errors: os.Stderr,
	}.Run(m.Run)
}

// binary returns the path of one of our own programs.
func binary(name string) string {
	return filepath.Join("..", "..", "bin", name)
}

// command prepares one of our own programs against the embedded cluster.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary(name), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(home, "kubeconfig"))
	return cmd
}

// brazier runs the command line and returns what it printed to its standard output; it must succeed.
func brazier(t *testing.T, args ...string) string {
	t.Helper()
	return must(t, command(t.Context(), "brazier", args...))
}

// kubectl runs the real kubectl and returns what it printed; it must succeed.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return must(t, command(t.Context(), "kubectl", args...))
}

func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// eventually polls until done returns nil, and fails the test with its last error when the time is up.
func eventually(t *testing.T, limit time.Duration, what string, done func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := done()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		case <-ticker.C:
		}
	}
}
