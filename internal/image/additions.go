package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"brazier.sh/brazier/internal/image/layer"
)

// wheelsDir is where Python packages lie in the image while they are installed.
const wheelsDir = "opt/wheels"

// additions returns the layers of what a team's recipe adds, from what changes least often to what changes most, each
// of its own: a change of one ships nothing of the others.
func (b *builder) additions(ctx context.Context, foundation []v1.Layer) ([]v1.Layer, error) {
	base, distribution := foundation[0], foundation[1]
	kinds := []struct {
		name   string
		wanted []string
		on     v1.Layer
		stage  func(ctx context.Context, on v1.Layer, dir string) (layer.Tree, error)
	}{
		{"debs", b.team.Debs, base, b.stageDebs},
		{"pip", b.team.Pip, base, b.stagePip},
		{"jars", append(b.team.Jars, b.team.Exclude...), distribution, b.stageJars},
	}
	var layers []v1.Layer
	for _, kind := range kinds {
		if len(kind.wanted) == 0 {
			continue
		}
		content, err := kind.on.DiffID()
		if err != nil {
			return nil, fmt.Errorf("identify layer: %w", err)
		}
		key := layer.Key(edition, kind.name, content.String(), strings.Join(kind.wanted, " "), b.Lock.String())
		made, err := b.layer(ctx, key, func(ctx context.Context, dir string) (layer.Tree, error) {
			return kind.stage(ctx, kind.on, dir)
		})
		if err != nil {
			return nil, err
		}
		layers = append(layers, made)
	}
	files, err := b.files(ctx)
	if err != nil || files == nil {
		return layers, err
	}
	return append(layers, files), nil
}

// stageDebs installs Debian packages in the base and returns what that changed.
func (b *builder) stageDebs(ctx context.Context, base v1.Layer, dir string) (layer.Tree, error) {
	step := b.Streams.Step("installing %s in the image", strings.Join(b.team.Debs, ", "))
	tree, err := b.changes(ctx, base, dir, func(ctx context.Context, r Root) error {
		return r.installDebs(ctx, b.platform.Suite, b.team.Debs)
	})
	if err != nil {
		step.Fail(err)
		return layer.Tree{}, err
	}
	step.Done("")
	tree.Owner = nil // a package says itself who owns its files
	return tree, nil
}

// stagePip installs Python packages in the base and returns what that added.
func (b *builder) stagePip(ctx context.Context, base v1.Layer, dir string) (layer.Tree, error) {
	wheels, err := b.fetchWheels(ctx, dir)
	if err != nil {
		return layer.Tree{}, err
	}
	step := b.Streams.Step("installing %s in the image", strings.Join(b.team.Pip, ", "))
	tree, err := b.changes(ctx, base, dir, func(ctx context.Context, r Root) error {
		return r.installWheels(ctx, wheels, b.team.Pip)
	})
	if err != nil {
		step.Fail(err)
		return layer.Tree{}, err
	}
	step.Done("")
	return tree, nil
}

// stageJars adds jars to those of Spark.
func (b *builder) stageJars(ctx context.Context, distribution v1.Layer, dir string) (layer.Tree, error) {
	known, err := jarsOfLayer(distribution)
	if err != nil {
		return layer.Tree{}, err
	}
	lock := b.Lock.of("jar")
	if len(b.Lock) == 0 {
		if lock, err = b.resolveJars(ctx, dir, b.team, known); err != nil {
			return layer.Tree{}, err
		}
	} else if err := b.fetchJars(ctx, b.team, lock, dir); err != nil {
		return layer.Tree{}, err
	}
	root := filepath.Join(dir, "root")
	if err := errors.Join(os.Mkdir(root, 0o755), makeDir(root, "opt/spark/jars")); err != nil {
		return layer.Tree{}, fmt.Errorf("lay out jars: %w", err)
	}
	return layer.Tree{Root: root, Owner: rootOwned}, b.downloads.place(lock, filepath.Join(root, "opt/spark/jars"))
}

// files returns the layer of a recipe's own files, or nil if it has none. It is cheap and laid out each time, so
// that it is always what the files are now.
func (b *builder) files(ctx context.Context) (v1.Layer, error) {
	if len(b.team.Files) == 0 {
		return nil, nil
	}
	dir, err := b.store.TempDir("files")
	if err != nil {
		return nil, fmt.Errorf("copy files: %w", err)
	}
	defer os.RemoveAll(dir)
	for i, file := range b.team.Files {
		if err := copyFiles(filepath.Join(b.Dir, file.From), dir, file.To); err != nil {
			return nil, fmt.Errorf("files[%d]: %w", i, err)
		}
	}
	tree := layer.Tree{Root: dir, Owner: rootOwned}
	content := sha256.New()
	if err := tree.WriteTar(content); err != nil {
		return nil, err
	}
	key := layer.Key(edition, "files", hex.EncodeToString(content.Sum(nil)))
	return b.layer(ctx, key, func(context.Context, string) (layer.Tree, error) { return tree, nil })
}

// copyFiles copies a file, or a folder and all in it, into the root of an image.
func copyFiles(from, root, to string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if !entry.Type().IsRegular() {
			if entry.IsDir() {
				return nil
			}
			return fmt.Errorf("%q is neither a file nor a folder; copy what it stands for", name)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.Open(name)
		if err != nil {
			return err
		}
		defer content.Close()
		return writeFile(root, path.Join(strings.TrimPrefix(to, "/"), filepath.ToSlash(below)), 0o644|info.Mode()&0o111, content)
	})
}
