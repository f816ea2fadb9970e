package install

import (
	"fmt"
	"maps"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"

	"brazier.sh/brazier/charts"
	"brazier.sh/brazier/internal/version"
)

// loadChart returns the chart that this program carries.
func loadChart() (*chart.Chart, error) {
	files, err := charts.Brazier()
	if err != nil {
		return nil, err
	}
	var buffered []*archive.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		buffered = append(buffered, &archive.BufferedFile{Name: name, Data: files[name]})
	}
	loaded, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	// What the release is told apart by is this program's version: it is what runs in the operator's pod.
	loaded.Metadata.AppVersion = version.String()
	return loaded, nil
}

// Render returns the text of what the chart makes of values in a namespace, in the order in which it is installed, as
// "helm template" does: without a cluster.
func Render(namespace string, values map[string]any) (string, error) {
	loaded, err := loadChart()
	if err != nil {
		return "", err
	}
	return render(loaded, namespace, values)
}

func render(loaded *chart.Chart, namespace string, values map[string]any) (string, error) {
	release := common.ReleaseOptions{Name: releaseName, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := util.ToRenderValues(loaded, values, release, common.DefaultCapabilities.Copy())
	if err != nil {
		return "", fmt.Errorf("values: %w", err)
	}
	files, err := engine.Render(loaded, all)
	if err != nil {
		return "", fmt.Errorf("render the chart: %w", err)
	}
	delete(files, loaded.Name()+"/templates/NOTES.txt")
	_, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return "", fmt.Errorf("sort what was rendered: %w", err)
	}
	var text []byte
	for _, manifest := range manifests {
		text = fmt.Appendf(text, "---\n# Source: %s\n%s\n", manifest.Name, manifest.Content)
	}
	return string(text), nil
}
