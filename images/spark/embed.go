// Package spark is what Brazier's Spark images are made of: a recipe and a lock for each version of Spark, and the
// scripts that go into every image. It holds files only; internal/image builds with them.
package spark

import "embed"

// Recipes are the recipes, <version>.yaml, and what they were found to consist of, <version>.lock.
//
//go:embed *.yaml *.lock
var Recipes embed.FS

// Training is the program by which an image finds out which classes Spark loads, in the folder training.
//
//go:embed training/*.py
var Training embed.FS

// Scripts are the files that Brazier itself puts into an image.
//
//go:embed entrypoint.sh decom.sh
var Scripts embed.FS
