package install

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli/values"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/yaml"

	"brazier.sh/brazier/internal/operator"
)

// ReadValues reads values as Helm's own command does: files of YAML in their order, then assignments such as replicas=3.
func ReadValues(files, assignments []string) (map[string]any, error) {
	options := values.Options{ValueFiles: files, Values: assignments}
	read, err := options.MergeValues(nil)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	return read, nil
}

// MergeValues lays one set of values over another.
func MergeValues(base, over map[string]any) map[string]any { return loader.MergeMaps(base, over) }

// ImageValues are the values by which the operator's image is ref.
func ImageValues(ref string) map[string]any {
	rest, digest, _ := strings.Cut(ref, "@")
	registry, repository, found := strings.Cut(rest, "/")
	// As container runtimes tell them apart: a registry's name has a dot or a port, or is this machine's.
	if !found || !strings.ContainsAny(registry, ".:") && registry != "localhost" {
		registry, repository = "", rest
	}
	repository, tag, tagged := strings.Cut(repository, ":")
	if !tagged && digest == "" {
		tag = "latest"
	}
	return map[string]any{"image": map[string]any{"registry": registry, "repository": repository, "tag": tag, "digest": digest}}
}

// ConfigValues are the values by which the operator is told config. Where it listens, what it looks after and how much it does
// at once are values of their own.
func ConfigValues(config operator.Config) (map[string]any, error) {
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("write the operator's configuration: %w", err)
	}
	fields := make(map[string]any)
	if err := yaml.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("read the operator's configuration: %w", err)
	}
	return map[string]any{"config": fields}, nil
}

// NamespaceValues are the values by which applications run in the named namespaces. Those that do not exist are made, and stay
// the chart's; those that do are somebody else's and are left as they are.
func (i *Installer) NamespaceValues(ctx context.Context, names []string) (map[string]any, error) {
	var namespaces []any
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		value := map[string]any{"name": name}
		live, err := i.live(ctx, systemNamespace(name))
		switch {
		case apierrors.IsForbidden(err): // One who may not look certainly may not make it.
		case err != nil:
			return nil, err
		case live == nil, live.GetAnnotations()["meta.helm.sh/release-name"] == releaseName:
			value["create"] = true
		}
		namespaces = append(namespaces, value)
	}
	return map[string]any{"namespaces": namespaces}, nil
}
