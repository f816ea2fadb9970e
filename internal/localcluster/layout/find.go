package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// EnvBin names the environment variable that says where brazier-cluster and brazier-pause are.
const EnvBin = "BRAZIER_CLUSTER_BIN_DIR"

// FindBin returns the folder with the programs of the cluster: what the environment says, else beside the running
// program, else bin of the source tree that the working directory is in.
func FindBin() (string, error) {
	if dir := os.Getenv(EnvBin); dir != "" {
		if !holdsCluster(dir) {
			return "", fmt.Errorf("%s: no brazier-cluster in %q", EnvBin, dir)
		}
		return filepath.Abs(dir)
	}
	if executable, err := os.Executable(); err == nil && holdsCluster(filepath.Dir(executable)) {
		return filepath.Dir(executable), nil
	}
	if root, ok := sourceTree(); ok && holdsCluster(filepath.Join(root, "bin")) {
		return filepath.Join(root, "bin"), nil
	}
	return "", fmt.Errorf("brazier-cluster, the program that holds Kubernetes, is neither beside brazier nor in $%s; "+
		"run \"make build\" in Brazier's source tree, or say where it is with %s", EnvBin, EnvBin)
}

func holdsCluster(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "brazier-cluster"))
	return err == nil && info.Mode().IsRegular()
}

// sourceTree returns the root of Brazier's source tree, if the working directory is in it.
func sourceTree() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module brazier.sh/brazier\n") {
			return dir, true
		}
	}
	return "", false
}
