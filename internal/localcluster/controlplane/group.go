package controlplane

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"

	"brazier.sh/brazier/internal/localcluster/part"
)

// group starts processes that die with this one, however it ends: the kernel kills them (Pdeathsig). It does so when
// the thread that started them ends, so one thread starts them all and stays until kill.
type group struct {
	starts    chan func()
	processes []*process
	once      sync.Once
}

// process is one of a group; done is closed when it has ended, with err then set.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

func newGroup() *group {
	g := &group{starts: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for start := range g.starts {
			start()
		}
	}()
	return g
}

func (g *group) start(p part.Part, log string) (*process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o700); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = output.Close() }() // The process has its own descriptor.

	cmd := exec.Command(p.Argv[0], p.Argv[1:]...)
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	started := make(chan error)
	g.starts <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	running := &process{cmd: cmd, done: make(chan struct{})}
	g.processes = append(g.processes, running)
	go func() {
		if running.err = cmd.Wait(); running.err == nil {
			running.err = errors.New("exit status 0")
		}
		close(running.done)
	}()
	return running, nil
}

// kill ends all processes and waits until they have. The last started goes first, so that none finds its server gone.
func (g *group) kill() {
	for i := len(g.processes) - 1; i >= 0; i-- {
		_ = g.processes[i].cmd.Process.Kill() // It fails only if the process has ended.
		<-g.processes[i].done
	}
	g.once.Do(func() { close(g.starts) })
}
