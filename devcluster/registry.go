package main

import (
	"brazier.sh/brazier/devcluster/internal/dispatch"
	"brazier.sh/brazier/devcluster/internal/registry"
)

// ociRegistry is CNCF Distribution with its storage on the local disk.
var ociRegistry = dispatch.Part{
	Name:   "registry",
	Module: "github.com/distribution/distribution/v3",
	Run:    registry.Run,
}
