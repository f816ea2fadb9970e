package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// pipDownload fetches the source of one Python package, of a known checksum, into dir. Pip looks into a package
// to find its name; temp is where it does so, and where its progress can be seen.
func pipDownload(ctx context.Context, requirement string, file Locked, dir, temp string) error {
	requirements := filepath.Join(temp, "requirements.txt")
	pinned := fmt.Sprintf("%s --hash=sha256:%s\n", requirement, file.SHA256)
	if err := os.WriteFile(requirements, []byte(pinned), 0o600); err != nil {
		return fmt.Errorf("download %s: %w", requirement, err)
	}
	return pip(ctx, temp, "download", "--no-deps", "--no-binary", ":all:", "--require-hashes",
		"-r", requirements, "-d", dir)
}

// pipWheels fetches Python packages and what they depend on, built for the image's Python, into dir.
func pipWheels(ctx context.Context, requirements []string, python, dir, temp string) error {
	args := []string{
		"download", "--only-binary=:all:", "--implementation=cp", "--python-version=" + python,
		"--abi=cp" + strings.ReplaceAll(python, ".", ""), "--abi=abi3", "--abi=none", "-d", dir,
	}
	for _, platform := range pipPlatforms() {
		args = append(args, "--platform="+platform)
	}
	return pip(ctx, temp, append(args, requirements...)...)
}

// pipPlatforms are the kinds of wheels that run on the Debian releases that images are made of: PEP 600 names them
// by the oldest C library that they need.
func pipPlatforms() []string {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	var platforms []string
	for _, libc := range []string{"manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_26",
		"manylinux_2_24", "manylinux2014", "manylinux_2_17", "manylinux2010", "manylinux1"} {
		platforms = append(platforms, libc+"_"+arch)
	}
	return append(platforms, "any")
}

func pip(ctx context.Context, temp string, args ...string) error {
	command := exec.CommandContext(ctx, "python3", append([]string{"-m", "pip", "--disable-pip-version-check", "--no-input", "-q"}, args...)...)
	command.Env = append(os.Environ(), "TMPDIR="+temp)
	_, err := run(command)
	return err
}
