package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// kubeAPIServer is upstream's command, with upstream's flags.
var kubeAPIServer = dispatch.Part{
	Name:   "kube-apiserver",
	Module: kubernetes,
	Run: func([]string) error {
		return cli.RunNoErrOutput(app.NewAPIServerCommand())
	},
}
