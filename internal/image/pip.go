package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pipSource fetches the source of one Python package into dir, as Spark is published. Pip looks into it to find its
// name, for which it needs the folder temp.
func pipSource(ctx context.Context, requirement, dir, temp string) error {
	return pipDownload(ctx, []string{requirement}, dir, temp, "--no-deps", "--no-binary=:all:")
}

// pipWheels fetches Python packages and what they depend on, built for the image's Python, into dir.
func pipWheels(ctx context.Context, requirements []string, python, dir, temp string) error {
	return pipDownload(ctx, requirements, dir, temp, wheelsFor(python, runtime.GOARCH)...)
}

// Wheels fetches the Python packages that a requirements file names, and what they depend on, into dir: as wheels for a
// Python such as 3.11 on an architecture such as amd64, whatever this machine has.
func Wheels(ctx context.Context, requirements, python, arch, dir string) error {
	args := []string{"-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "download", "-d", dir, "-r", requirements}
	_, err := run(exec.CommandContext(ctx, "python3", append(args, wheelsFor(python, arch)...)...))
	return err
}

// HasPip reports whether this machine has what Wheels needs.
func HasPip(ctx context.Context) bool {
	_, err := run(exec.CommandContext(ctx, "python3", "-m", "pip", "--version"))
	return err == nil
}

// wheelsFor are the options that have pip look for wheels for another Python.
func wheelsFor(python, arch string) []string {
	args := []string{
		"--only-binary=:all:", "--implementation=cp", "--python-version=" + python,
		"--abi=cp" + strings.ReplaceAll(python, ".", ""), "--abi=abi3", "--abi=none",
	}
	for _, platform := range pipPlatforms(arch) {
		args = append(args, "--platform="+platform)
	}
	return args
}

// pipDownload hands requirements over in a file, the only way in which pip takes their checksums.
func pipDownload(ctx context.Context, requirements []string, dir, temp string, args ...string) error {
	file := filepath.Join(temp, "requirements.txt")
	if err := os.WriteFile(file, []byte(strings.Join(requirements, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("write requirements: %w", err)
	}
	args = slices.Concat([]string{"-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "download", "-d", dir, "-r", file}, args)
	command := exec.CommandContext(ctx, "python3", args...)
	command.Env = append(os.Environ(), "TMPDIR="+temp)
	if _, err := run(command); err != nil {
		return fmt.Errorf("download Python packages: %w", err)
	}
	return nil
}

// pinned returns the requirements of a lock: each package of one version and one checksum. The name of a file begins
// with that of its package and the version (PEP 427 for wheels, PEP 625 for sources).
func pinned(lock Lock) ([]string, error) {
	requirements := make([]string, len(lock))
	for i, file := range lock {
		parts := strings.Split(strings.TrimSuffix(file.Name, ".tar.gz"), "-")
		if len(parts) < 2 {
			return nil, fmt.Errorf("lock: %q does not tell its package and version; run `brazier image lock`", file.Name)
		}
		requirements[i] = fmt.Sprintf("%s==%s --hash=sha256:%s", parts[0], parts[1], file.SHA256)
	}
	return requirements, nil
}

// pipPlatforms are the kinds of wheels that run on the Debian releases that images are made of: PEP 600 names them
// by the oldest C library that they need.
func pipPlatforms(arch string) []string {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[arch]
	var platforms []string
	for _, libc := range []string{
		"manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_26",
		"manylinux_2_24", "manylinux2014", "manylinux_2_17", "manylinux2010", "manylinux1",
	} {
		platforms = append(platforms, libc+"_"+machine)
	}
	return append(platforms, "any")
}
