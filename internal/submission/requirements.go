package submission

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"brazier.sh/brazier/api/v1beta2"
	"brazier.sh/brazier/internal/image"
)

// packagesFolder is where the packages are unpacked, below the working directory of driver and executors.
const packagesFolder = "brazier-python"

const pythonPath = "PYTHONPATH"

// checkRequirements finds a file that is not there before anything is sent.
func (j *Job) checkRequirements() error {
	r := &j.Requirements
	if r.File == "" {
		return nil
	}
	r.File = j.path(r.File)
	if info, err := os.Stat(r.File); err != nil {
		return fmt.Errorf("--requirements: there is no file %q on this machine; name one in pip's form, a package on each line: %w", r.File, err)
	} else if info.IsDir() {
		return fmt.Errorf("--requirements: %q is a folder; name a file in pip's form, a package on each line", r.File)
	}
	return nil
}

// sendRequirements has pip find the packages' wheels and brings them along as one archive that is on Python's path.
func (u uploader) sendRequirements(ctx context.Context, j *Job) error {
	r := j.Requirements
	if !image.HasPip(ctx) {
		return fmt.Errorf("this machine has no pip (python3 -m pip) to find the packages of %s with; install it, "+
			"or put the packages into an image: name them under \"pip:\" in a recipe and run \"brazier image build\"", r.File)
	}
	wheels := filepath.Join(u.temp, "wheels")
	step := u.streams.Step("collecting the packages of %s for Python %s on %s", filepath.Base(r.File), r.Python, r.Architecture)
	if err := image.Wheels(ctx, r.File, r.Python, r.Architecture, wheels); err != nil {
		err = explainPip(err)
		step.Fail(errors.New("pip found not all of them"))
		return err
	}
	name := strings.TrimSuffix(filepath.Base(r.File), filepath.Ext(r.File))
	if !safeName.MatchString(name) {
		name = "requirements"
	}
	archive, count, err := tarWheels(wheels, filepath.Join(u.temp, name+".tar.gz"))
	if err != nil {
		step.Fail(err)
		return err
	}
	step.Done("wheels: %d", count)
	url, err := u.put(ctx, archive)
	if err != nil {
		return err
	}
	return bringAlong(j.App, url)
}

// explainPip adds the way out to what pip says.
func explainPip(err error) error {
	way := "bring packages that have no wheel by an image: name them under \"pip:\" in a recipe and run \"brazier image build\""
	if strings.Contains(err.Error(), "for pyspark") {
		way = "leave pyspark out of the file, for the image has it"
	}
	return fmt.Errorf("%w\n%s", err, way)
}

// tarWheels unpacks wheels into one archive, as an installer would into a folder: PEP 427. Programs that they bring are
// left out, for there is nowhere to run them.
func tarWheels(folder, file string) (path string, count int, err error) {
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil {
		return "", 0, err
	}
	entries := map[string]*zip.File{}
	for _, wheel := range wheels { // in the order of their names
		archive, err := zip.OpenReader(wheel)
		if err != nil {
			return "", 0, fmt.Errorf("read %s: %w", filepath.Base(wheel), err)
		}
		defer func() { _ = archive.Close() }() // It is only read.
		for _, entry := range archive.File {
			name, ok := installedAs(entry.Name)
			if ok && !filepath.IsLocal(name) {
				return "", 0, fmt.Errorf("%s has a file %q, which is outside of it", filepath.Base(wheel), entry.Name)
			}
			if ok {
				entries[name] = entry
			}
		}
	}
	path, err = packed(file, func(out io.Writer) error {
		return tarTo(out, func(archive *tar.Writer) error {
			for _, name := range slices.Sorted(maps.Keys(entries)) {
				if err := copyEntry(archive, name, entries[name]); err != nil {
					return fmt.Errorf("pack %s: %w", name, err)
				}
			}
			return nil
		})
	})
	return path, len(wheels), err
}

// installedAs is the path at which a file of a wheel is installed, and whether it is one that can be imported or read.
func installedAs(name string) (string, bool) {
	if strings.HasSuffix(name, "/") {
		return "", false
	}
	top, rest, _ := strings.Cut(name, "/")
	if !strings.HasSuffix(top, ".data") {
		return name, true
	}
	kind, rest, _ := strings.Cut(rest, "/")
	return rest, (kind == "purelib" || kind == "platlib") && rest != ""
}

func copyEntry(archive *tar.Writer, name string, entry *zip.File) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Size: int64(entry.UncompressedSize64), Mode: int64(entry.Mode().Perm())}
	if err := archive.WriteHeader(plain(header, name)); err != nil {
		return err
	}
	content, err := entry.Open()
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // It is only read.
	_, err = io.Copy(archive, content)     //nolint:gosec // The tar takes no more than the size in its header.
	return err
}

// bringAlong adds the archive of packages to an application, and its folder to Python's path. Spark unpacks archives in
// the working directory, in which both driver and executors start Python.
func bringAlong(app *v1beta2.SparkApplication, url string) error {
	app.Spec.Deps.Archives = append(app.Spec.Deps.Archives, withAlias(url, packagesFolder))
	for role, pod := range map[string]*v1beta2.SparkPodSpec{"driver": &app.Spec.Driver.SparkPodSpec, "executor": &app.Spec.Executor.SparkPodSpec} {
		at := slices.IndexFunc(pod.Env, func(env corev1.EnvVar) bool { return env.Name == pythonPath })
		switch {
		case at < 0:
			pod.Env = append(pod.Env, corev1.EnvVar{Name: pythonPath, Value: packagesFolder})
		case pod.Env[at].ValueFrom != nil:
			return fmt.Errorf("the %s takes %s from a Secret or a ConfigMap, to which the packages cannot be added; write the value itself", role, pythonPath)
		default:
			pod.Env[at].Value = packagesFolder + ":" + pod.Env[at].Value
		}
	}
	return nil
}
