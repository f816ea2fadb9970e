package image

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// ResolvePlatform finds out what Spark of a version consists of today: its Python package, and the jars of its recipe
// that it does not have itself. A maintainer writes the result to images/spark/<version>.lock.
func ResolvePlatform(ctx context.Context, opts Options) (_ Lock, err error) {
	b, err := newBuilder(opts)
	if err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	dir, err := b.store.TempDir("resolve")
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	step := b.Streams.Step("downloading Spark %s", b.platform.Spark)
	lock, err := b.resolveSpark(ctx, dir)
	if err != nil {
		step.Fail(err)
		return nil, err
	}
	step.Done("%s", lock[0].Name)
	known, err := jarsOfPackage(b.downloads.path(lock[0]))
	if err != nil {
		return nil, err
	}
	if err := checkHadoop(b.platform, known); err != nil {
		return nil, err
	}
	jars, err := b.resolveJars(ctx, dir, b.platform.Recipe, known)
	return append(lock, jars...), err
}

// resolveSpark downloads Spark's Python package, whatever its checksum, and keeps it for the build.
func (b *builder) resolveSpark(ctx context.Context, dir string) (Lock, error) {
	out, temp := filepath.Join(dir, "pip"), filepath.Join(dir, "pip-temp")
	if err := errors.Join(os.Mkdir(out, 0o700), os.Mkdir(temp, 0o700)); err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	if err := pipSource(ctx, "pyspark=="+b.platform.Spark, out, temp); err != nil {
		return nil, err
	}
	lock, err := lockFiles(out, "pip")
	if err != nil {
		return nil, err
	}
	return lock, b.downloads.keep(out, lock, "pip")
}

// Resolve finds out what a team's recipe consists of today, beyond Spark itself. The team keeps the result beside the
// recipe, so that every build of it takes the same files.
func Resolve(ctx context.Context, opts Options) (_ Lock, err error) {
	b, err := newBuilder(opts)
	if err != nil {
		return nil, err
	}
	foundation, err := b.foundation(ctx)
	if err != nil {
		return nil, err
	}
	known, err := jarsOfLayer(foundation[1])
	if err != nil {
		return nil, err
	}
	dir, err := b.store.TempDir("resolve")
	if err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	wheels, err := b.resolveWheels(ctx, filepath.Join(dir, "wheels"))
	if err != nil {
		return nil, err
	}
	jars, err := b.resolveJars(ctx, dir, b.team, known)
	return append(wheels, jars...), err
}

// resolveWheels has pip find a team's Python packages and all that they depend on, and pip itself.
func (b *builder) resolveWheels(ctx context.Context, dir string) (Lock, error) {
	if len(b.team.Pip) == 0 {
		return nil, nil
	}
	step := b.Streams.Step("resolving %s", strings.Join(b.team.Pip, ", "))
	out, temp := filepath.Join(dir, "out"), filepath.Join(dir, "temp")
	if err := errors.Join(os.MkdirAll(out, 0o700), os.MkdirAll(temp, 0o700)); err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	wanted := append(slices.Clone(b.team.Pip), "pip")
	if err := pipWheels(ctx, wanted, suites()[b.platform.Suite].python, out, temp); err != nil {
		step.Fail(err)
		return nil, err
	}
	lock, err := lockFiles(out, "pip")
	if err != nil {
		return nil, err
	}
	step.Done("%d packages, %d MB", len(lock), lock.size()/1e6)
	return lock, b.downloads.keep(out, lock, "pip")
}

// resolveJars has Maven find a recipe's jars and all that they depend on, and leaves out what is known.
func (b *builder) resolveJars(ctx context.Context, dir string, recipe Recipe, known []string) (Lock, error) {
	if len(recipe.Jars) == 0 {
		return nil, nil
	}
	step := b.Streams.Step("resolving %s", strings.Join(recipe.Jars, ", "))
	out, temp := filepath.Join(dir, "jar"), filepath.Join(dir, "jar-temp")
	if err := errors.Join(os.Mkdir(out, 0o700), os.Mkdir(temp, 0o700)); err != nil {
		return nil, fmt.Errorf("resolve: %w", err)
	}
	err := copyDependencies(ctx, recipe.Jars, recipe.Exclude, out, temp, filepath.Join(temp, "maven"))
	if err == nil {
		err = dropKnown(out, known)
	}
	if err != nil {
		step.Fail(err)
		return nil, err
	}
	lock, err := lockFiles(out, "jar")
	if err != nil {
		return nil, err
	}
	step.Done("%d jars, %d MB", len(lock), lock.size()/1e6)
	return lock, b.downloads.keep(out, lock, "jar")
}

// jarsOfPackage returns the names of the jars in Spark's Python package.
func jarsOfPackage(archive string) ([]string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return nil, fmt.Errorf("list Spark's jars: %w", err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("list Spark's jars: %w", err)
	}
	return jarsOfTar(plain, sparkFile)
}

// jarsOfLayer returns the names of the jars in the layer of Spark.
func jarsOfLayer(distribution v1.Layer) ([]string, error) {
	plain, err := distribution.Uncompressed()
	if err != nil {
		return nil, fmt.Errorf("list Spark's jars: %w", err)
	}
	defer plain.Close()
	return jarsOfTar(plain, path.Clean)
}

// jarsOfTar returns the names of Spark's jars in a tar stream; place says where in an image a file of it is.
func jarsOfTar(stream io.Reader, place func(name string) string) ([]string, error) {
	var names []string
	for entries := tar.NewReader(stream); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list Spark's jars: %w", err)
		}
		if dir, name := path.Split(place(header.Name)); dir == "opt/spark/jars/" && strings.HasSuffix(name, ".jar") {
			names = append(names, name)
		}
	}
}
