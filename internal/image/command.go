package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// said is how much of a failed program's last words an error repeats.
const said = 2000

// run runs a program and returns what it wrote. Its error holds the last of that.
func run(command *exec.Cmd) (string, error) {
	out, err := command.CombinedOutput()
	if err != nil {
		words := strings.TrimSpace(string(out))
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, words[max(0, len(words)-said):])
	}
	return string(out), nil
}

// tool is a program that a build uses, and the Debian package that brings it.
type tool struct {
	program string
	args    []string // of a run that shows that it works
	deb     string
}

// tools are what building an image needs beyond a minimal Debian.
func tools() []tool {
	return []tool{
		{program: "mmdebstrap", args: []string{"--version"}, deb: "mmdebstrap"},
		{program: "python3", args: []string{"-m", "pip", "--version"}, deb: "python3-pip"},
		{program: "mvn", args: []string{"--version"}, deb: "maven"},
	}
}

// missingTools returns the Debian packages of the tools that do not run here.
func missingTools(ctx context.Context) []string {
	var missing []string
	for _, tool := range tools() {
		if _, err := run(exec.CommandContext(ctx, tool.program, tool.args...)); err != nil {
			missing = append(missing, tool.deb)
		}
	}
	return missing
}

// install installs Debian packages on this machine.
func install(ctx context.Context, debs []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("building an image needs %s, and this machine has no apt-get to install them; "+
			"install them by hand, or build on Debian", strings.Join(debs, ", "))
	}
	if err := needRoot(); err != nil {
		return err
	}
	if err := aptGet(ctx, "update", "-q"); err != nil {
		return err
	}
	return aptGet(ctx, append([]string{"install", "-q", "-y", "--no-install-recommends"}, debs...)...)
}

// aptGet waits for another apt-get to end rather than to fail beside it.
func aptGet(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, "apt-get", append([]string{"-o", "DPkg::Lock::Timeout=300"}, args...)...)
	command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	_, err := run(command)
	return err
}

func needRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("building an image needs root, for mmdebstrap and chroot; run brazier with sudo")
	}
	return nil
}
