package image

import (
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"brazier.sh/brazier/internal/image/layer"
)

// assemble returns the image of these layers, with the configuration that Spark on Kubernetes relies on.
func assemble(p platform, team Recipe, layers []v1.Layer) (v1.Image, error) {
	image := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	for _, each := range layers {
		var err error
		if image, err = mutate.Append(image, mutate.Addendum{Layer: each, MediaType: types.OCILayerZStd}); err != nil {
			return nil, fmt.Errorf("append layer: %w", err)
		}
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image configuration: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: layer.Epoch()}
	config.Config = v1.Config{
		User:       strconv.Itoa(sparkUID),
		WorkingDir: workDir,
		Entrypoint: []string{"/opt/entrypoint.sh"},
		Env:        environment(p, team),
		Labels: map[string]string{
			"org.opencontainers.image.title":   "Spark",
			"org.opencontainers.image.version": p.Spark,
			"sh.brazier.spark":                 p.Spark,
			"sh.brazier.java":                  strconv.Itoa(p.Java),
		},
	}
	return mutate.ConfigFile(image, config)
}

// environment returns the variables of an image, sorted; a team's win.
func environment(p platform, team Recipe) []string {
	all := map[string]string{
		"PATH":       "/opt/spark/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG":       "C.UTF-8",
		"HOME":       sparkHome,
		"JAVA_HOME":  javaHome(p),
		"SPARK_HOME": "/opt/spark",
		"PYTHONPATH": "/opt/spark/python",
		// Nobody can write bytecode beside Spark's Python, and what is there was made with the image.
		"PYTHONDONTWRITEBYTECODE": "1",
	}
	maps.Copy(all, team.Env)
	var sorted []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		sorted = append(sorted, name+"="+all[name])
	}
	return sorted
}

// javaHome is where Debian has its Java runtime; it names architectures as Go does for those that images are built on.
func javaHome(p platform) string {
	return path.Join("/usr/lib/jvm", fmt.Sprintf("java-%d-openjdk-%s", p.Java, runtime.GOARCH))
}
