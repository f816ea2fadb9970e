package main

import (
	"brazier.sh/brazier/devcluster/internal/dispatch"
	"brazier.sh/brazier/devcluster/internal/provisioner"
)

// storageProvisioner is Brazier's own, on the library that all external provisioners share.
var storageProvisioner = dispatch.Part{
	Name:   "storage-provisioner",
	Module: "sigs.k8s.io/sig-storage-lib-external-provisioner/v13",
	Run:    provisioner.Run,
}
