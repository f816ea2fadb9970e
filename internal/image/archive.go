package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/images/spark"
	"brazier.sh/brazier/internal/image/layer"
)

// What the archive of loaded classes is made of, in the image. The entrypoint knows these names too.
const (
	archiveDir  = "opt/spark/archive"
	trainingDir = "opt/training"
	listsDir    = "opt/lists"
)

// archive returns the layer of what is found out by running the image: the archive of the classes that a driver and
// an executor load, and Python's bytecode. An archive that is made twice differs in its bytes; the layer is therefore
// kept by the content of the layers that it is made of.
func (b *builder) archive(ctx context.Context, below []v1.Layer) (v1.Layer, error) {
	key, err := archiveKey(below)
	if err != nil {
		return nil, err
	}
	return b.layer(ctx, key, func(ctx context.Context, dir string) (layer.Tree, error) {
		step := b.Streams.Step("training the image's class archive")
		tree, err := b.stageArchive(ctx, below, dir)
		if err != nil {
			step.Fail(err)
			return layer.Tree{}, err
		}
		step.Done("")
		return tree, nil
	})
}

func archiveKey(below []v1.Layer) (string, error) {
	inputs := []string{edition, "archive"}
	for _, each := range below {
		content, err := each.DiffID()
		if err != nil {
			return "", fmt.Errorf("identify layer: %w", err)
		}
		inputs = append(inputs, content.String())
	}
	training, err := contents(spark.Training)
	return layer.Key(append(inputs, training)...), err
}

func (b *builder) stageArchive(ctx context.Context, below []v1.Layer, dir string) (layer.Tree, error) {
	image, err := unpack(ctx, below, filepath.Join(dir, "root"))
	if err != nil {
		return layer.Tree{}, err
	}
	if err := image.compilePython(ctx, "/usr/lib", "/opt/spark/python"); err != nil {
		return layer.Tree{}, err
	}
	if err := image.train(ctx, environment(b.platform, Recipe{})); err != nil {
		return layer.Tree{}, err
	}
	if err := image.dump(ctx, environment(b.platform, Recipe{})); err != nil {
		return layer.Tree{}, err
	}
	return layer.Tree{Root: image.dir, Keep: inArchive, Owner: rootOwned}, nil
}

// inArchive keeps the archive and Python's bytecode, and the folders that lead there.
func inArchive(name string, info fs.FileInfo) bool {
	return name == "opt" || name == "opt/spark" || name == archiveDir || within(name, archiveDir) || isBytecode(name, info)
}

// isBytecode keeps Python's bytecode. Folders without any are left out by onlyFolders.
func isBytecode(name string, info fs.FileInfo) bool {
	inPython := name == "usr" || name == "usr/lib" || strings.HasPrefix(name, "usr/lib/python3") ||
		name == "opt/spark/python" || within(name, "opt/spark/python")
	return inPython && (info.IsDir() || strings.HasSuffix(name, ".pyc"))
}

// compilePython makes Python's bytecode in place. It is to be believed without a look at the source's time: all times
// in an image are the same.
func (r Root) compilePython(ctx context.Context, folders ...string) error {
	args := append([]string{"/usr/bin/python3", "-m", "compileall", "-q", "-f", "-j", "0", "--invalidation-mode", "unchecked-hash"}, folders...)
	// Python ships files that are wrong on purpose, for its tests: compileall then fails after it has compiled the rest.
	if _, err := run(r.Command(ctx, "0:0", nil, args...)); err != nil && ctx.Err() != nil {
		return fmt.Errorf("compile Python: %w", err)
	}
	return nil
}

// train runs a job in the image, which notes the classes that its driver and its executor load.
func (r Root) train(ctx context.Context, env []string) error {
	if err := r.lay(spark.Training, "training", trainingDir); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	lists := filepath.Join(r.dir, listsDir)
	if err := errors.Join(os.Mkdir(lists, 0o700), os.Chown(lists, sparkUID, sparkGID)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	// A list for each process (%p), lest two that write at once spoil it; the quick compiler, as nothing here runs long.
	note := "-XX:TieredStopAtLevel=1 -XX:DumpLoadedClassList=/" + listsDir + "/%p.lst"
	_, err := run(r.Command(ctx, sparkUser, env, "/bin/sh", "-c", `cd "$1" && shift && exec "$@"`, "sh", workDir,
		"/usr/bin/python3", "/"+trainingDir+"/run.py", "/"+listsDir, "/"+trainingDir+"/job.py",
		"spark.driver.extraJavaOptions="+note, "spark.executor.extraJavaOptions="+note))
	if err != nil {
		return fmt.Errorf("training run: %w", err)
	}
	return nil
}

// dump has Java write the archive of all classes that were noted, on the class path that the entrypoint will use.
func (r Root) dump(ctx context.Context, env []string) error {
	jars, err := sparkJars(r.dir)
	if err != nil {
		return err
	}
	jars = entrypointOrder(jars)
	lists, err := filepath.Glob(filepath.Join(r.dir, listsDir, "*.lst"))
	if err != nil {
		return fmt.Errorf("list lists of classes: %w", err)
	}
	if len(lists) < 2 {
		return fmt.Errorf("the training run left %d lists of classes; a driver and an executor leave two", len(lists))
	}
	classes, err := mergeLists(lists...)
	if err != nil {
		return err
	}
	files := map[string]string{listsDir + "/classes.lst": classes, archiveDir + "/jars": strings.Join(jars, "\n") + "\n"}
	for name, content := range files {
		if err := writeFile(r.dir, name, 0o644, strings.NewReader(content)); err != nil {
			return fmt.Errorf("dump class archive: %w", err)
		}
	}
	for i := range jars {
		jars[i] = "/opt/spark/jars/" + jars[i]
	}
	_, err = run(r.Command(ctx, "0:0", env, "/bin/sh", "-c", `exec "$JAVA_HOME/bin/java" "$@"`, "java",
		"-Xshare:dump", "-XX:SharedClassListFile=/"+listsDir+"/classes.lst", "-XX:SharedArchiveFile=/"+archiveDir+"/classes.jsa",
		"-Xlog:cds=off", "-Xlog:cds+resolve=off", "-cp", strings.Join(jars, ":")))
	if err != nil {
		return fmt.Errorf("dump class archive: %w", err)
	}
	return os.Chmod(filepath.Join(r.dir, archiveDir, "classes.jsa"), 0o644)
}

// entrypointOrder returns jars in the order in which the entrypoint puts them on the class path.
func entrypointOrder(jars []string) []string {
	sorted := slices.Sorted(slices.Values(jars))
	slices.SortStableFunc(sorted, func(a, b string) int {
		return boolRank(artifact(b) == "slf4j-api") - boolRank(artifact(a) == "slf4j-api")
	})
	return sorted
}

func boolRank(first bool) int {
	if first {
		return 1
	}
	return 0
}

// mergeLists returns the lines of several lists of classes, each once. A class is named before what refers to it, so
// the order of the first list is kept. Numbers of classes, which newer JVMs note, hold for one list only and are left
// out, as are the classes that refer to others by such a number: those of class loaders of an application's own.
func mergeLists(files ...string) (string, error) {
	var merged bytes.Buffer
	seen := map[string]bool{}
	id := regexp.MustCompile(` id: \d+`)
	for _, file := range files {
		list, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read list of classes: %w", err)
		}
		for line := range bytes.Lines(list) {
			line = id.ReplaceAll(line, nil)
			if !seen[string(line)] && !bytes.Contains(line, []byte(" source:")) {
				seen[string(line)] = true
				merged.Write(line)
			}
		}
	}
	return merged.String(), nil
}
