package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-proxy/app"

	"brazier.sh/brazier/devcluster/internal/dispatch"
)

// kubeProxy is upstream's command, with upstream's flags.
var kubeProxy = dispatch.Part{
	Name:   "kube-proxy",
	Module: kubernetes,
	Run: func([]string) error {
		return cli.RunNoErrOutput(app.NewProxyCommand())
	},
}
