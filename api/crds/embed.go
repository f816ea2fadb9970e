// Package crds holds the custom resource definitions of Brazier's kinds, as controller-gen makes them from the Go
// types in api/v1beta2, api/v1alpha1 and api/brazier/v1alpha1. It holds no code that installs them: they are a part of the chart (charts/brazier).
package crds

import "embed"

// FS has one YAML file for each definition, named <group>_<plural>.yaml.
//
//go:embed *.yaml
var FS embed.FS

//go:generate go tool -modfile=../../tools/go.mod controller-gen paths=../v1beta2 paths=../v1alpha1 paths=../brazier/v1alpha1 object crd:generateEmbeddedObjectMeta=true output:crd:dir=.
//go:generate go run ./internal/compact
