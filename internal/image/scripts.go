package image

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"brazier.sh/brazier/images/spark"
	"brazier.sh/brazier/internal/image/layer"
)

// workDir is where a container of Spark runs.
const workDir = "/opt/spark/work-dir"

// stageScripts lays out in root what of an image is Brazier's own, and the folders that Spark writes to.
func stageScripts(_ context.Context, root string) (layer.Tree, error) {
	for _, name := range []string{"entrypoint.sh", "decom.sh"} {
		script, err := spark.Scripts.ReadFile(name)
		if err != nil {
			return layer.Tree{}, fmt.Errorf("read script: %w", err)
		}
		if err := writeFile(root, "opt/"+name, 0o755, bytes.NewReader(script)); err != nil {
			return layer.Tree{}, fmt.Errorf("write script: %w", err)
		}
	}
	for _, dir := range []string{"opt/spark/conf", workDir[1:], sparkHome[1:]} {
		if err := makeDir(root, dir); err != nil {
			return layer.Tree{}, fmt.Errorf("make folder: %w", err)
		}
	}
	for _, dir := range []string{workDir, sparkHome} {
		if err := os.Chmod(filepath.Join(root, dir), 0o775); err != nil {
			return layer.Tree{}, fmt.Errorf("make folder: %w", err)
		}
	}
	return layer.Tree{Root: root, Owner: sparkOwned}, nil
}

func sparkOwned(name string) layer.Owner {
	if strings.HasPrefix("/"+name, workDir) || strings.HasPrefix("/"+name, sparkHome) {
		return layer.Owner{UID: sparkUID, GID: sparkGID}
	}
	return layer.Owner{}
}

// contents returns the names and texts of all files, for the key of a layer that depends on them.
func contents(files fs.FS) (string, error) {
	var all strings.Builder
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		fmt.Fprintf(&all, "%s\n%s\n", name, text)
		return err
	})
	return all.String(), err
}
