package main

import (
	"brazier.sh/brazier/devcluster/internal/dispatch"
	"brazier.sh/brazier/devcluster/internal/objectstore"
)

// objectStore is the Versity gateway over a folder.
var objectStore = dispatch.Part{
	Name:   "object-store",
	Module: "github.com/versity/versitygw",
	Run:    objectstore.Run,
}
