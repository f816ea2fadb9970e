package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"brazier.sh/brazier/internal/localcluster/health"
	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/part"
)

// grace is how long a part may take to end by itself.
const grace = 5 * time.Second

// host is the machine that the parts really run on.
type host struct{ layout layout.Layout }

// record is what is kept of a running part, so that another supervisor can adopt it.
type record struct {
	PID    int    `json:"pid"`
	Ticks  uint64 `json:"ticks"`
	Boot   string `json:"boot"`
	Digest string `json:"digest"`
}

func (h host) recordPath(name string) string {
	return filepath.Join(h.layout.Run, "parts", name+".json")
}

func (h host) probe(ctx context.Context, check part.Check) error { return health.Probe(ctx, check) }

func (h host) tend(p part.Part) error { return rotate(h.layout.Log(p.Name)) }

func (h host) obtain(p part.Part) (process, error) {
	digest, err := Digest(p)
	if err != nil {
		return nil, err
	}
	if pid, same := h.survivor(p, digest); pid != 0 {
		adopted := adopt(pid)
		if same {
			return adopted, nil
		}
		adopted.terminate()
	}
	if err := Prepare(p); err != nil {
		return nil, err
	}
	started, err := h.start(p)
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	if err := h.remember(p.Name, started.pid(), digest); err != nil {
		started.terminate()
		return nil, err
	}
	return started, nil
}

// survivor returns the part's process that an earlier supervisor started, or 0, and whether it is as wanted now.
func (h host) survivor(p part.Part, digest string) (pid int, same bool) {
	kept, err := h.recall(p.Name)
	if err == nil && kept.alive() {
		return kept.PID, kept.Digest == digest
	}
	// A supervisor that was killed between starting a part and writing it down leaves a process without a record.
	return findExact(p.Argv), false
}

func (h host) recall(name string) (record, error) {
	var kept record
	data, err := os.ReadFile(h.recordPath(name))
	if err != nil {
		return kept, err
	}
	return kept, json.Unmarshal(data, &kept)
}

func (r record) alive() bool {
	boot, err := bootID()
	if err != nil || boot != r.Boot {
		return false
	}
	ticks, err := startTicks(r.PID)
	return err == nil && ticks == r.Ticks
}

func (h host) remember(name string, pid int, digest string) error {
	ticks, err := startTicks(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil // It ended at once; its end will be noticed and told.
	}
	if err != nil {
		return fmt.Errorf("read the start of process %d: %w", pid, err)
	}
	boot, err := bootID()
	if err != nil {
		return fmt.Errorf("read the boot's id: %w", err)
	}
	data, err := json.Marshal(record{PID: pid, Ticks: ticks, Boot: boot, Digest: digest})
	if err != nil {
		return fmt.Errorf("write down process %d: %w", pid, err)
	}
	if err := replace(h.recordPath(name), data); err != nil {
		return fmt.Errorf("write down process %d: %w", pid, err)
	}
	return nil
}

// start starts the part in a session of its own, so that it outlives this process and its terminal, with its output
// going straight to its log.
func (h host) start(p part.Part) (*running, error) {
	if err := os.MkdirAll(h.layout.Logs(), 0o700); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(h.layout.Log(p.Name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // The part has its own descriptor.
	cmd := exec.Command(p.Argv[0], p.Argv[1:]...)
	cmd.Dir = h.layout.Home
	cmd.Env = append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + h.layout.Home,
	}, p.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	child := &running{number: cmd.Process.Pid, ended: make(chan struct{})}
	go func() {
		child.how = "exit status 0"
		if err := cmd.Wait(); err != nil {
			child.how = err.Error()
		}
		close(child.ended)
	}()
	return child, nil
}

// running is a process of this machine, a child or an adopted one.
type running struct {
	number int
	ended  chan struct{}
	how    string
}

// adopt watches a process that another supervisor started. How it ends cannot be known, only that it does.
func adopt(pid int) *running {
	r := &running{number: pid, ended: make(chan struct{}), how: "ended"}
	go func() {
		defer close(r.ended)
		if err := awaitEnd(pid); err != nil {
			r.how = err.Error()
		}
	}()
	return r
}

func (r *running) pid() int              { return r.number }
func (r *running) done() <-chan struct{} { return r.ended }
func (r *running) reason() string        { return r.how }

func (r *running) terminate() {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-r.ended:
			return
		default:
		}
		_ = syscall.Kill(r.number, signal) // It fails only if the process has ended.
		select {
		case <-r.ended:
			return
		case <-time.After(grace):
		}
	}
	<-r.ended
}
