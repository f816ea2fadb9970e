package supervise

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

// sleeper describes a part that only exists, with a command line of its own.
func sleeper(t *testing.T) (host, part.Part) {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	h := host{layout: layout.Layout{Home: filepath.Join(dir, "home"), Run: filepath.Join(dir, "run")}}
	if err := os.Mkdir(h.layout.Home, 0o700); err != nil {
		t.Fatal(err)
	}
	// Two durations add up; the second, a different one in each test, keeps tests from finding each other's.
	return h, part.Part{Name: "sleeper", Argv: []string{sleep, "600." + strconv.Itoa(os.Getpid()), "0." + strconv.FormatInt(unique.Add(1), 10)}}
}

// unique counts the parts that tests have described.
var unique atomic.Int64

func obtain(t *testing.T, h host, p part.Part) process {
	t.Helper()
	got, err := h.obtain(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(got.terminate)
	return got
}

func TestAdoption(t *testing.T) {
	h, p := sleeper(t)
	first := obtain(t, h, p)
	adopted := obtain(t, h, p)
	if adopted.pid() != first.pid() {
		t.Errorf("process %d was not adopted, %d was started", first.pid(), adopted.pid())
	}
	if err := syscall.Kill(first.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-adopted.done() // It is told of the end of a process that is not its child.
	if again := obtain(t, h, p); again.pid() == first.pid() {
		t.Error("a process that has ended was adopted")
	}
}

func TestOtherDescriptionIsRestarted(t *testing.T) {
	h, p := sleeper(t)
	first := obtain(t, h, p)
	p.Env = []string{"ANOTHER=environment"}
	if second := obtain(t, h, p); second.pid() == first.pid() {
		t.Error("a process with an environment that is no longer wanted was adopted")
	}
	<-first.done()
}

func TestForgottenProcessIsNotDoubled(t *testing.T) {
	h, p := sleeper(t)
	first := obtain(t, h, p)
	if err := os.Remove(h.recordPath(p.Name)); err != nil {
		t.Fatal(err)
	}
	obtain(t, h, p)
	<-first.done() // Nobody knows with which files it was started: it has to go.
}

func TestReusedNumberIsNotAdopted(t *testing.T) {
	kept := record{PID: os.Getpid(), Ticks: 1}
	boot, err := bootID()
	if err != nil {
		t.Skip(err)
	}
	kept.Boot = boot
	if kept.alive() {
		t.Error("a process that started at another time was taken for the one that was written down")
	}
}

func TestChangedFileChangesDigest(t *testing.T) {
	_, p := sleeper(t)
	file := filepath.Join(t.TempDir(), "cert")
	p.Reads = []string{file}
	digests := map[string]bool{}
	for _, content := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		digest, err := Digest(p)
		if err != nil {
			t.Fatal(err)
		}
		digests[digest] = true
	}
	if len(digests) != 2 {
		t.Error("a renewed certificate does not restart its part")
	}
}

func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part.log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	if err := log.Truncate(maxLog); err != nil {
		t.Fatal(err)
	}
	if err := rotate(path); err != nil {
		t.Fatal(err)
	}
	if _, err := log.WriteString("after"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "after" {
		t.Errorf("the part goes on at the beginning of the emptied log: got %d bytes, %v", len(content), err)
	}
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != maxLog {
		t.Errorf("what was written before is kept aside: %v, %v", info, err)
	}
}

func TestOneSupervisor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(path); err == nil {
		t.Error("two supervisors have the lock")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := acquire(path)
	if err != nil {
		t.Fatalf("the lock of one that has ended is still held: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
