// Package charts holds Brazier's Helm chart, which is the one description of what is installed on a cluster. It holds no
// code that installs it: internal/install does that, or Helm itself from the folder.
package charts

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"brazier.sh/brazier/api/crds"
)

//go:embed all:brazier
var files embed.FS

// definitions is where the chart has the definitions of Brazier's kinds. In the folder it is a link to api/crds, where they are
// generated; links are not embedded.
const definitions = "files/crds/"

// Brazier returns the chart's files by their names in the chart.
func Brazier() (map[string][]byte, error) {
	all := make(map[string][]byte)
	add := func(from fs.FS, root, prefix string) error {
		return fs.WalkDir(from, root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(from, path)
			all[prefix+strings.TrimPrefix(path, root+"/")] = text
			return err
		})
	}
	if err := add(files, "brazier", ""); err != nil {
		return nil, fmt.Errorf("read the chart: %w", err)
	}
	if err := add(crds.FS, ".", definitions); err != nil {
		return nil, fmt.Errorf("read the chart's definitions: %w", err)
	}
	return all, nil
}
