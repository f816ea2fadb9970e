package localcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"brazier.sh/brazier/internal/localcluster/layout"
	"brazier.sh/brazier/internal/localcluster/network"
	"brazier.sh/brazier/internal/localcluster/part"
	"brazier.sh/brazier/internal/localcluster/supervise"
)

// config is the description of the parts, as far as is known by now.
func (u *up) config() part.Config {
	return part.Config{
		Layout:  u.Layout,
		Address: layout.NodeAddress,
		Ports:   part.DefaultPorts(),
		Node: part.Node{
			Containerd:      u.programs.Containerd,
			ContainerdMajor: u.programs.Major,
			CNIBin:          u.programs.CNIBin,
			Resolvers:       u.machine.Resolvers,
			KeepOOMScore:    !capable(unix.CAP_SYS_RESOURCE),
			MasqueradeAll:   !network.SeesBridged(),
			ProxyEnv:        proxyEnv(os.Getenv),
			PauseImage:      u.pause,
		},
	}
}

// capable reports whether this process has the capability.
func capable(capability int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}

// proxyEnv are the variables by which containerd finds the world's registries, with the cluster's own never behind a
// proxy.
func proxyEnv(getenv func(string) string) []string {
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		value := getenv(name)
		if value == "" {
			value = getenv(strings.ToLower(name))
		}
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	if len(env) == 0 {
		return nil
	}
	except := []string{layout.PodCIDR, layout.ServiceCIDR, layout.Loopback, "localhost"}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if value := getenv(name); value != "" {
			except = append(except, value)
			break
		}
	}
	return append(env, "NO_PROXY="+strings.Join(except, ","))
}

func (u *up) makeRun() error {
	if err := os.MkdirAll(u.Layout.Run, 0o700); err != nil {
		return fmt.Errorf("make the folder of sockets: %w", err)
	}
	return nil
}

// startSupervisor starts a supervisor unless one of this very build runs. One of another build is replaced; the parts
// do not notice.
func (u *up) startSupervisor(ctx context.Context) (string, error) {
	program, err := supervise.Identity(u.Program)
	if err != nil {
		return "", fmt.Errorf("identify brazier's own program: %w", err)
	}
	report, err := u.supervisor().Report(ctx)
	if err == nil && report.Program == program {
		return "it runs", nil
	}
	if err == nil {
		if err := u.supervisor().Leave(ctx); err != nil {
			return "", err
		}
	}
	if err := u.spawn(); err != nil {
		return "", fmt.Errorf("start %s: %w", u.Program, err)
	}
	return "", u.awaitSupervisor(ctx, program)
}

// spawn starts the supervisor in a session of its own, so that it outlives this command and its terminal.
func (u *up) spawn() error {
	if err := os.MkdirAll(u.Layout.Logs(), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(u.Layout.Log("supervisor"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // The supervisor has its own descriptor.
	command := exec.Command(u.Program)
	command.Args = supervise.Argv(u.Program, u.Layout.Home)
	command.Dir = "/"
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release()
}

func (u *up) awaitSupervisor(ctx context.Context, program string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for {
		report, err := u.supervisor().Report(ctx)
		if err == nil && report.Program == program {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w; the end of its log:\n%s",
				errors.Join(ctx.Err(), err), tail(u.Layout.Log("supervisor")))
		case <-time.After(pollInterval):
		}
	}
}

func join(words []string) string { return strings.Join(words, " ") }

// tail returns the last lines of a log, or why it cannot be read.
func tail(path string) string {
	data, err := readFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}

func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return data, nil
}
