package main

import (
	"go.etcd.io/etcd/server/v3/etcdmain"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// etcd is upstream's command, with upstream's flags.
var etcd = dispatch.Part{
	Name:   "etcd",
	Module: "go.etcd.io/etcd/server/v3",
	Run: func(args []string) error {
		etcdmain.Main(append([]string{"etcd"}, args...))
		return nil
	},
}
