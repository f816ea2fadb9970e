package operated

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// patience ends a test that hangs.
	patience = 2 * time.Minute
	// goMemory is what the Deployment tells Go's runtime to stay below: nine tenths of its container's 512 MB.
	goMemory = "GOMEMLIMIT=483183820"
	// lastWords is how much of an operator's log is shown of a test that failed.
	lastWords = 3000
)

// Collector is how the Deployment has Go's garbage collector work: the chart's value gogc.
const Collector = "GOGC=50"

// Operator is a running operator.
type Operator struct {
	command *exec.Cmd
	log     string
	health  string
	done    chan struct{}
}

// Operate starts binary as an operator that is configured by text beside where it listens, with env over the Deployment's
// environment. It is killed with the test.
func (c *Cluster) Operate(t testing.TB, binary, text string, env ...string) *Operator {
	t.Helper()
	dir := t.TempDir()
	o := &Operator{log: filepath.Join(dir, "log"), health: freeAddress(t), done: make(chan struct{})}
	text += fmt.Sprintf("\nnamespaces: [%s]\nmetricsAddress: \"0\"\nhealthAddress: %q\n", Namespace, o.health)
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(o.log)
	if err != nil {
		t.Fatal(err)
	}
	o.command = exec.Command(binary, "operator", "--kubeconfig", c.Plane.Kubeconfig(), "--config", config)
	o.command.Env = append(os.Environ(), goMemory, Collector, "GODEBUG=gctrace=1")
	o.command.Env = append(o.command.Env, env...)
	o.command.Stderr = log
	o.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := o.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.Kill()
		_ = log.Close()
		if text := o.Log(t); t.Failed() {
			t.Logf("the operator's last words: %s", text[max(0, len(text)-lastWords):])
		}
	})
	return o
}

// start starts the process by a thread that lives as long: the kernel kills the process when the thread that started it
// ends.
func (o *Operator) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := o.command.Start()
		started <- err
		if err == nil {
			_ = o.command.Wait() // how it ended, its state tells
			close(o.done)
		}
	}()
	return <-started
}

// Kill ends the process in the way that leaves it no time.
func (o *Operator) Kill() {
	_ = o.command.Process.Kill() // it may have ended by itself
	<-o.done
}

// Terminate ends the process as kubelet does, and waits until it has ended.
func (o *Operator) Terminate(t testing.TB) {
	t.Helper()
	if err := o.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("terminate the operator: %v", err)
	}
	select {
	case <-o.done:
	case <-time.After(patience):
		t.Fatal("the operator does not end")
	}
}

// Done is closed when the process has ended.
func (o *Operator) Done() <-chan struct{} { return o.done }

// Log returns what the operator has logged.
func (o *Operator) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(o.log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// LastLine returns the last of what the operator has logged.
func (o *Operator) LastLine(t testing.TB) string {
	t.Helper()
	text := strings.TrimSpace(o.Log(t))
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// AwaitReady waits until the operator has filled its cache.
func (o *Operator) AwaitReady(t testing.TB) {
	t.Helper()
	for deadline := time.After(patience); ; {
		err := o.ready()
		if err == nil {
			return
		}
		select {
		case <-o.done:
			t.Fatalf("the operator has ended: %s", o.Log(t))
		case <-deadline:
			t.Fatalf("the operator is not ready: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (o *Operator) ready() error {
	response, err := http.Get("http://" + o.health + "/readyz")
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// Memory returns how much memory the process has resident, and the most that it ever had, in bytes.
func (o *Operator) Memory(t testing.TB) (now, most int64) {
	t.Helper()
	now, most, err := ReadMemory(o.command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return now, most
}

// collected finds what a run of the garbage collector has left, in MB, in its trace.
var collected = regexp.MustCompile(`(?m)^gc \d+ @.* \d+->\d+->(\d+) MB`)

// Live returns how much of the process's heap was in use when it was last collected, in bytes.
func (o *Operator) Live(t testing.TB) int64 {
	t.Helper()
	runs := collected.FindAllStringSubmatch(o.Log(t), -1)
	if len(runs) == 0 {
		t.Fatal("the operator does not say what its garbage collector does")
	}
	live, err := strconv.ParseInt(runs[len(runs)-1][1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return live << 20
}

// CPU returns how much CPU time the process has used, its threads' together.
func (o *Operator) CPU(t testing.TB) time.Duration {
	t.Helper()
	process, err := ReadProcess(o.command.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return process.CPU
}

// freeAddress returns a loopback address that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
