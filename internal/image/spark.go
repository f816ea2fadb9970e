package image

import (
	"archive/tar"
	"archive/zip"
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

	"brazier.sh/brazier/internal/image/layer"
)

// sparkPlaces says where the parts of the Python package of Spark lie in an image: where a distribution of Spark has
// them. What is not named here is left out. Spark's Python is a folder rather than pyspark.zip, which Spark would
// put before the folder on Python's path, and for which there is no bytecode.
func sparkPlaces() []place {
	return []place{
		{"deps/jars/", "opt/spark/jars/"},
		{"deps/bin/", "opt/spark/bin/"},
		{"deps/sbin/", "opt/spark/sbin/"},
		{"deps/data/", "opt/spark/data/"},
		{"deps/examples/", "opt/spark/examples/src/main/python/"},
		{"deps/licenses/", "opt/spark/licenses/"},
		{"LICENSE", "opt/spark/LICENSE"},
		{"NOTICE", "opt/spark/NOTICE"},
		{"lib/py4j-", "opt/spark/python/lib/py4j-"},
		{"pyspark/", "opt/spark/python/pyspark/"},
	}
}

// place is a part of a package, by the beginning of its path, and where it goes.
type place struct{ from, to string }

// sparkFile returns where a file of Spark's package goes in an image, or nothing.
func sparkFile(name string) string {
	_, name, _ = strings.Cut(path.Clean(name), "/") // without pyspark-4.3.0/
	if strings.HasSuffix(name, ".cmd") {
		return ""
	}
	for _, place := range sparkPlaces() {
		if rest, ok := strings.CutPrefix(name, place.from); ok {
			return place.to + rest
		}
	}
	return ""
}

// unpackSpark unpacks Spark's Python package into the root of an image.
func unpackSpark(ctx context.Context, archive, root string) error {
	file, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("unpack Spark: %w", err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("unpack Spark: %w", err)
	}
	for entries := tar.NewReader(plain); ctx.Err() == nil; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack Spark: %w", err)
		}
		target := sparkFile(header.Name)
		if header.Typeflag != tar.TypeReg || target == "" {
			continue
		}
		if err := writeFile(root, target, 0o644|header.FileInfo().Mode()&0o111, entries); err != nil {
			return fmt.Errorf("unpack Spark: %w", err)
		}
	}
	return context.Cause(ctx)
}

// writeFile writes a new file of an image, and the folders that lead to it.
func writeFile(root, name string, mode os.FileMode, content io.Reader) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("%q leads outside of the image", name)
	}
	target := filepath.Join(root, name)
	if err := makeDir(root, path.Dir(name)); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Chmod(mode), file.Close()) // the umask is not part of a recipe
}

// makeDir makes a folder of an image and those that lead to it, readable for all whatever the umask.
func makeDir(root, name string) error {
	for parent := root; ; {
		next, rest, more := strings.Cut(name, "/")
		parent = filepath.Join(parent, next)
		if err := os.Mkdir(parent, 0o755); err == nil {
			if err := os.Chmod(parent, 0o755); err != nil {
				return err
			}
		} else if !os.IsExist(err) {
			return err
		}
		if !more {
			return nil
		}
		name = rest
	}
}

// unpackPy4J lays py4j, by which Python talks to Java, beside Spark's Python as a folder, so that bytecode can be made
// of it and whoever imports pyspark finds it. The zip stays where Spark and its friends look for it.
func unpackPy4J(root string) error {
	python := filepath.Join(root, "opt/spark/python")
	zips, err := filepath.Glob(filepath.Join(python, "lib/py4j-*-src.zip"))
	if err != nil || len(zips) != 1 {
		return fmt.Errorf("unpack py4j: Spark's Python package brings %d of it, not one", len(zips))
	}
	archive, err := zip.OpenReader(zips[0])
	if err != nil {
		return fmt.Errorf("unpack py4j: %w", err)
	}
	defer archive.Close()
	for _, file := range archive.File {
		if file.FileInfo().IsDir() {
			continue
		}
		content, err := file.Open()
		if err != nil {
			return fmt.Errorf("unpack py4j: %w", err)
		}
		err = writeFile(python, file.Name, 0o644, content)
		if err := errors.Join(err, content.Close()); err != nil {
			return fmt.Errorf("unpack py4j: %w", err)
		}
	}
	return nil
}

// sparkJars returns the names of the jars of the Spark in root.
func sparkJars(root string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(root, "opt/spark/jars"))
	if err != nil {
		return nil, fmt.Errorf("list Spark's jars: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".jar") {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// checkHadoop makes sure that the recipe brings hadoop-aws of the Hadoop that Spark brings: others fail at run time,
// with a missing method or class.
func checkHadoop(p platform, jars []string) error {
	i := slices.IndexFunc(jars, func(name string) bool { return artifact(name) == "hadoop-client-api" })
	if i < 0 {
		return fmt.Errorf("spark %s brings no hadoop-client-api; its Python package is not what it was", p.Spark)
	}
	hadoop := strings.TrimSuffix(strings.TrimPrefix(jars[i], "hadoop-client-api-"), ".jar")
	if want := "org.apache.hadoop:hadoop-aws:" + hadoop; !slices.Contains(p.Jars, want) {
		return fmt.Errorf("recipe of Spark %s: jars: %v do not fit Spark's own Hadoop; write %s", p.Spark, p.Jars, want)
	}
	return nil
}

// stageSpark lays Spark and the platform's jars out in root.
func stageSpark(ctx context.Context, p platform, from downloads, root string) (layer.Tree, error) {
	if err := unpackSpark(ctx, from.path(p.lock.of("pip")[0]), root); err != nil {
		return layer.Tree{}, err
	}
	jars, err := sparkJars(root)
	if err != nil {
		return layer.Tree{}, err
	}
	if err := checkHadoop(p, jars); err != nil {
		return layer.Tree{}, err
	}
	if err := unpackPy4J(root); err != nil {
		return layer.Tree{}, err
	}
	if err := from.place(p.lock.of("jar"), filepath.Join(root, "opt/spark/jars")); err != nil {
		return layer.Tree{}, err
	}
	return layer.Tree{Root: root, Owner: rootOwned}, nil
}

// rootOwned gives everything to root: what Spark runs, Spark cannot change.
func rootOwned(string) layer.Owner { return layer.Owner{} }
