package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brazier.sh/brazier/internal/localcluster/controlplane"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

// envChild makes this test program start a control plane and wait to be killed.
const envChild = "BRAZIER_TEST_CONTROLPLANE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(envChild) == "" {
		os.Exit(m.Run())
	}
	if err := child(os.Stdout, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(out io.Writer, in io.Reader) error {
	c, err := controlplane.Start(context.Background(), controlplane.Options{})
	if err != nil {
		return err
	}
	defer c.Stop()
	fmt.Fprintln(out, c.Kubeconfig())
	_, err = io.ReadAll(in) // until the parent ends
	return err
}

// TestDiesWithItsProcess kills the process that has started a control plane, in the way that leaves it no time.
func TestDiesWithItsProcess(t *testing.T) {
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), envChild+"=1")
	program.Stderr = os.Stderr
	if _, err := program.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Dir(strings.TrimSpace(line))
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	if got := len(parts(home)); got != 3 {
		t.Errorf("%d processes run, want etcd, API server and controller manager", got)
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // It was killed.
	for deadline := time.Now().Add(time.Minute); len(parts(home)) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", parts(home))
		}
	}
}

func parts(home string) []supervise.Running {
	return supervise.Find(func(argv []string) bool { return strings.Contains(strings.Join(argv, " "), home+"/") })
}
