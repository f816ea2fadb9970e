package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

func TestReapLeavesNoZombie(t *testing.T) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	if got := reap(); got != 0 {
		t.Fatalf("reaped %d children before there was one", got)
	}
	child := exec.Command("true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if got := reap(); got != 1 {
		t.Errorf("reaped %d children, want 1", got)
	}
	if err := syscall.Kill(child.Process.Pid, 0); err != syscall.ESRCH {
		t.Errorf("the child is still there as a zombie: %v", err)
	}
}

func TestPauseEndsOnSignal(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sent.String(), func(t *testing.T) {
			// Until pause has its own handler, this one keeps the signal from ending the test.
			guard := make(chan os.Signal, 1)
			signal.Notify(guard, sent)
			defer signal.Stop(guard)

			returned := make(chan struct{})
			go func() {
				pause()
				close(returned)
			}()
			for {
				if err := syscall.Kill(os.Getpid(), sent); err != nil {
					t.Fatal(err)
				}
				select {
				case <-returned:
					return
				case <-guard:
				}
			}
		})
	}
}
