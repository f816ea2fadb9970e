package supervise

import (
	"fmt"
	"os"
	"path/filepath"

	"brazier.sh/brazier/internal/localcluster/part"
)

// Prepare makes the folders and files that a part needs before it starts.
func Prepare(p part.Part) error {
	for _, dir := range p.Dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("prepare %s: %w", p.Name, err)
		}
	}
	for _, file := range p.Files {
		if err := replace(file.Path, []byte(file.Content)); err != nil {
			return fmt.Errorf("prepare %s: %w", p.Name, err)
		}
	}
	return nil
}

// replace writes the file as a whole, so that a crash leaves the old one or the new one.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
